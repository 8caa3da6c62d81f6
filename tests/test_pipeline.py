import copy
import os
import subprocess
import sys

import pytest
import tiny_project

from lesionbook import params, pipeline, run
from lesionbook.errors import LesionbookError


@pytest.fixture
def project(tmp_path, monkeypatch):
    pipeline.opening.cache_clear()
    folder = tiny_project.make(tmp_path / "tiny project")
    monkeypatch.chdir(folder)
    yield folder
    pipeline.opening.cache_clear()


def steps(project, profile="laptop", data=""):
    return {step.name: step for step in pipeline.plan([], profile, data)["tiny"]}


# What stops a run before it starts


@pytest.mark.parametrize(
    ("studies", "profile", "data", "said"),
    [
        (["tiny"], "sample", "data/ham10000", "PROFILE is sample; add PROFILE=laptop"),
        ([], "laptop", "data/ham10000", "name the one study"),
        (["tiny", "other"], "laptop", "data/ham10000", "name the one study"),
        (["tiny"], "laptop", "no/such/folder", "DATA=no/such/folder is no folder"),
        (["tinny"], "laptop", "", "No study 'tinny' .*did you mean 'tiny'"),
        (["tiny"], "labtop", "", "No profile 'labtop' .*did you mean 'laptop'"),
    ],
)
def test_a_run_that_cannot_succeed_does_not_start(project, studies, profile, data, said):
    tiny_project.write_study(project, tiny_project.STUDY, "other")
    with pytest.raises(LesionbookError, match=said) as caught:
        pipeline.plan(studies, profile, data)
    assert "\n" not in str(caught.value)
    assert not (project / "build").exists()


def test_without_images_the_message_says_where_they_belong(project):
    (project / "data" / "ham10000" / "one.jpg").unlink()
    (project / "data" / "ham10000").rmdir()
    with pytest.raises(LesionbookError, match=r"No images at data/ham10000; name the folder by DATA=…"):
        pipeline.plan(["tiny"], "laptop")


def test_a_parameter_that_a_notebook_does_not_know_stops_the_run(project):
    study = copy.deepcopy(tiny_project.STUDY)
    study["experiments"]["second"]["parameters"] = {"mistakes": 3}
    tiny_project.write_study(project, study)
    with pytest.raises(LesionbookError, match=r"experiments\.second: the notebook second\.ipynb has no parameter"):
        pipeline.plan([], "laptop")


# What feeds what


def test_the_steps_stand_in_the_order_of_the_study_with_their_titles(project):
    plan = steps(project)
    assert list(plan) == list(tiny_project.STEPS)
    assert [step.title for step in plan.values()] == [f"The {name} notebook" for name in tiny_project.STEPS]
    assert {step.name: step.threads for step in plan.values()} == dict.fromkeys(tiny_project.STEPS, 1) | {"first": 2}
    first = plan["first"]
    assert first.html == "reports/laptop/tiny/first.html"
    assert first.pdf == "reports/laptop/tiny/first.pdf"
    assert first.command == "tiny laptop first"


def test_results_pass_from_preparation_to_models_to_comparison(project):
    plan, build = steps(project), "build/laptop/tiny"
    assert plan["explore"].inputs["results"] == plan["prepare"].inputs["results"] == []
    for name in ("first", "second"):
        assert plan[name].inputs["results"] == [f"{build}/prepare/index.csv", f"{build}/prepare/summary.json"]
        assert plan[name].inputs["kept"] == [f"{build}/prepare/images.npy"]
    assert plan["compare"].inputs["results"] == [f"{build}/{name}/predictions.csv" for name in ("first", "second")]
    made = {path for step in plan.values() for path in step.outputs.values()}
    read = {path for step in plan.values() for kind in ("results", "kept") for path in step.inputs[kind]}
    assert read <= made
    assert len(made) == sum(len(step.outputs) for step in plan.values())


def test_each_step_depends_on_its_notebook_and_the_lock(project):
    for name, step in steps(project).items():
        assert step.inputs["source"][0] == f"notebooks/{name}.ipynb"
        assert "requirements.lock" in step.inputs["source"]


@pytest.mark.parametrize(
    ("change", "touched"),
    [
        ({"seed": 4}, set(tiny_project.STEPS)),
        ({"split": {"train": 0.5, "validation": 0.3, "test": 0.2}}, {"explore", "prepare", "compare"}),
        ({"title": "Another title"}, set()),
    ],
)
def test_arguments_change_with_the_settings_they_hold(project, change, touched):
    """A model notebook meets a changed split in its input files."""
    before = {name: step.arguments for name, step in steps(project).items()}
    tiny_project.write_study(project, tiny_project.STUDY | change)
    after = {name: step.arguments for name, step in steps(project).items()}
    assert {name for name in after if after[name] != before[name]} == touched


def test_arguments_of_one_experiment_are_its_own(project):
    before = {name: step.arguments for name, step in steps(project).items()}
    study = copy.deepcopy(tiny_project.STUDY)
    study["experiments"]["first"]["parameters"] = {"mistakes": 3}
    tiny_project.write_study(project, study)
    after = {name: step.arguments for name, step in steps(project).items()}
    assert {name for name in after if after[name] != before[name]} == {"first"}
    assert after["first"]["mistakes"] == 3


