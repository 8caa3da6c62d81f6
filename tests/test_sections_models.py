import numpy as np
import pandas as pd
import pytest
from caught_report import caught, parts
from section_run import CLASSES, DRAWING, by, frames, labels, two_classes
from sklearn import metrics as sklearn_metrics

from lesionbook import calibration, metrics, predictions, seeds, statistics
from lesionbook.sections import models

TEST, VALIDATION = frames(), frames(seed=9, split="val")
NO_SEEDS = seeds.scores({})


@pytest.fixture
def shown(monkeypatch):
    return caught(monkeypatch)


def scored(test):
    found = {model: statistics.bootstrap_scores(frame, **DRAWING) for model, frame in test.items()}
    return pd.concat(found, names=["model"])


def test_scores_are_those_of_scikit_learn_with_their_intervals(shown, tmp_path):
    table = scored(TEST)
    models.scores(two_classes(tmp_path), table, TEST, NO_SEEDS)
    truth, guess = TEST["strong"]["label"], predictions.predicted(TEST["strong"])
    row = by(shown.tables["scores"], "model").loc["strong"]
    assert parts(row["accuracy"])[0] == pytest.approx(sklearn_metrics.accuracy_score(truth, guess), abs=5e-4)
    balanced = sklearn_metrics.balanced_accuracy_score(truth, guess)
    assert parts(row["balanced accuracy"])[0] == pytest.approx(balanced, abs=5e-4)
    ends = table.loc[("strong", "balanced_accuracy"), ["low", "high"]].tolist()
    assert parts(row["balanced accuracy"])[1:] == pytest.approx(ends, abs=5e-4)
    weighted = sklearn_metrics.f1_score(truth, guess, average="weighted")
    assert parts(row["weighted F1"])[0] == pytest.approx(weighted, abs=5e-4)
    loss = sklearn_metrics.log_loss(truth, TEST["strong"][["p_benign", "p_malignant"]], labels=CLASSES)
    assert parts(by(shown.tables["probabilities"], "model").loc["strong", "log loss"])[0] == pytest.approx(
        loss, abs=5e-4
    )
    assert shown.tables["scores"]["model"].tolist() == ["weak", "strong"]
    assert "120 images of 60 groups" in shown.captions["tbl-scores"]


def test_one_seed_is_said_to_be_one(shown, tmp_path):
    models.scores(two_classes(tmp_path), scored(TEST), TEST, NO_SEEDS)
    assert "seeds" not in shown.tables
    assert any("one training is compared here" in note for note in shown.notes)
    assert "Hollow points" not in shown.captions["fig-scores"]


def test_several_seeds_are_points_beside_the_interval_and_a_range(shown, tmp_path):
    others = {seed: frames(seed=10 * seed)["weak"] for seed in (2, 3)}
    trainings = seeds.scores({"weak": {1: TEST["weak"]} | others, "strong": {1: TEST["strong"]}})
    models.scores(two_classes(tmp_path), scored(TEST), TEST, trainings)
    wanted = {
        seed: sklearn_metrics.balanced_accuracy_score(frame["label"], predictions.predicted(frame))
        for seed, frame in ({1: TEST["weak"]} | others).items()
    }
    drawn = [line for line in shown.figures["scores"].axes[0].lines if line.get_label() == "_seed"]
    points = [x for line in drawn for x in line.get_xdata()]
    assert len(points) == 4  # two seeds, two scores
    assert points[:2] == pytest.approx([wanted[2], wanted[3]])
    row = by(shown.tables["seeds"], "model")
    assert row.index.tolist() == ["weak"]
    assert row.loc["weak", "seeds"] == 3
    values = list(wanted.values())
    expected = [np.mean(values), min(values), max(values)]
    assert parts(row.loc["weak", "balanced accuracy"]) == pytest.approx(expected, abs=5e-4)
    assert "cover the choice of test images and not this" in shown.captions["tbl-seeds"]


def test_each_class_has_its_scores_and_its_numbers(shown, tmp_path):
    run = two_classes(tmp_path)
    table = models.classes(run, TEST, "strong", **DRAWING)
    truth, guess = TEST["strong"]["label"], predictions.predicted(TEST["strong"])
    row = by(shown.tables["classes"], "class").loc["Malignant"]
    kept = {"labels": ["malignant"], "average": None}
    assert parts(row["recall"])[0] == pytest.approx(sklearn_metrics.recall_score(truth, guess, **kept)[0], abs=5e-3)
    assert parts(row["precision"])[0] == pytest.approx(
        sklearn_metrics.precision_score(truth, guess, **kept)[0], abs=5e-3
    )
    count = labels(TEST["strong"]).sum()
    assert row["images / groups"] == f"{count} / {count // 2}"
    ranked = by(shown.tables["class-ranking"], "class").loc["Malignant"]
    score = TEST["strong"]["p_malignant"]
    assert parts(ranked["AUC"])[0] == pytest.approx(
        sklearn_metrics.roc_auc_score(labels(TEST["strong"]), score), abs=5e-4
    )
    assert parts(ranked["specificity"])[0] == pytest.approx(
        sklearn_metrics.recall_score(truth, guess, labels=["benign"], average=None)[0], abs=5e-4
    )
    assert set(table["model"]) == {"weak", "strong"}
    assert "the same area for both" in shown.captions["fig-areas"]


def test_images_that_are_groups_of_their_own_are_counted_once(shown, tmp_path):
    models.classes(two_classes(tmp_path), frames(per_group=1), "strong", **DRAWING)
    assert shown.tables["classes"].columns.tolist() == ["class", "images", "precision", "recall", "F1"]


def test_calibration_before_and_after(shown, tmp_path):
    found = models.calibration(two_classes(tmp_path), VALIDATION, TEST, **DRAWING)
    assert found == {model: calibration.temperature(VALIDATION[model]) for model in TEST}
    scaled = calibration.scaled(TEST["weak"], found["weak"])
    for label, name, score in (("temperatures", "log loss", "log_loss"), ("brier", "Brier score", "brier")):
        row = by(shown.tables[label], "model").loc["weak"]
        assert parts(row[f"{name} before"])[0] == pytest.approx(metrics.scores(TEST["weak"])[score], abs=5e-4)
        assert parts(row[f"{name} after"])[0] == pytest.approx(metrics.scores(scaled)[score], abs=5e-4)
    assert by(shown.tables["temperatures"], "model").loc["weak", "temperature"] == f"{found['weak']:.2f}"
    row = by(shown.tables["calibration"], "model").loc["weak"]
    for when, frame in (("before", TEST["weak"]), ("after", scaled)):
        assert row[f"ECE {when}"] == f"{metrics.scores(frame)['expected_calibration_error']:.3f}"
    perfect = calibration.error_if_calibrated(scaled, **DRAWING)
    assert parts(row["ECE if calibrated (95 %)"]) == pytest.approx(perfect, abs=5e-4)
    assert len(shown.figures["reliability"].axes) >= 2


def test_everything_is_shown_of_a_single_model(shown, tmp_path):
    run, one = two_classes(tmp_path), {"strong": TEST["strong"]}
    models.scores(run, scored(one), one, NO_SEEDS)
    models.classes(run, one, "strong", **DRAWING)
    models.calibration(run, {"strong": VALIDATION["strong"]}, one, **DRAWING)
    for label in ("scores", "means", "probabilities", "temperatures", "calibration", "brier"):
        assert shown.tables[label]["model"].tolist() == ["strong"], label
    assert {"scores", "recalls", "areas", "reliability"} == set(shown.figures)
