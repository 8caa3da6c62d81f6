import numpy as np
import pandas as pd
import pytest
from made_predictions import certain, made

from lesionbook import calibration, metrics, predictions, statistics

pytestmark = pytest.mark.filterwarnings("error")


def sure(confidence, right, wrong):
    """Two classes; every answer has the same confidence."""
    frame = certain([[right, wrong], [wrong, right]], ["a", "b"])
    return frame.assign(
        p_a=np.where(frame["p_a"] == 1, confidence, 1 - confidence),
        p_b=np.where(frame["p_b"] == 1, confidence, 1 - confidence),
    )


def test_temperature_by_hand():
    # Answers of 90 % confidence are right in 75 %: ln(0.9 / 0.1) / T = ln(0.75 / 0.25), so T = ln 9 / ln 3 = 2.
    frame = sure(0.9, 75, 25)
    assert calibration.temperature(frame) == pytest.approx(2, abs=1e-4)
    after = calibration.scaled(frame, 2.0)
    assert predictions.probabilities(after).max(axis=1) == pytest.approx(0.75)
    assert metrics.scores(after)["expected_calibration_error"] == pytest.approx(0, abs=1e-9)
    assert metrics.scores(after)["accuracy"] == metrics.scores(frame)["accuracy"]


def test_temperature_finds_what_was_done_to_the_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2, size=(20_000, 3))
    true = np.exp(logits / 1.7)
    true /= true.sum(axis=1, keepdims=True)
    labels = (true.cumsum(axis=1) < rng.random((len(true), 1))).sum(axis=1)
    index = pd.DataFrame({"image_id": np.arange(len(true)).astype(str), "split": "val"})
    index = index.assign(group=index["image_id"], label=np.array(["a", "b", "c"])[labels])
    values = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert calibration.temperature(predictions.table(index, values, ["a", "b", "c"])) == pytest.approx(1.7, abs=0.06)


def test_temperature_one_changes_nothing():
    frame = made(decimals=6)
    np.testing.assert_allclose(
        predictions.probabilities(calibration.scaled(frame, 1.0)), predictions.probabilities(frame), atol=1e-9
    )


def test_a_model_without_a_mistake_cannot_be_sure_enough():
    assert calibration.temperature(sure(0.9, 50, 0)) < 0.15
    assert calibration.temperature(certain([[5, 0], [0, 5]], ["a", "b"])) == 1  # it is already


def test_before_and_after_judge_the_test_images():
    validation, test = sure(0.9, 75, 25), sure(0.9, 70, 30)
    found, table = calibration.before_and_after(validation, test, repeats=50, seed=0)
    assert found == pytest.approx(2, abs=1e-4)
    assert table.loc[("before", "expected_calibration_error"), "estimate"] == pytest.approx(0.2)
    assert table.loc[("after", "expected_calibration_error"), "estimate"] == pytest.approx(0.05, abs=1e-4)
    expected = statistics.bootstrap_scores(test, repeats=50, seed=0).loc["log_loss"]
    assert table.loc[("before", "log_loss")].tolist() == pytest.approx(expected.tolist())


def test_reliability_draws_whole_groups():
    single = made(n=300, per_group=1)
    copies = pd.concat([single, single.assign(image_id=single["image_id"] + "b")], ignore_index=True)
    one, two = (calibration.reliability_by_group(frame, bins=5, repeats=300, seed=0) for frame in (single, copies))
    plain = calibration.reliability(copies, bins=5)
    pd.testing.assert_frame_equal(one[["low", "high", "n_groups"]], two[["low", "high", "n_groups"]])
    full = plain.index[(plain["n"] > 60) & plain["accuracy"].between(0.05, 0.95)]
    assert len(full) >= 2
    naive = (plain["high"] - plain["low"])[full]
    assert ((two["high"] - two["low"])[full] / naive).mean() == pytest.approx(np.sqrt(2), abs=0.15)


def test_reliability_of_bins_without_mistakes():
    table = calibration.reliability_by_group(certain([[20, 0], [0, 0]], ["a", "b"]), bins=2, repeats=20, seed=0)
    assert table.loc[1, "low"] == pytest.approx(statistics.wilson(20, 20).low)
    assert table.loc[0, ["accuracy", "low", "high"]].isna().all()
    assert table.loc[0, ["n", "n_groups"]].tolist() == [0, 0]


def uniform(n, seed=0):
    """Two classes, confidences between 0.5 and 1, answers right as often as these say."""
    rng = np.random.default_rng(seed)
    confidence = rng.uniform(0.5, 1, n)
    right = rng.random(n) < confidence
    index = pd.DataFrame({"image_id": np.arange(n).astype(str), "split": "test", "label": np.where(right, "a", "b")})
    index = index.assign(group=index["image_id"])
    return predictions.table(index, np.column_stack([confidence, 1 - confidence]), ["a", "b"])


def test_the_error_of_a_calibrated_model_by_hand():
    # All confidences 0.9: the error is |0.9 - share of right answers|, whose mean is sqrt(2 / pi) deviations.
    found, low, high = calibration.error_if_calibrated(sure(0.9, 200, 200), repeats=4000, seed=0)
    deviation = np.sqrt(0.9 * 0.1 / 800)
    assert found == pytest.approx(np.sqrt(2 / np.pi) * deviation, rel=0.05)
    assert high == pytest.approx(2.24 * deviation, rel=0.08)  # 97.5 % of the absolute value of a normal one
    assert 0 <= low < found < high


def test_the_error_of_a_calibrated_model_is_that_of_many_calibrated_ones():
    seen = [metrics.scores(uniform(150, seed=seed))["expected_calibration_error"] for seed in range(300)]
    found, low, high = calibration.error_if_calibrated(uniform(150), repeats=1000, seed=1)
    assert found == pytest.approx(np.mean(seen), rel=0.1)
    assert np.mean([low <= value <= high for value in seen]) == pytest.approx(0.95, abs=0.04)


def test_images_that_are_right_together_miss_their_confidence_by_more():
    alone = sure(0.9, 200, 200)
    together = alone.assign(group=(np.arange(len(alone)) // 5).astype(str))
    found = [calibration.error_if_calibrated(one, repeats=2000, seed=1)[0] for one in (alone, together)]
    assert found[1] / found[0] == pytest.approx(np.sqrt(5), rel=0.05)