def changed_readers(project, change):
    before = {name: step.arguments for name, step in steps(project).items()}
    change()
    after = {name: step.arguments for name, step in steps(project).items()}
    return {name for name in after if after[name] != before[name]}


def test_a_changed_new_or_removed_image_concerns_those_who_read_the_folder(project):
    folder = project / "data" / "ham10000"
    readers = {"explore", "prepare"}
    assert changed_readers(project, lambda: (folder / "one.jpg").write_bytes(b"longer")) == readers
    assert changed_readers(project, lambda: (folder / "two.jpg").write_bytes(b"two")) == readers
    assert changed_readers(project, lambda: (folder / "two.jpg").unlink()) == readers
    assert changed_readers(project, lambda: None) == set()


def test_the_data_folder_is_remembered_and_never_an_argument(project, tmp_path):
    elsewhere = tmp_path / "my images"
    elsewhere.mkdir()
    (elsewhere / "one.jpg").write_bytes(b"one")
    plan = steps(project, data=str(elsewhere))
    assert run.data_folder("tiny", "laptop", params.load("tiny", "laptop")) == elsewhere
    assert str(tmp_path) not in str([step.arguments for step in plan.values()])
    again = steps(project)
    assert {name: step.arguments for name, step in again.items()} == {n: s.arguments for n, s in plan.items()}
    moved = tmp_path / "moved"
    elsewhere.rename(moved)
    with pytest.raises(LesionbookError, match="No images at"):
        steps(project)
    # The same images elsewhere are the same images.
    assert steps(project, data=str(moved))["explore"].arguments == plan["explore"].arguments


def test_a_data_folder_may_be_named_from_the_project(project):
    (project.parent / "images").mkdir()
    steps(project, data="../images")
    assert run.data_folder("tiny", "laptop", params.load("tiny", "laptop")).resolve() == project.parent / "images"


def test_a_notebook_without_title_and_question_is_refused(project):
    path = tiny_project.write_notebook(project, "second", ["1"])
    path.write_text(path.read_text().replace("# The second notebook", "The second notebook"))
    with pytest.raises(LesionbookError, match=r"second\.ipynb: begin the first cell with"):
        pipeline.plan([], "laptop")


# The real notebooks


@pytest.fixture(scope="module")
def real():
    """Modules of the library that each real notebook depends on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny_project.ROOT)
        pipeline.opening.cache_clear()
        plan = pipeline.plan(["ham10000-transfer"], "sample")["ham10000-transfer"]
        look = pipeline.report_modules()
    pipeline.opening.cache_clear()
    return {step.name: set(step.inputs["source"]) for step in plan}, set(look)


def test_a_notebook_runs_again_for_the_modules_it_uses_and_not_for_others(real):
    sources, _ = real

    def users(module):
        return {name for name, files in sources.items() if f"lib/lesionbook/{module}" in files}

    everyone = set(sources)
    assert users("figures/style.py") == everyone  # not named in any notebook
    assert users("datasets/ham10000.py") == everyone
    assert users("selection.py") == users("decoding.py") == users("splits.py") == {"explore", "prepare"}
    assert users("figures/metadata.py") == {"explore", "patients", "prepare"}
    networks = everyone - {"explore", "patients", "prepare", "colour-statistics", "compare"}
    assert {"residual-cnn", "vgg16"} <= networks
    assert users("figures/training.py") == users("fitting.py") == users("explain.py") == networks
    assert users("architectures/colour_statistics.py") == {"colour-statistics"}
    assert users("storing.py") == {"prepare"}
    assert users("resampling.py") == networks | {"colour-statistics", "compare"}
    assert users("pipeline.py") == users("render/pdf.py") == set()


def test_pages_are_rendered_again_for_the_look_and_not_for_the_science(real):
    _, look = real
    assert {f"lib/lesionbook/render/{name}" for name in ("html.py", "pdf.py", "index.py", "assets/page.css")} <= look
    assert not any(name in path for path in look for name in ("training", "metrics", "figures"))


def test_every_file_that_a_step_depends_on_exists(real):
    sources, look = real
    assert [path for path in set().union(look, *sources.values()) if not (tiny_project.ROOT / path).is_file()] == []


# Commands


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "lesionbook.pipeline", *arguments], capture_output=True, text=True, env=dict(os.environ)
    )


def test_a_failing_command_says_one_sentence_and_fails(project):
    done = command("html", "tinny", "laptop", "first")
    assert done.returncode == 1
    assert done.stderr.startswith("error: No study 'tinny'")
    assert done.stderr.count("\n") == 1


def test_the_index_lists_what_there_is(project):
    (project / "reports" / "laptop" / "tiny").mkdir(parents=True)
    (project / "reports" / "laptop" / "tiny" / "first.html").write_text("<p>done</p>")
    pipeline.render_index()
    page = (project / "reports" / "index.html").read_text()
    assert 'href="laptop/tiny/first.html"' in page
    assert 'href="laptop/tiny/second.html"' not in page
    assert "A tiny study" in page
