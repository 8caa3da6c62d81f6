from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from caught_report import caught, parts
from scipy.stats import tukey_hsd
from section_run import by
from small_tuning import setting

from lesionbook import fitting, params
from lesionbook.run import Run
from lesionbook.sections import varied
from lesionbook.tuning import runs, sweep

RATES = (0.001, 0.01)
CHANGES = [{"recipe": {"learning_rate": rate}} for rate in RATES]
SETTINGS = [setting(recipe={"learning_rate": rate, "monitor": "val_accuracy"}) for rate in RATES]
PUBLISHED = {
    "sweeps": {
        "rates": {
            "columns": ["learning_rate", "train_loss", "train_accuracy", "val_loss", "val_accuracy"],
            "rows": [[0.001, 0.5, 0.7, 0.6, 0.55], [0.01, 0.5, 0.7, 0.6, 0.805], [0.1, 0.5, 0.7, 0.6, 0.8]],
            "images": [200],
        }
    },
    "results": [{"model": "tuned", "value": 0.91284, "source": "stated for validation"}],
}
SCORES = {0: [0.60, 0.64, 0.62], 1: [0.70, 0.69, 0.74]}


@pytest.fixture
def shown(monkeypatch):
    return caught(monkeypatch)


def trainings(scores=SCORES, own=36):
    rows = [
        dict.fromkeys(fitting.SCORES, value)
        | {"position": position, "seed": seed, "state": runs.COMPLETE, "reason": "", "epochs": 3, "accuracy": 0.8}
        | {"val_loss": 0.5 + seed, "own_images": own, "own_accuracy": value}
        for position, values in scores.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def of(profile, tmp_path):
    study = SimpleNamespace(published=PUBLISHED)
    return Run("melanoma-cnn", profile, "sweep", study, tmp_path)


def respond(run, frame, published="", changes=CHANGES):
    given = {"axis": "recipe.learning_rate", "scale": "log", "published": published}
    varied.response(run, changes, frame, SETTINGS, **given)


def test_the_response_is_the_mean_and_the_range_of_the_seeds(shown, tmp_path):
    respond(of("laptop", tmp_path), trainings())
    table = by(shown.tables["settings"], "learning rate")
    assert parts(table.loc["0.001", "validation accuracy: mean (range)"]) == pytest.approx([0.62, 0.60, 0.64])
    assert parts(table.loc["0.01", "validation accuracy: mean (range)"]) == pytest.approx([0.71, 0.69, 0.74])
    assert table["validation loss"].tolist() == ["1.500", "1.500"]
    assert "published" not in table
    assert "on its own" not in table
    assert shown.figures["response"].axes


def test_published_rows_stand_beside_the_settings_that_repeat_them(shown, tmp_path):
    respond(of("laptop", tmp_path), trainings(), "rates")
    assert shown.tables["settings"]["published"].tolist() == [0.55, 0.805]
    assert varied.DRAWN not in shown.captions["tbl-settings"]


def test_drawn_images_are_not_held_against_published_ones(shown, tmp_path):
    respond(of("sample", tmp_path), trainings(), "rates")
    assert varied.DRAWN in shown.captions["tbl-settings"]


def test_a_failed_training_is_counted_where_its_setting_is_shown(shown, tmp_path):
    frame = trainings()
    frame.loc[0, ["state", "reason", "val_accuracy"]] = [runs.DIVERGED, fitting.DIVERGED, np.nan]
    respond(of("laptop", tmp_path), frame)
    assert shown.tables["settings"].iloc[0, 1] == "0.630 (0.620–0.640), 2 of 3"
    varied.failures(frame.assign(setting="0.001"))
    assert shown.tables["failures"][["seed", "state"]].to_numpy().tolist() == [[0, "diverged"]]


def test_a_setting_without_a_whole_training_has_a_dash(shown, tmp_path):
    frame = trainings()
    frame.loc[:2, ["state", "val_accuracy", "val_loss"]] = [runs.DIVERGED, np.nan, np.nan]
    respond(of("laptop", tmp_path), frame)
    assert shown.tables["settings"].iloc[0, 1] == "–"
    assert shown.tables["settings"]["validation loss"].tolist() == ["–", "1.500"]


def test_fewer_validation_images_of_its_own_are_told(shown, tmp_path):
    frame = trainings()
    frame.loc[frame["position"] == 1, "own_images"] = 12
    respond(of("laptop", tmp_path), frame)
    assert shown.tables["settings"]["on its own"].tolist() == ["0.620 of 36", "0.710 of 12"]


def test_chance_between_seeds_is_that_of_tukeys_test(shown):
    gathered = sweep.summary(trainings(), "val_accuracy")
    varied.spread(gathered, 3)
    sd = np.sqrt((np.var(SCORES[0], ddof=1) + np.var(SCORES[1], ddof=1)) / 2)
    interval = tukey_hsd(*SCORES.values()).confidence_interval(0.95)
    needed = (interval.high[0, 1] - interval.low[0, 1]) / 2
    (note,) = shown.notes
    assert f"standard deviation of {sd:.3f}" in note
    assert f"must differ by {needed:.3f}" in note
    assert "differ by 0.090: more than that" in note


@pytest.mark.parametrize("scores", [{0: [0.6], 1: [0.7]}, {0: [0.6, 0.7]}])
def test_one_seed_or_one_setting_says_nothing_of_chance(shown, scores):
    varied.spread(sweep.summary(trainings(scores), "val_accuracy"), len(scores[0]))
    assert shown.notes == ["One seed, or one setting: nothing here says what chance alone does to a difference."]


def test_no_failure_is_said_as_well(shown):
    varied.failures(trainings().assign(setting=""))
    assert not shown.tables
    assert shown.notes == ["No training failed: none diverged, none ran out of memory."]


def test_a_published_table_against_its_best_row(shown, tmp_path):
    varied.published_sweep(of("laptop", tmp_path), "rates")
    table = by(shown.tables["published"], "learning rate")
    assert table["beyond chance"].tolist() == ["yes", "best", "no"]
    assert table["right answers"].tolist() == ["110 of 200", "161 of 200", "160 of 200"]
    assert table["against the best"].tolist()[::2] == pytest.approx([-0.255, -0.005])
    assert "all 3 pairs" in shown.captions["tbl-published"]
    assert shown.notes[0].startswith("Of the 3 pairs of published rows, 2 differ at 5 %")


def test_no_published_table_is_said(shown, tmp_path):
    varied.published_sweep(of("laptop", tmp_path), "")
    assert shown.notes == ["The published study has no such table."]


@pytest.mark.parametrize(
    ("model", "profile", "said"),
    [
        ("tuned", "laptop", "an accuracy of 0.9128 (stated for validation)."),
        ("tuned", "sample", varied.DRAWN),
        ("another", "laptop", "states no result that belongs here"),
    ],
)
def test_a_published_result_by_its_name(shown, tmp_path, model, profile, said):
    varied.published_result(of(profile, tmp_path), model)
    assert said in shown.notes[0]


def test_costs_leave_out_what_trained_nothing(shown):
    row = {"trainings": 4, "epochs": 12, "multiply_adds": 3.5e9}
    varied.costs({"sweep": row, "none": row | {"trainings": 0}})
    assert shown.tables["cost"].to_numpy().tolist() == [["sweep", 4, 12, 3.5]]


def test_trainings_with_new_seeds_show_their_range_and_further_scores(shown):
    varied.again(["base", "put together"], trainings(), "val_accuracy")
    table = by(shown.tables["again"], "setting")
    assert table.loc["put together", "validation accuracy: mean (range)"] == "0.710 (0.690–0.740)"
    assert table.columns.tolist()[1:] == ["validation AUC", "validation loss"]
    assert table.loc["base", "validation loss"] == pytest.approx(1.5)


def test_finalists_stand_with_what_they_scored_in_the_search_and_with_every_seed(shown):
    entered = pd.DataFrame(
        {"changes": [{"alpha": 0.1}, {"alpha": 0.3}], "search": "TPE", "seed": [5, 6], "number": [9, 4]}
    ).assign(score=[0.66, 0.65])
    varied.finals(entered, trainings(), "val_accuracy")
    table = by(shown.tables["finals"], "setting")
    assert table.loc["alpha 0.3", "search"] == "TPE"
    assert table["there"].tolist() == [0.66, 0.65]
    assert table["in the finals"].tolist()[1] == "0.710 (0.690–0.740)"
    assert "validation accuracy" in shown.captions["tbl-finals"]
    assert table[""].tolist() == ["", "chosen"]  # the better mean, though the other one led in the search


def test_winners_of_sweeps():
    best = {"title": "0.01", "mean": 0.71, "low": 0.69, "high": 0.74}
    found = varied.choices({"rates": {"best": best, "spread": {"sd": 0.02}}}, {"rates": "Learning rate"})
    assert found.to_numpy().tolist() == [["Learning rate", "0.01", "0.710 (0.690–0.740)", 0.02]]


def test_the_published_sweeps_of_the_studies_are_tables_of_this_kind(shown, tmp_path):
    settings = params.load("melanoma-cnn", "paper")
    for name in settings.published["sweeps"]:
        shown.tables.clear()
        varied.published_sweep(Run("melanoma-cnn", "paper", "sweep", settings, tmp_path), name)
        assert shown.tables["published"]["beyond chance"].tolist().count("best") == 1


def test_what_all_trainings_share_is_said(shown):
    varied.shared("control", {"filters": [8, 8], "recipe": {"epochs": 3}})
    varied.shared("control", {})
    assert shown.notes == ["All trainings change the experiment *control* alike: filters 8–8, epochs 3."]


@pytest.mark.parametrize(("activation", "idle"), [("tanh", True), ("leaky_relu", False)])
def test_a_slope_without_a_leaky_relu_is_said_to_have_no_part(shown, activation, idle):
    changes = {"activation": activation, "alpha": 0.05}
    varied.together(changes, setting(**changes))
    assert ("no part" in shown.notes[0]) == idle
    assert shown.notes[0].startswith("Put together: activation")
