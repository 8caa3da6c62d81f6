import time

import numpy as np
import pandas as pd
import pytest
from made_predictions import certain, made

from lesionbook import metrics, resampling, statistics
from lesionbook.errors import LesionbookError

pytestmark = pytest.mark.filterwarnings("error")


# Newcombe, Statistics in Medicine 17:857-872 (1998), table I, method 3.
@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_equals_newcombe(successes, n, low, high):
    interval = statistics.wilson(successes, n)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)
    assert interval.estimate == successes / n


def test_wilson_without_trials_and_with_nonsense():
    assert str(statistics.wilson(0, 0)) == "undefined"
    with pytest.raises(ValueError, match=r"must|not|larger"):
        statistics.wilson(3, 2)


def test_interval_as_text():
    interval = statistics.Interval(0.7129, 0.65, 0.76949, 100, 80)
    assert str(interval) == "0.713 (0.650–0.769)"
    assert f"{interval:.1%}" == "71.3% (65.0%–76.9%)"


def test_bootstrap_has_every_score_with_its_estimate():
    frame = made()
    table = statistics.bootstrap_scores(frame, repeats=50, seed=1)
    estimate = metrics.scores(frame)
    assert table.index.name == "score"
    pd.testing.assert_series_equal(table["estimate"], estimate, check_names=False)
    assert (table["low"] < table["high"]).all()
    assert (table["low"] < table["estimate"]).all()
    assert (table["estimate"] < table["high"]).all()
    assert table[["n_images", "n_groups"]].drop_duplicates().to_numpy().tolist() == [[240, 120]]
    assert statistics.Interval.of(table.loc["accuracy"]).n_groups == 120


def test_the_interval_of_the_calibration_error_lies_about_its_estimate():
    """A calibrated model has a small error; without the correction, resamples of it lie above it nearly all."""
    rng = np.random.default_rng(5)
    p = rng.uniform(0.5, 1, 2000)
    frame = pd.DataFrame({"image_id": [f"i{k}" for k in range(2000)], "split": "test", "p_a": p, "p_b": 1 - p})
    frame["group"], frame["label"] = frame["image_id"], np.where(rng.random(2000) < p, "a", "b")
    row = statistics.bootstrap_scores(frame, repeats=300, seed=2).loc["expected_calibration_error"]
    drawn = pd.concat([resampling.scores(frame, w) for w in resampling.group_weights(frame["group"], 300, 2)])[
        "expected_calibration_error"
    ]
    assert (drawn > row["estimate"]).mean() > 0.8
    assert row["high"] - row["estimate"] == pytest.approx(np.quantile(drawn, 0.975) - drawn.mean(), abs=0.002)
    assert 0 <= row["low"] < row["estimate"] < row["high"]


def test_same_seed_same_interval_whatever_the_order_of_rows():
    frame = made()
    first = statistics.bootstrap_scores(frame, repeats=40, seed=1)
    mixed = statistics.bootstrap_scores(frame.sample(frac=1, random_state=0), repeats=40, seed=1)
    pd.testing.assert_frame_equal(first, mixed)
    other = statistics.bootstrap_scores(frame, repeats=40, seed=2)
    assert not np.allclose(first["low"], other["low"])


def test_independent_images_give_the_normal_interval():
    frame = certain([[300, 100], [100, 300]], ["a", "b"])
    row = statistics.bootstrap_scores(frame, repeats=2000, seed=0).loc["accuracy"]
    reach = 1.96 * np.sqrt(0.75 * 0.25 / 800)
    assert (row["low"], row["high"]) == pytest.approx((0.75 - reach, 0.75 + reach), abs=0.004)


def test_copies_of_an_image_add_no_certainty():
    single = made(n=200, per_group=1)
    copies = pd.concat([single, single.assign(image_id=single["image_id"] + "b")], ignore_index=True)
    honest = statistics.bootstrap_scores(copies, repeats=1000, seed=0)
    plain = statistics.bootstrap_scores(single, repeats=1000, seed=0)
    # The same groups and the same seed draw the same resamples.
    pd.testing.assert_frame_equal(honest[["estimate", "low", "high"]], plain[["estimate", "low", "high"]])
    naive = statistics.bootstrap_scores(copies.assign(group=copies["image_id"]), repeats=1000, seed=0)
    width = (honest["high"] - honest["low"]) / (naive["high"] - naive["low"])
    for score in ["accuracy", "balanced_accuracy", "macro_auc", "log_loss", "brier"]:
        assert width[score] == pytest.approx(np.sqrt(2), abs=0.15)


