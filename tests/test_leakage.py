import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lesionbook import leakage


def made(lesions=60, per_lesion=3, classes=3, seed=0):
    """Images whose pixels say much of their lesion and nothing of their class."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(lesions), per_lesion)
    labels = np.array(["a", "b", "c"])[:classes][rng.integers(0, classes, lesions)][groups]
    values = rng.normal(size=(lesions, 8))[groups] + 0.05 * rng.normal(size=(len(groups), 8))
    index = pd.DataFrame({"label": labels, "group": [f"g{group}" for group in groups]})
    return index, {"colours": values, "thumbnails": values, "both": values}


def test_a_split_by_image_keeps_the_sizes_and_mixes_the_groups():
    index, _ = made()
    groups = pd.factorize(index["group"])[0]
    clean = leakage.splits.by_group(index["label"], groups, (0.6, 0.2, 0.2), seed=1)
    leaky = leakage.by_image(clean, index["label"], seed=1)
    counts = [pd.crosstab(index["label"].to_numpy(), sides) for sides in (clean, leaky)]
    assert counts[0].equals(counts[1])
    assert np.isin(groups[leaky == "test"], groups[leaky == "train"]).mean() > 0.5
    assert not np.isin(groups[clean == "test"], groups[clean == "train"]).any()
    assert (leaky == leakage.by_image(clean, index["label"], seed=1)).all()


def test_a_model_that_remembers_gains_by_a_split_by_image_and_one_that_cannot_does_not():
    index, given = made()
    results = leakage.compare_splits(index, given, fractions=(0.6, 0.2, 0.2), repetitions=6, seed=1)
    assert len(results) == 6 * 2 * 3
    siblings = results.groupby("split")["siblings"].max()
    assert siblings[leakage.CLEAN] == 0
    assert siblings[leakage.LEAKY] > 0.5
    worth = leakage.differences(results, ratio=1 / 3).set_index(["model", "score"])
    nearest = worth.loc[("nearest neighbour", "accuracy")]
    assert nearest["low"] > 0.2
    assert nearest["by group"] < 0.55  # nothing is to be learned
    linear = worth.loc[("logistic regression", "accuracy")]
    assert abs(linear["difference"]) < nearest["difference"] / 2
    assert (
        worth.loc[("nearest neighbour", "accuracy_alone"), "difference"]
        != worth.loc[("nearest neighbour", "accuracy_alone"), "difference"]
    ), "no image stands alone here"
    said = leakage.sentence(worth.reset_index())
    assert "the nearest neighbour" in said.partition("look better")[0] or "nearest neighbour" in said.partition(";")[0]
    shown = leakage.shown(worth.reset_index())
    assert shown.loc[shown["score"] == "accuracy, images that stand alone", "too good by (95 %)"].isna().all()
    assert len(leakage.drawn(worth.reset_index())) == 9


def test_two_runs_are_the_same():
    index, given = made(lesions=30)
    one, two = (
        leakage.compare_splits(index, given, fractions=(0.6, 0.2, 0.2), repetitions=2, seed=3) for _ in range(2)
    )
    assert one.equals(two)


def test_without_shared_images_the_interval_is_that_of_a_mean():
    values = np.array([0.1, 0.3, 0.2, 0.25, np.nan])
    known = values[:4]
    expected = stats.t.interval(0.95, 3, known.mean(), stats.sem(known))
    assert leakage.interval(values, ratio=0)[1:] == pytest.approx(expected)


def test_the_corrected_interval_is_that_of_nadeau_and_bengio():
    """By hand: mean 0.2, s² = 0.01, R = 3, n_test/n_train = 1/9; t(0.975, 2) = 4.302653."""
    estimate, low, high = leakage.interval(np.array([0.1, 0.2, 0.3]), ratio=1 / 9)
    assert estimate == pytest.approx(0.2)
    assert high - estimate == pytest.approx(4.302653 * np.sqrt(0.01 * (1 / 3 + 1 / 9)), rel=1e-6)
    assert low == pytest.approx(2 * estimate - high)
    assert np.isnan(leakage.interval(np.array([0.1]), ratio=0)[1])
