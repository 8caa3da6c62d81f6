import numpy as np
import pandas as pd
import pytest
from made_predictions import CLASSES, certain, made
from sklearn import metrics as reference

from lesionbook import calibration, metrics, predictions
from lesionbook.errors import LesionbookError

pytestmark = pytest.mark.filterwarnings("error")

# Crosstab and report as printed in Ramesh 2022 (ResNet50V2): an independent computation from the same counts.
PUBLISHED_CLASSES = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
PUBLISHED_CROSSTAB = [
    [2, 1, 3, 0, 5, 20, 1],
    [4, 1, 10, 0, 10, 26, 0],
    [5, 8, 17, 0, 20, 56, 3],
    [1, 0, 0, 0, 1, 9, 0],
    [5, 6, 11, 1, 17, 69, 2],
    [19, 46, 92, 9, 114, 379, 11],
    [0, 3, 0, 0, 1, 10, 0],
]
PUBLISHED_REPORT = {
    "akiec": (0.06, 0.06, 0.06, 32),
    "bcc": (0.02, 0.02, 0.02, 51),
    "bkl": (0.13, 0.16, 0.14, 109),
    "df": (0.00, 0.00, 0.00, 11),
    "mel": (0.10, 0.15, 0.12, 111),
    "nv": (0.67, 0.57, 0.61, 670),
    "vasc": (0.00, 0.00, 0.00, 14),
}


def test_published_crosstab_gives_the_published_report():
    frame = certain(PUBLISHED_CROSSTAB, PUBLISHED_CLASSES)
    matrix = metrics.confusion_matrix(frame)
    assert matrix.to_numpy().tolist() == PUBLISHED_CROSSTAB
    assert (matrix.index.name, matrix.columns.name) == ("actual", "predicted")
    table = metrics.per_class(frame)
    for name, numbers in PUBLISHED_REPORT.items():
        computed = table.loc[name, ["precision", "recall", "f1", "support"]].to_numpy()
        assert computed == pytest.approx(numbers, abs=0.005)
    scores = metrics.scores(frame)
    assert scores["accuracy"] == pytest.approx(416 / 998)
    assert scores["macro_f1"] == pytest.approx(0.14, abs=0.005)
    assert scores["weighted_f1"] == pytest.approx(0.44, abs=0.005)


def test_scores_equal_scikit_learn():
    frame = made()
    truth, values, guess = frame["label"], predictions.probabilities(frame), predictions.predicted(frame)
    scores = metrics.scores(frame)
    assert scores["accuracy"] == pytest.approx(reference.accuracy_score(truth, guess))
    assert scores["balanced_accuracy"] == pytest.approx(reference.balanced_accuracy_score(truth, guess))
    assert scores["macro_f1"] == pytest.approx(reference.f1_score(truth, guess, average="macro"))
    assert scores["weighted_f1"] == pytest.approx(reference.f1_score(truth, guess, average="weighted"))
    assert scores["macro_auc"] == pytest.approx(reference.roc_auc_score(truth, values, multi_class="ovr"))
    ranked = reference.average_precision_score(np.array(CLASSES) == truth.to_numpy()[:, None], values)
    assert scores["macro_average_precision"] == pytest.approx(ranked)
    assert scores["log_loss"] == pytest.approx(reference.log_loss(truth, values, labels=CLASSES))


def test_per_class_by_hand():
    #            predicted a b   (actual rows)
    frame = certain([[3, 1], [2, 4]], ["a", "b"])
    table = metrics.per_class(frame)
    assert table.index.name == "class"
    row = table.loc["a"]
    assert row["precision"] == pytest.approx(3 / 5)
    assert row["recall"] == pytest.approx(3 / 4)
    assert row["specificity"] == pytest.approx(4 / 6)
    assert row["support"] == 4
    assert row["auc"] == pytest.approx((3 / 4 + 4 / 6) / 2)  # of one threshold
    assert table.loc["b", "recall"] == pytest.approx(row["specificity"])