def test_paired_differences_share_the_resamples():
    weak, strong = made(seed=0), made(seed=1, strength=3)
    mixed = strong.sample(frac=1, random_state=5)
    table = statistics.paired_differences({"weak": weak, "strong": mixed, "twin": weak}, repeats=200, seed=0)
    assert table[["model", "reference"]].drop_duplicates().to_numpy().tolist() == [
        ["strong", "weak"],
        ["twin", "weak"],
        ["twin", "strong"],
    ]
    better = table[(table["model"] == "strong") & (table["score"] == "accuracy")].iloc[0]
    expected = metrics.scores(strong)["accuracy"] - metrics.scores(weak)["accuracy"]
    assert better["difference"] == pytest.approx(expected)
    assert 0 < better["low"] < better["difference"] < better["high"]
    same = table[(table["model"] == "twin") & (table["reference"] == "weak")]
    assert (same[["difference", "low", "high"]] == 0).all(axis=None)  # unpaired resamples would differ


def test_paired_differences_from_a_reference():
    frames = {"a": made(seed=0), "b": made(seed=1), "c": made(seed=2)}
    table = statistics.paired_differences(frames, reference="b", repeats=20, seed=0)
    assert set(table["model"]) == {"a", "c"}
    assert set(table["reference"]) == {"b"}
    assert list(table["score"].unique()) == ["balanced_accuracy", "accuracy", "macro_auc"]


@pytest.mark.parametrize(
    ("frames", "reference", "words"),
    [
        ({"a": made(), "b": made().iloc[1:]}, None, "differ in image_id"),
        ({"a": made(), "b": made().assign(label="nv")}, None, "differ in label"),
        ({"a": made(), "b": made().assign(group="g")}, None, "differ in group"),
        ({"a": made(), "b": made()}, "c", "'c' is none of the models a, b"),
        ({"a": made()}, None, "two models"),
    ],
)
def test_paired_differences_refuse(frames, reference, words):
    with pytest.raises(LesionbookError, match=words):
        statistics.paired_differences(frames, reference=reference, repeats=5, seed=0)


def test_a_thousand_resamples_of_a_thousand_images_are_quick():
    frame = made(n=1000, classes=list("abcdefg"), decimals=6)
    start = time.process_time()
    statistics.bootstrap_scores(frame, seed=0)
    assert time.process_time() - start < 6


@pytest.mark.slow
def test_intervals_cover_the_truth():
    """Lesions differ in difficulty, so images of a lesion are right or wrong together: the true accuracy is 0.7."""
    covered = {"cluster": 0, "naive": 0}
    sets, groups, images = 200, 80, 4
    for number in range(sets):
        rng = np.random.default_rng(number)
        # Beta with mean 0.7 and intra-lesion correlation 1 / (1.4 + 0.6 + 1) = 1/3.
        right = rng.random((groups, images)) < rng.beta(1.4, 0.6, size=groups)[:, None]
        label = rng.integers(0, 2, size=groups)[:, None] * np.ones(images, dtype=int)
        chosen = np.where(right, label, 1 - label).ravel()
        frame = pd.DataFrame({"label": np.array(["a", "b"])[label.ravel()], "split": "test"})
        frame["group"] = np.repeat(np.arange(groups), images).astype(str)
        frame["image_id"] = np.arange(len(frame)).astype(str)
        frame = frame.assign(p_a=np.where(chosen == 0, 0.8, 0.2), p_b=np.where(chosen == 1, 0.8, 0.2))
        for kind in covered:
            drawn = frame if kind == "cluster" else frame.assign(group=frame["image_id"])
            row = statistics.bootstrap_scores(drawn, repeats=200, seed=number).loc["accuracy"]
            covered[kind] += row["low"] <= 0.7 <= row["high"]
    assert 0.90 <= covered["cluster"] / sets <= 0.98
    assert covered["naive"] / sets < 0.88  # counts twice the information that there is
