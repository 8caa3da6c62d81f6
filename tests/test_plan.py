import copy

import pytest
import tiny_project
import yaml

from lesionbook import params, plan, run
from lesionbook.errors import LesionbookError


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tiny_project.make(tmp_path / "tiny project")
    monkeypatch.chdir(folder)
    yield folder


def steps(project, profile="laptop", data=""):
    return {step.name: step for step in plan.steps([], profile, data)["tiny"]}


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
        plan.steps(studies, profile, data)
    assert "\n" not in str(caught.value)
    assert not (project / "build").exists()


def test_without_images_the_message_says_where_they_belong(project):
    (project / "data" / "ham10000" / "one.jpg").unlink()
    (project / "data" / "ham10000").rmdir()
    with pytest.raises(LesionbookError, match=r"No images at data/ham10000; name the folder by DATA=…"):
        plan.steps(["tiny"], "laptop")


def test_a_parameter_that_a_notebook_does_not_know_stops_the_run(project):
    study = copy.deepcopy(tiny_project.STUDY)
    study["experiments"]["second"]["parameters"] = {"mistakes": 3}
    tiny_project.write_study(project, study)
    with pytest.raises(LesionbookError, match=r"experiments\.second: the notebook second\.ipynb has no parameter"):
        plan.steps([], "laptop")


# What feeds what


def test_the_steps_stand_in_the_order_of_the_study_with_their_titles(project):
    found = steps(project)
    assert list(found) == list(tiny_project.STEPS)
    assert [step.title for step in found.values()] == [f"The {name} notebook" for name in tiny_project.STEPS]
    assert {step.name: step.threads for step in found.values()} == dict.fromkeys(tiny_project.STEPS, 1) | {"first": 2}
    first = found["first"]
    assert first.html == "reports/laptop/tiny/first.html"
    assert first.pdf == "reports/laptop/tiny/first.pdf"
    assert first.command == "tiny laptop first"


def test_a_study_without_a_sample_profile_wants_real_images(project):
    tiny_project.write_study(project, tiny_project.STUDY | {"profiles": {"sample": {}}}, "drawn")
    assert list(plan.steps([], "sample")) == ["drawn"]
    assert list(plan.steps([], "laptop")) == ["drawn", "tiny"]
    with pytest.raises(LesionbookError, match=r"^params/tiny\.yml has no sample profile: add PROFILE=laptop and DATA="):
        plan.steps(["tiny"], "sample")


def test_a_file_that_is_no_yaml_is_named_before_a_sample_run(project):
    (project / "params" / "broken.yml").write_text("title: [")
    with pytest.raises(LesionbookError, match=r"^params/broken\.yml, line \d+: "):
        plan.steps([], "sample")


def test_threads_of_a_step_are_those_of_all_its_processes(project):
    first = tiny_project.STUDY["experiments"]["first"]
    tiny_project.write_notebook(project, "first", tiny_project.WORK["first"], "workers = 1")
    with_workers = {"first": first | {"parameters": {"workers": 3}}}
    tiny_project.write_study(
        project, tiny_project.STUDY | {"experiments": tiny_project.STUDY["experiments"] | with_workers}
    )
    step = steps(project)["first"]
    assert (step.threads, step.arguments["threads"], step.arguments["workers"]) == (6, 2, 3)


def test_results_pass_from_preparation_to_models_to_comparison(project):
    found, build = steps(project), "build/laptop/tiny"
    assert found["explore"].inputs["results"] == found["prepare"].inputs["results"] == []
    for name in ("first", "second"):
        assert found[name].inputs["results"] == [f"{build}/prepare/index.csv", f"{build}/prepare/summary.json"]
        assert found[name].inputs["kept"] == [f"{build}/prepare/images.npy"]
    wanted = [f"{build}/{name}/predictions.csv" for name in ("first", "second")]
    assert found["compare"].inputs["results"] == [*wanted, f"{build}/prepare/index.csv"]
    made = {path for step in found.values() for path in step.outputs.values()}
    read = {path for step in found.values() for kind in ("results", "kept") for path in step.inputs[kind]}
    assert read <= made
    assert len(made) == sum(len(step.outputs) for step in found.values())


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
    found = steps(project, data=str(elsewhere))
    assert run.data_folder("tiny", "laptop", params.load("tiny", "laptop")) == elsewhere
    assert str(tmp_path) not in str([step.arguments for step in found.values()])
    again = steps(project)
    assert {name: step.arguments for name, step in again.items()} == {n: s.arguments for n, s in found.items()}
    moved = tmp_path / "moved"
    elsewhere.rename(moved)
    with pytest.raises(LesionbookError, match="No images at"):
        steps(project)
    # The same images elsewhere are the same images.
    assert steps(project, data=str(moved))["explore"].arguments == found["explore"].arguments