def test_calibration_by_hand():
    frame = pd.DataFrame(
        {
            "image_id": list("abcd"),
            "group": list("abcd"),
            "split": "test",
            "label": ["x", "y", "x", "x"],
            "p_x": [0.9, 0.9, 0.6, 0.3],
            "p_y": [0.1, 0.1, 0.4, 0.7],
        }
    )
    scores = metrics.scores(frame)
    # Confidences 0.9, 0.9, 0.6, 0.7; right, wrong, right, wrong; each value in a bin of its own.
    assert scores["expected_calibration_error"] == pytest.approx((2 * 0.4 + 0.4 + 0.7) / 4)
    assert scores["brier"] == pytest.approx(2 * (0.01 + 0.81 + 0.16 + 0.49) / 4)
    table = calibration.reliability(frame, bins=2)
    assert table["n"].tolist() == [0, 4]
    assert table.loc[1, "mean_confidence"] == pytest.approx(0.775)
    assert table.loc[1, "accuracy"] == pytest.approx(0.5)
    assert table.loc[1, "low"] == pytest.approx(1 - table.loc[1, "high"])
    assert table.loc[0, ["mean_confidence", "accuracy", "low", "high"]].isna().all()


def test_bins_close_at_their_upper_end():
    assert metrics.bin_numbers(np.array([0.0, 0.1, 0.1001, 0.95, 1.0]), 10).tolist() == [0, 0, 1, 9, 9]


def test_a_probability_stored_as_zero_costs_no_more_than_the_file_resolves():
    frame = certain([[0, 1], [0, 1]], ["a", "b"])
    assert metrics.scores(frame)["log_loss"] == pytest.approx(-np.log(5e-7) / 2)


def test_absent_class_is_undefined_and_left_out_of_means():
    frame = made()
    with_absent = frame.assign(p_zzz=0.0)
    table = metrics.per_class(with_absent)
    assert table.loc["zzz", ["auc", "average_precision"]].isna().all()
    assert table.loc["zzz", ["precision", "recall", "f1", "support"]].tolist() == [0, 0, 0, 0]
    pd.testing.assert_series_equal(metrics.scores(with_absent), metrics.scores(frame))
    assert set(metrics.roc_curves(with_absent)["class"]) == set(CLASSES)


def test_only_one_class():
    frame = made()
    frame = frame[frame["label"] == "nv"]
    assert np.isnan(metrics.per_class(frame).loc["nv", "auc"])
    assert np.isnan(metrics.scores(frame)["macro_auc"])
    assert metrics.scores(frame)["balanced_accuracy"] == metrics.scores(frame)["accuracy"]
    assert metrics.roc_curves(frame).empty
    assert metrics.per_class(frame).loc["nv", "specificity"] == 0


def test_order_of_rows_does_not_matter():
    frame = made()
    mixed = frame.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(metrics.scores(mixed), metrics.scores(frame))
    pd.testing.assert_frame_equal(metrics.confusion_matrix(mixed), metrics.confusion_matrix(frame))


def test_curves_enclose_the_areas():
    frame = made()
    table = metrics.per_class(frame)
    for name, curve in metrics.roc_curves(frame).groupby("class"):
        area = np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
        assert area == pytest.approx(table.loc[name, "auc"])
    for name, curve in metrics.precision_recall_curves(frame).groupby("class"):
        assert curve["recall"].is_monotonic_increasing
        area = (np.diff(curve["recall"]) * curve["precision"].to_numpy()[1:]).sum()
        # Points between two corners of the staircase are dropped, which moves the area a little.
        assert area == pytest.approx(table.loc[name, "average_precision"], abs=0.01)


def test_most_confident_mistakes():
    frame = made()
    table = metrics.most_confident_mistakes(frame, 5)
    assert list(table.columns) == ["image_id", "label", "predicted", "probability"]
    assert len(table) == 5
    assert (table["label"] != table["predicted"]).all()
    assert table["probability"].is_monotonic_decreasing
    images = metrics.per_image(frame)
    assert table.loc[0, "probability"] == images.loc[~images["correct"], "confidence"].max()
    assert metrics.most_confident_mistakes(certain([[2, 0], [0, 2]], ["a", "b"]), 3).empty


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda frame: frame.head(0), "no rows"),
        (lambda frame: frame.assign(split=["val", *frame["split"].iloc[1:]]), "mixes the splits test, val"),
        (lambda frame: frame.assign(label="unheard"), "'unheard' is none of"),
    ],
)
@pytest.mark.parametrize(
    "function", [metrics.scores, metrics.confusion_matrix, metrics.roc_curves, calibration.reliability]
)
def test_refuses(change, words, function):
    with pytest.raises(LesionbookError, match=words):
        function(change(made()))
