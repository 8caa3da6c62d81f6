import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lesionbook import leakage, leakage_results


def results(gains, *, training=0.9):
    """Accuracies of a model in repetitions of both splits, the one by image better by the gains."""
    rows = []
    for repetition, gain in enumerate(gains):
        for split, score in ((leakage.CLEAN, 0.6), (leakage.LEAKY, 0.6 + gain)):
            scores = dict.fromkeys(leakage_results.SCORES, score) | {"accuracy_alone": np.nan}
            rows.append({"repetition": repetition, "split": split, "training": training} | scores)
    return pd.DataFrame(rows)


@pytest.fixture
def both():
    sure, unsure = results([0.1, 0.2, 0.3]), results([0.1, -0.2, 0.1], training=0.62)
    return pd.concat([sure.assign(model="forest"), unsure.assign(model="regression")], ignore_index=True)


def test_differences_are_those_of_the_repetitions(both):
    worth = leakage_results.differences(both, ratio=1 / 9).set_index(["model", "score"])
    found = worth.loc[("forest", "accuracy")]
    assert found[[leakage.CLEAN, leakage.LEAKY, "difference"]].tolist() == pytest.approx([0.6, 0.8, 0.2])
    expected = leakage_results.interval(np.array([0.1, 0.2, 0.3]), ratio=1 / 9)
    assert found[["difference", "low", "high"]].tolist() == pytest.approx(expected)
    assert worth.loc[("regression", "accuracy"), "difference"] == pytest.approx(0)


def test_without_shared_images_the_interval_is_that_of_a_mean():
    values = np.array([0.1, 0.3, 0.2, 0.25, np.nan])
    known = values[:4]
    expected = stats.t.interval(0.95, 3, known.mean(), stats.sem(known))
    assert leakage_results.interval(values, ratio=0)[1:] == pytest.approx(expected)


def test_the_corrected_interval_is_that_of_nadeau_and_bengio():
    """By hand: mean 0.2, s² = 0.01, R = 3, n_test/n_train = 1/9; t(0.975, 2) = 4.302653."""
    estimate, low, high = leakage_results.interval(np.array([0.1, 0.2, 0.3]), ratio=1 / 9)
    assert estimate == pytest.approx(0.2)
    assert high - estimate == pytest.approx(4.302653 * np.sqrt(0.01 * (1 / 3 + 1 / 9)), rel=1e-6)
    assert low == pytest.approx(2 * estimate - high)
    assert np.isnan(leakage_results.interval(np.array([0.1]), ratio=0)[1])


def test_memory_is_how_far_training_images_are_ahead_under_the_split_by_group(both):
    found = leakage_results.memory(both).set_index("model")
    assert found["ahead by"].tolist() == pytest.approx([0.3, 0.02])
    assert found["splits"].tolist() == [3, 3]
    assert leakage_results.remembering(found.reset_index()) == (
        "The forest clearly answered training images better than others; the regression kept too little of single "
        "training images (less than 0.05 ahead) for a leak to be worth much there."
    )


def test_only_a_gain_whose_interval_lies_above_zero_is_called_one(both):
    worth = leakage_results.differences(both, ratio=0).assign(low=-0.1)
    assert leakage_results.sentence(worth) == (
        "For the forest and the regression no gain over all test images can be told from zero with these images and "
        "repetitions. Among images with siblings in the data, a gain can be told for no model."
    )
    worth.loc[(worth["model"] == "forest") & (worth["score"] == "balanced_accuracy"), "low"] = 0.01
    worth.loc[worth["score"] == "accuracy_several", "low"] = 0.01
    assert leakage_results.sentence(worth) == (
        "The split by image makes the forest look better than chance explains; for the regression no gain over all "
        "test images can be told from zero with these images and repetitions. Among images with siblings in the data, "
        "a gain can be told for the forest and the regression."
    )


def test_names_are_joined_as_one_would_say_them():
    assert leakage_results.listed(["one"]) == "one"
    assert leakage_results.listed(["one", "other"]) == "one and the other"
    assert leakage_results.listed(["one", "other", "third"]) == "one, the other and the third"


def test_a_score_that_no_image_has_is_left_blank(both):
    worth = leakage_results.differences(both, ratio=0)
    shown = leakage_results.shown(worth)
    assert (shown["too good by (95 %)"].isna() == worth["score"].eq("accuracy_alone")).all()
    assert shown.loc[0, "too good by (95 %)"] == "+0.200 (−0.048 to +0.448)"
    drawn = leakage_results.drawn(worth)
    assert len(drawn) == 6
    assert drawn["estimate"].tolist() == pytest.approx([0.2] * 3 + [0.0] * 3)
