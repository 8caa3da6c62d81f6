import json
import os
import re

import nbformat
import pytest
import tiny_project
from bs4 import BeautifulSoup

from lesionbook import execution, pipeline
from lesionbook.errors import LesionbookError


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project in a folder with a space in its name, whose first model notebook has run."""
    folder = tiny_project.make(tmp_path_factory.mktemp("execution") / "my projects" / "tiny")
    told = ["import os, sys\nprint(os.getcwd(), os.environ['OMP_NUM_THREADS'], os.environ['TF_NUM_INTRAOP_THREADS'])"]
    tiny_project.write_notebook(folder, "first", [*tiny_project.WORK["first"], *told])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        execution.execute("tiny", "laptop", "first")
        yield folder


def step(project):
    return project / "build" / "laptop" / "tiny" / "first"


def report(project):
    page = project / "reports" / "laptop" / "tiny" / "first.html"
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def failing(project, *cells):
    """Run the notebook with other cells at its end; the message of the failure."""
    source = project / "notebooks" / "first.ipynb"
    before = source.read_bytes()
    try:
        tiny_project.write_notebook(project, "first", [*tiny_project.WORK["first"], *cells])
        with pytest.raises(LesionbookError) as caught:
            pipeline.run_notebook("tiny", "laptop", "first")
    finally:
        source.write_bytes(before)
    return str(caught.value)


def test_the_notebook_gets_the_parameters_of_the_study(project):
    cells = nbformat.read(step(project) / "notebook.ipynb", as_version=4).cells
    injected = [cell.source for cell in cells if "injected-parameters" in cell.metadata.get("tags", [])]
    values = {}
    exec(injected[0], values)
    assert {name: values[name] for name in ("study", "profile", "step", "seed", "threads")} == {
        "study": "tiny",
        "profile": "laptop",
        "step": "first",
        "seed": 3,
        "threads": 2,
    }
    assert values["output"] == "build/laptop/tiny/first"
    assert "mistakes" not in values  # left at the notebook's default
    assert (step(project) / "predictions.csv").exists()


def test_it_runs_in_the_project_with_the_threads_of_its_experiment(project):
    printed = nbformat.read(step(project) / "notebook.ipynb", as_version=4).cells[-1].outputs[0].text
    assert printed == f"{project} 2 2\n"


def test_the_executed_copy_holds_no_times_and_no_paths(project):
    text = (step(project) / "notebook.ipynb").read_text()
    notebook = json.loads(text)
    assert [cell["id"] for cell in notebook["cells"]] == [f"cell-{n:03d}" for n in range(len(notebook["cells"]))]
    assert set(notebook["metadata"]) <= {"kernelspec", "language_info"}
    assert "version" not in notebook["metadata"]["language_info"]
    assert all(set(cell["metadata"]) <= {"tags"} for cell in notebook["cells"])
    del notebook["cells"][-1]  # prints the folder on purpose
    for trace in ("papermill", "start_time", "duration", str(project), "input_path"):
        assert trace not in json.dumps(notebook), trace


def test_two_runs_give_the_same_bytes(project):
    before = (step(project) / "notebook.ipynb").read_bytes()
    (step(project) / "notebook.ipynb").unlink()
    execution.execute("tiny", "laptop", "first")
    assert (step(project) / "notebook.ipynb").read_bytes() == before


def test_how_long_it_took_stands_beside_it(project):
    assert 0 < float((step(project) / "seconds.txt").read_text()) < 600


def test_the_environment_is_put_back(project):
    before = dict(os.environ)
    with execution._environment(7):
        assert os.environ["OPENBLAS_NUM_THREADS"] == "7"
        assert os.environ["MPLBACKEND"] == "agg"
        os.environ["LEFT_BEHIND"] = "1"
    assert dict(os.environ) == before


def test_a_failing_cell_is_named_in_one_sentence_and_earlier_results_stay(project):
    before = (step(project) / "notebook.ipynb").read_bytes()
    said = failing(project, "raise ValueError('\\x1b[31mno red\\x1b[0m left\\nand more lines')")
    first, second = said.splitlines()
    assert first.startswith("first.ipynb failed in cell ")
    assert first.endswith("(tiny, laptop): ValueError: no red left")
    assert second.strip() == "what it had done until then: reports/laptop/tiny/first.html"
    assert (step(project) / "notebook.ipynb").read_bytes() == before
    names = {path.name for path in step(project).iterdir()}
    assert names <= {"failed.ipynb", "kernel.log", "notebook.ipynb", "predictions.csv", "seconds.txt", "summary.json"}

    kept = nbformat.read(step(project) / "failed.ipynb", as_version=4)
    assert any(output.output_type == "error" for cell in kept.cells for output in cell.get("outputs", []))
    page = report(project)
    assert "ValueError" in page.find(role="alert").text
    assert page.find(role="alert").find_next("h1").text == "The first notebook"
    assert "mistakes 20" in page.text  # what ran before the failure is shown
    assert "An Exception was encountered at" not in page.text
    assert str(project) not in str(page)

    execution.execute("tiny", "laptop", "first")
    assert not (step(project) / "failed.ipynb").exists()


def test_terminal_and_page_name_the_same_cell(project):
    said = failing(project, "1 / 0")
    number = re.search(r"failed in cell (\d+) ", said)[1]
    assert f"cell {number} failed: ZeroDivisionError: division by zero" in report(project).find(role="alert").text


def test_a_dead_kernel_is_told_from_a_failing_cell(project):
    said = failing(project, "import os\nos.write(2, b'out of memory')\nos._exit(9)").splitlines()[0]
    assert "first.ipynb: its kernel died" in said
    assert "build/laptop/tiny/first/kernel.log" in said
    assert "out of memory" in (step(project) / "kernel.log").read_text()


def test_an_earlier_failure_is_not_shown_for_a_later_one(project):
    failing(project, "1 / 0")
    failing(project, "import os\nos._exit(9)")
    assert "ZeroDivisionError" not in report(project).text


def test_cleaning_keeps_outputs_and_tags(tmp_path):
    cell = nbformat.v4.new_code_cell(
        "1", metadata={"tags": ["parameters"], "papermill": {"duration": 1}, "execution": {}}
    )
    cell.outputs = [nbformat.v4.new_output("stream", text="kept")]
    metadata = {"papermill": {"input_path": "/home/x"}, "language_info": {"name": "python", "version": "3.11.7"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), tmp_path / "n.ipynb")
    execution.clean(tmp_path / "n.ipynb")
    cleaned = nbformat.read(tmp_path / "n.ipynb", as_version=4)
    assert cleaned.metadata == {"language_info": {"name": "python"}}
    assert cleaned.cells[0].metadata == {"tags": ["parameters"]}
    assert cleaned.cells[0].outputs[0].text == "kept"


@pytest.mark.parametrize(("text", "first"), [("", "no message"), ("\n\n a\nb", "a"), ("\x1b[1mred\x1b[0m", "red")])
def test_first_line(text, first):
    assert execution._first_line(text) == first
