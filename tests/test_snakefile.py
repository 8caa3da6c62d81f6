"""What a run does, and what the next one does after a change: a tiny project with the real Makefile and Snakefile."""

import os
import re
from pathlib import Path

import pytest
import tiny_project

pytestmark = pytest.mark.slow

STEPS = set(tiny_project.STEPS)
WITH_MODULES = {
    "second": ["from lesionbook import shallow", *tiny_project.WORK["second"]],
    "compare": ["from lesionbook.figures import drawing", *tiny_project.WORK["compare"]],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with two modules of its own, one of them used by way of the other, and a figure module."""
    folder = tiny_project.with_machinery(tiny_project.make(tmp_path_factory.mktemp("snakefile") / "a tiny project"))
    library = folder / "lib" / "lesionbook"
    (library / "deep.py").write_text("VALUE = 1\n")
    (library / "shallow.py").write_text("from lesionbook.deep import VALUE\n")
    (library / "figures" / "drawing.py").write_text("COLOUR = 'red'\n")
    for step, cells in WITH_MODULES.items():
        tiny_project.write_notebook(folder, step, cells)
    return folder


def run(project, verb):
    return tiny_project.run_make(project, verb, "PROFILE=laptop", "CORES=2")


def reports(project):
    folder = project / "reports"
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def broken(project):
    """A first run, in which one notebook fails, and the reports that it left."""
    tiny_project.write_notebook(project, "first", [*tiny_project.WORK["first"], "1 / 0"])
    done = run(project, "report")
    return done, reports(project), (project / "reports" / "laptop" / "tiny" / "first.html").read_text()


@pytest.fixture(scope="module")
def mended(project, broken):
    """The second run, after the notebook was mended; nothing is left to do."""
    tiny_project.write_notebook(project, "first", tiny_project.WORK["first"])
    done = run(project, "report")
    assert done.returncode == 0, done.stderr
    return done


def test_a_failure_ends_the_run_and_says_which_cell_and_why(broken):
    done, _, _ = broken
    assert done.returncode != 0
    assert re.search(r"error: first\.ipynb failed in cell \d+ \(tiny, laptop\): ZeroDivisionError", done.stderr)
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) < 25


def test_after_a_failure_the_other_branches_are_done_and_its_page_is_marked(broken):
    done, made, page = broken
    finished = {f"laptop/tiny/{step}.{kind}" for step in ("explore", "prepare", "second") for kind in ("html", "pdf")}
    assert made == finished | {"laptop/tiny/first.html", "index.html", "times.html"}
    assert "✓ notebook second of tiny" in done.stderr
    assert "notebook compare" not in done.stderr
    assert 'role="alert"' in page


def test_the_next_run_takes_up_from_there(mended, project):
    ran = set(re.findall(r"✓ notebook (\S+) of tiny", mended.stderr))
    assert ran == {"first", "compare"}
    pages = {f"laptop/tiny/{step}.{kind}" for step in STEPS for kind in ("html", "pdf")}
    assert reports(project) == pages | {"laptop/tiny/book.pdf", "index.html", "times.html"}
    assert 'role="alert"' not in (project / "reports" / "laptop" / "tiny" / "first.html").read_text()


def test_the_progress_counts_to_the_end(mended):
    counts = [
        (int(done), int(total)) for done, total in re.findall(r"^\[ *(\d+)/(\d+)\] ✓", mended.stderr, re.MULTILINE)
    ]
    assert [done for done, _ in counts] == list(range(1, counts[0][1] + 1))
    assert len({total for _, total in counts}) == 1


# What would run after a change


def planned(project):
    done = run(project, "plan")
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"would run +(.+)", done.stderr)), done.stderr


def pages(steps):
    return {f"{kind} of {step} of tiny" for kind in ("page", "PDF") for step in steps}


def after(project, change):
    """The plan after a change that is taken back; a file is given back its old content and age."""
    kept = {}

    def write(name, content=None):
        path = project / name
        kept[path] = (path.read_bytes(), path.stat())
        path.write_bytes(path.read_bytes() + b"\n# changed\n" if content is None else content)
        os.utime(path)

    try:
        change(write)
        return planned(project)
    finally:
        for path, (content, facts) in kept.items():
            path.write_bytes(content)
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def study_with(old, new):
    def change(write, project):
        path = Path("params") / "tiny.yml"
        text = (project / path).read_text()
        assert old in text
        write(path, text.replace(old, new).encode())

    return change


def notebook_with(step, old, new):
    def change(write, project):
        path = Path("notebooks") / f"{step}.ipynb"
        text = (project / path).read_text()
        assert old in text
        write(path, text.replace(old, new).encode())

    return change


def file(name):
    return lambda write, project: write(name)


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        pytest.param(notebook_with("explore", "Does it run?", "Does it still run?"), {"explore"}, id="notebook"),
        pytest.param(file("lib/lesionbook/deep.py"), {"second", "compare"}, id="module-used-indirectly"),
        pytest.param(file("lib/lesionbook/figures/drawing.py"), {"compare"}, id="figure-module-of-one-notebook"),
        pytest.param(
            study_with("notebook: first\n", "notebook: first\n    parameters: {mistakes: 5}\n"),
            {"first", "compare"},
            id="parameter-of-one-experiment",
        ),
        pytest.param(study_with("seed: 3", "seed: 4"), STEPS, id="parameter-of-the-study"),
        pytest.param(file("data/ham10000/one.jpg"), STEPS, id="image"),
        pytest.param(file("build/laptop/tiny/prepare/index.csv"), {"first", "second", "compare"}, id="result"),
        pytest.param(file("requirements.lock"), STEPS, id="lock"),
    ],
)
def test_a_change_runs_what_depends_on_it_and_nothing_else(mended, project, change, steps):
    would_run, said = after(project, lambda write: change(write, project))
    notebooks = {f"notebook {step} of tiny (laptop)" for step in steps}
    assert would_run == notebooks | pages(steps) | {"index of all reports", "book of tiny"}
    assert said.count("because: ") == len(would_run)


def test_a_change_of_the_look_renders_again_and_runs_no_notebook(mended, project):
    would_run, _ = after(project, lambda write: write("lib/lesionbook/render/assets/page.css"))
    assert would_run == pages(STEPS) | {"index of all reports", "book of tiny"}


def test_a_new_title_of_the_study_renders_again_and_runs_no_notebook(mended, project):
    change = study_with("title: A tiny study", "title: Another title")
    would_run, _ = after(project, lambda write: change(write, project))
    assert would_run == pages(STEPS) | {"index of all reports", "book of tiny"}


def test_a_change_that_no_notebook_depends_on_runs_nothing(mended, project):
    would_run, said = after(project, lambda write: write("lib/lesionbook/training.py"))
    assert would_run == set()
    assert "Nothing to do" in said


def test_files_that_are_only_touched_run_nothing(mended, project):
    for path in project.rglob("*"):
        if path.is_file() and not path.is_relative_to(project / "data") and ".snakemake" not in path.parts:
            os.utime(path)
    would_run, said = planned(project)
    assert would_run == set()
    assert "Nothing to do" in said


def test_a_wrong_study_file_stops_the_run_with_one_sentence(mended, project):
    kept = (project / "params" / "tiny.yml").read_text()
    try:
        (project / "params" / "tiny.yml").write_text(kept.replace("seed:", "sead:"))
        done = run(project, "report")
    finally:
        (project / "params" / "tiny.yml").write_text(kept)
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1
    assert re.fullmatch(r"error: params/tiny\.yml.*sead.*did you mean 'seed'.*", said[0])