def test_a_data_folder_may_be_named_from_the_project(project):
    (project.parent / "images").mkdir()
    steps(project, data="../images")
    assert run.data_folder("tiny", "laptop", params.load("tiny", "laptop")).resolve() == project.parent / "images"


def test_a_notebook_without_title_and_question_is_refused(project):
    path = tiny_project.write_notebook(project, "second", ["1"])
    path.write_text(path.read_text().replace("# The second notebook", "The second notebook"))
    with pytest.raises(LesionbookError, match=r"second\.ipynb: begin the first cell with"):
        plan.steps([], "laptop")


# Experiments that need others


def with_experiments(project, **experiments):
    """The tiny study with further experiments before its comparison."""
    study = copy.deepcopy(tiny_project.STUDY)
    compare = study["experiments"].pop("compare")
    study["experiments"] |= experiments | {"compare": compare}
    for experiment in experiments.values():
        if not (project / "notebooks" / f"{experiment['notebook']}.ipynb").exists():
            knobs = 'models = ()\nweights = "none"\nfolder = ""'
            tiny_project.write_notebook(project, experiment["notebook"], ["1"], knobs)
    tiny_project.write_study(project, study)


NETWORKS = {"a": {"notebook": "20-a"}, "b": {"notebook": "39-b"}}


@pytest.mark.parametrize(("listed", "members"), [([], ["a", "b"]), (["b"], ["b"])])
def test_a_combination_waits_for_its_members_and_is_compared_like_a_model(project, listed, members):
    with_experiments(project, **NETWORKS, both={"notebook": "50-both", "parameters": {"models": listed}})
    found, build = steps(project), "build/laptop/tiny"
    wanted = {f"{build}/{name}/{file}" for name in members for file in ("summary.json", "predictions.csv")}
    assert set(found["both"].inputs["results"]) == wanted | {
        f"{build}/prepare/index.csv",
        f"{build}/prepare/summary.json",
    }
    assert f"{build}/both/predictions.csv" in found["compare"].inputs["results"]


def test_a_use_of_models_reads_the_data_folder_and_is_not_compared(project):
    with_experiments(project, **NETWORKS, use={"notebook": "80-use", "parameters": {"models": ["a"]}})
    found, build = steps(project), "build/laptop/tiny"
    assert f"{build}/a/summary.json" in found["use"].inputs["results"]
    assert "files" in found["use"].arguments
    assert "predictions" not in found["use"].outputs
    assert found["use"].outputs["use"] == f"{build}/use/use.csv"
    assert not any("/use/" in path for path in found["compare"].inputs["results"])


def test_a_lesson_reads_the_store_and_is_no_model(project):
    with_experiments(project, lesson={"notebook": "70-lesson"})
    found, build = steps(project), "build/laptop/tiny"
    assert found["lesson"].inputs["results"] == [f"{build}/prepare/index.csv", f"{build}/prepare/summary.json"]
    assert found["lesson"].inputs["kept"] == [f"{build}/prepare/images.npy"]
    assert set(found["lesson"].outputs) == {"notebook", "summary"}
    assert "files" not in found["lesson"].arguments
    assert not any("/lesson/" in path for path in found["compare"].inputs["results"])


def test_what_comes_afterwards_reads_the_comparison_and_all_predictions(project):
    with_experiments(project, audit={"notebook": "95-audit"})
    found, build = steps(project), "build/laptop/tiny"
    wanted = {f"{build}/{name}/predictions.csv" for name in ("first", "second")}
    wanted |= {f"{build}/compare/summary.json"}
    assert set(found["audit"].inputs["results"]) == wanted
    assert found["audit"].inputs["kept"] == []
    assert set(found["audit"].outputs) == {"notebook", "summary"}
    assert {"settings", "titles"} <= set(found["audit"].arguments)
    assert not any("/audit/" in path for path in found["compare"].inputs["results"])


