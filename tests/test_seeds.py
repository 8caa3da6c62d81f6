import pandas as pd
import pytest
import tiny_project
from made_predictions import made

from lesionbook import metrics, params, plan, run, seeds
from lesionbook.errors import LesionbookError

STUDY = tiny_project.STUDY | {
    "experiments": {
        "explore": {"notebook": "explore"},
        "prepare": {"notebook": "prepare"},
        "first": {"notebook": "24-first", "title": "Small", "further_seeds": [7, 5], "parameters": {"mistakes": 4}},
        "second": {"notebook": "25-second"},
        "compare": {"notebook": "compare"},
    }
}


def changed(**first):
    experiments = STUDY["experiments"] | {"first": STUDY["experiments"]["first"] | first}
    return STUDY | {"experiments": experiments}


@pytest.fixture
def project(tmp_path, monkeypatch):
    folder = tiny_project.make(tmp_path / "tiny")
    for name in ("first", "second"):
        (folder / "notebooks" / f"{name}.ipynb").rename(
            folder / "notebooks" / f"2{'45'[name == 'second']}-{name}.ipynb"
        )
    tiny_project.write_study(folder, STUDY)
    monkeypatch.chdir(folder)
    return folder


def test_a_model_with_further_seeds_is_one_model_and_several_trainings(project):
    loaded = params.load("tiny", "laptop")
    assert list(loaded.experiments)[2:5] == ["first", "first-seed-7", "first-seed-5"]
    assert loaded.models == ["first", "second"]
    assert loaded.networks == ["first", "second"]
    assert loaded.repetitions == ["first-seed-7", "first-seed-5"]
    assert loaded.again("first") == {7: "first-seed-7", 5: "first-seed-5"}
    assert loaded.again("second") == loaded.again("first-seed-7") == {}
    assert loaded.experiments["first-seed-7"].title == "Small, seed 7"


def test_only_the_seed_differs(project):
    loaded = params.check("tiny", "laptop")
    first, again = (params.arguments("tiny", "laptop", name, loaded) for name in ("first", "first-seed-7"))
    different = {key for key in first if first[key] != again[key]}
    assert different == {"seed", "step", "output"}
    assert (first["seed"], again["seed"]) == (3, 7)
    assert again["mistakes"] == 4


def test_an_experiment_may_have_a_seed_of_its_own(project):
    tiny_project.write_study(project, changed(seed=11))
    assert params.arguments("tiny", "laptop", "first", params.load("tiny", "laptop"))["seed"] == 11


def test_all_trainings_are_run_and_the_comparison_waits_for_them(project):
    steps = {step.name: step for step in plan.steps([], "laptop")["tiny"]}
    again = steps["first-seed-7"]
    assert again.outputs["predictions"] == "build/laptop/tiny/first-seed-7/predictions.csv"
    assert again.inputs == steps["first"].inputs
    read = {path for path in steps["compare"].inputs["results"] if path.endswith("predictions.csv")}
    assert read == {
        f"build/laptop/tiny/{name}/predictions.csv" for name in ("first", "second", "first-seed-7", "first-seed-5")
    }


@pytest.mark.parametrize(
    ("study", "said"),
    [
        (changed(further_seeds=[7, 7]), "further_seeds: a seed is named twice"),
        (changed(further_seeds=[3]), "further_seeds: 3 is the first seed already"),
        (changed(further_seeds=[-1]), "greater than or equal to 0"),
        (changed(notebook="50-ensemble"), "only what is trained has seeds of its own"),
        (changed(notebook="90-compare", further_seeds=[], seed=4), "only what is trained has seeds of its own"),
        (
            STUDY | {"experiments": STUDY["experiments"] | {"first-seed-7": {"notebook": "25-second"}}},
            "has the name of another one",
        ),
    ],
)
def test_seeds_that_cannot_be_are_refused(project, study, said):
    tiny_project.write_study(project, study)
    with pytest.raises(LesionbookError, match=said) as caught:
        params.load("tiny", "laptop")
    assert "\n" not in str(caught.value)


def test_seeds_may_differ_by_profile(project):
    tiny_project.write_study(
        project, STUDY | {"profiles": {"paper": {"experiments": {"first": {"further_seeds": []}}}}}
    )
    assert params.load("tiny", "paper").repetitions == []
    assert len(params.load("tiny", "laptop").repetitions) == 2


def test_the_file_of_every_training_is_read_under_the_name_of_its_model(project):
    loaded = params.load("tiny", "laptop")
    here = run.Run("tiny", "laptop", "compare", loaded, project / "build")
    for number, name in enumerate(("first", "first-seed-7", "first-seed-5", "second")):
        folder = here.folder(name)
        folder.mkdir(parents=True)
        made(n=20, seed=number).to_csv(folder / "predictions.csv", index=False)
    found = seeds.read(here, {"first": "Small", "second": "Other"})
    assert {model: list(by_seed) for model, by_seed in found.items()} == {"Small": [3, 7, 5], "Other": [3]}
    expected = made(n=20, seed=2)
    pd.testing.assert_frame_equal(found["Small"][5][expected.columns], expected, atol=1e-6, check_dtype=False)


FRAMES = {"A": {3: made(seed=0), 7: made(seed=1), 5: made(seed=2)}, "B": {3: made(seed=3)}}


def test_scores_of_every_training_and_their_spread():
    table = seeds.scores(FRAMES)
    assert set(table["model"]) == {"A"}
    wanted = [metrics.scores(FRAMES["A"][seed])["macro_auc"] for seed in (3, 7, 5)]
    found = table[table["score"] == "macro_auc"]
    assert (found["seed"].tolist(), found["estimate"].tolist()) == ([3, 7, 5], wanted)
    row = seeds.spread(table).set_index("score").loc["macro_auc"]
    assert row["seeds"] == 3
    assert row[["mean", "low", "high"]].tolist() == pytest.approx([sum(wanted) / 3, min(wanted), max(wanted)])
    assert set(seeds.further(table)["seed"]) == {7, 5}


def test_no_row_where_every_model_was_trained_once():
    table = seeds.scores({"B": FRAMES["B"]})
    assert table.empty
    assert seeds.further(table).empty


def test_trainings_are_tested_on_the_same_images():
    with pytest.raises(LesionbookError, match="A, seed 7 and A, seed 3 differ in image_id"):
        seeds.scores({"A": {3: made(seed=0), 7: made(n=200, seed=1)}})