def test_a_slip_among_the_published_facts_stops_the_run(project):
    tiny_project.write_study(project, tiny_project.STUDY | {"published": {"reslts": []}})
    with pytest.raises(LesionbookError, match=r"params/tiny\.yml: published\.reslts .*did you mean 'results'"):
        steps(project)


@pytest.mark.parametrize(
    ("notebook", "file"), [("80-submission", "submission.csv"), ("85-predict", "predict.csv"), ("plain", "plain.csv")]
)
def test_a_use_leaves_a_file_of_its_name(notebook, file):
    assert plan.use_file(notebook) == file


def test_images_of_a_folder_that_is_used_make_it_run_again(project):
    folder = project / "further images"
    folder.mkdir()
    with_experiments(project, **NETWORKS, use={"notebook": "85-use", "parameters": {"folder": "further images"}})
    assert changed_readers(project, lambda: (folder / "one.jpg").write_bytes(b"one")) == {"use"}
    assert changed_readers(project, lambda: (folder / "one.jpg").write_bytes(b"longer")) == {"use"}
    assert changed_readers(project, lambda: None) == set()


def test_weights_of_an_experiment_wait_for_it(project):
    with_experiments(project, **NETWORKS, c={"notebook": "24-c", "parameters": {"weights": "a"}})
    assert "build/laptop/tiny/a/summary.json" in steps(project)["c"].inputs["results"]


def test_weights_of_another_study_need_it_in_the_run_or_done(project):
    tiny_project.write_study(project, tiny_project.STUDY, "other")
    with_experiments(project, c={"notebook": "24-c", "parameters": {"weights": "other/first"}})
    with pytest.raises(LesionbookError, match=r'experiments\.c starts from .* run both by STUDY="other tiny"'):
        plan.steps(["tiny"], "laptop")
    both = {step.name: step for step in plan.steps(["tiny", "other"], "laptop")["tiny"]}
    assert "build/laptop/other/first/summary.json" in both["c"].inputs["results"]
    done = project / "build/laptop/other/first/model.keras"
    done.parent.mkdir(parents=True)
    done.touch()
    assert plan.steps(["tiny"], "laptop")


@pytest.mark.parametrize(
    ("experiments", "said"),
    [
        ({"a": {"notebook": "20-a", "parameters": {"weights": "a"}}}, "tiny/a after tiny/a can never run"),
        (
            {
                "a": {"notebook": "20-a", "parameters": {"weights": "b"}},
                "b": {"notebook": "39-b", "parameters": {"weights": "tiny/a"}},
            },
            "can never run; break the circle",
        ),
        ({"a": {"notebook": "20-a", "parameters": {"weights": "frist"}}}, r"experiments\.a: weights: .*'first'"),
        (
            NETWORKS | {"both": {"notebook": "50-both", "parameters": {"models": ["aa"]}}},
            r"experiments\.both: models: 'aa' is no experiment .* \(did you mean 'a'\?\)",
        ),
        (
            NETWORKS | {"both": {"notebook": "50-both", "parameters": {"models": ["first"]}}},
            r"'first' is no experiment of this study that trains a network",
        ),
    ],
)
def test_experiments_that_can_never_run_are_refused(project, experiments, said):
    with_experiments(project, **experiments)
    with pytest.raises(LesionbookError, match=said):
        steps(project)


# The real notebooks


@pytest.fixture(scope="module")
def real():
    """Modules of the library that each real notebook depends on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny_project.ROOT)
        found = plan.steps(["ham10000-transfer"], "sample")["ham10000-transfer"]
        look = plan.report_modules()
    return {step.name: set(step.inputs["source"]) for step in found}, set(look)


def test_a_notebook_runs_again_for_the_modules_it_uses_and_not_for_others(real):
    sources, _ = real

    def users(module):
        return {name for name, files in sources.items() if f"lib/lesionbook/{module}" in files}

    everyone = set(sources)
    assert users("figures/style.py") == everyone - {"card"}  # not named in any notebook
    assert users("datasets/ham10000.py") == everyone
    assert users("selection.py") == users("decoding.py") == {"explore", "prepare"}
    assert users("splits.py") == {"explore", "prepare", "leakage"}
    assert users("figures/metadata.py") == {"explore", "patients", "prepare"}
    others = {"explore", "patients", "prepare", "colour-statistics", "ensemble", "compare", "leakage", "audit", "card"}
    networks = everyone - others
    assert {"residual-cnn", "vgg16"} <= networks
    assert users("figures/training.py") == users("fitting.py") == users("explain.py") == networks
    assert users("architectures/colour_statistics.py") == {"colour-statistics", "leakage"}
    assert users("storing.py") == {"prepare"}
    assert users("resampling.py") == networks | {"colour-statistics", "ensemble", "compare", "audit", "card"}
    assert users("plan.py") == users("render/pdf.py") == set()


def test_pages_are_rendered_again_for_the_look_and_not_for_the_science(real):
    _, look = real
    assert {f"lib/lesionbook/render/{name}" for name in ("html.py", "pdf.py", "index.py", "assets/page.css")} <= look
    assert not any(name in path for path in look for name in ("training", "metrics", "figures"))


def test_every_file_that_a_step_depends_on_exists(real):
    sources, look = real
    assert [path for path in set().union(look, *sources.values()) if not (tiny_project.ROOT / path).is_file()] == []


# Sweeps and searches


def varied(project, **parameters):
    """A network, a sweep of it and a search with the sweep's cost."""
    knobs = 'filters = (2, 2, 2)\nalpha = 0.3\nrecipe = {"epochs": 2}\nweights = "none"'
    tiny_project.write_notebook(project, "20-plain-cnn", ["1"], knobs)
    knobs = 'base = ""\nsettings = ()\naxis = ""\nsweeps = ()\nagainst = ()\nfixed = {}'
    for name in ("60-sweep", "65-search"):
        tiny_project.write_notebook(project, name, ["1"], knobs)
    sweep = {"base": "net", "settings": [{"alpha": 0.1}], "axis": "alpha"}
    with_experiments(
        project,
        net={"notebook": "20-plain-cnn"},
        sweep={"notebook": "60-sweep", "parameters": sweep | parameters},
        search={"notebook": "65-search", "parameters": {"base": "net", "sweeps": ["sweep"], "against": ["net"]}},
    )


def test_a_sweep_is_no_model_and_a_search_is_one(project):
    varied(project)
    found, build = steps(project), "build/laptop/tiny"
    assert "predictions" not in found["sweep"].outputs
    assert found["sweep"].inputs["results"] == [f"{build}/prepare/index.csv", f"{build}/prepare/summary.json"]
    assert found["sweep"].inputs["kept"] == [f"{build}/prepare/images.npy"]
    compared = found["compare"].inputs["results"]
    assert f"{build}/search/predictions.csv" in compared
    assert not any("/sweep/" in path for path in compared)


def test_a_search_waits_for_the_sweeps_and_models_that_it_names(project):
    varied(project)
    read = steps(project)["search"].inputs["results"]
    build = "build/laptop/tiny"
    assert {f"{build}/sweep/summary.json", f"{build}/net/summary.json", f"{build}/net/predictions.csv"} <= set(read)


def test_what_a_search_waits_for_runs_first(project):
    assert {step.priority for step in steps(project).values()} == {1}
    varied(project)
    first = {name for name, step in steps(project).items() if step.priority >= 10 * step.threads}
    assert first == {"prepare", "sweep", "search"}


def test_what_is_varied_decides_when_a_sweep_runs_again(project):
    varied(project)
    before = {name: step.arguments for name, step in steps(project).items()}
    study = yaml.safe_load((project / "params" / "tiny.yml").read_text())
    study["experiments"]["net"]["parameters"] = {"alpha": 0.2}
    tiny_project.write_study(project, study)
    after = {name: step.arguments for name, step in steps(project).items()}
    assert {name for name in after if after[name] != before[name]} == {"net", "sweep", "search"}
    source = steps(project)["sweep"].inputs["source"]
    assert any(path.endswith("architectures/plain_cnn.py") for path in source)
    assert not any(path.endswith("architectures/resnet34.py") for path in source)


def test_a_sweep_that_cannot_be_stops_the_run(project):
    varied(project, settings=[{"alhpa": 0.1}])
    with pytest.raises(LesionbookError, match=r"params/tiny\.yml: experiments\.sweep: 20-plain-cnn has no parameter"):
        steps(project)
