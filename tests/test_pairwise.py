from itertools import product

import numpy as np
import pandas as pd
import pytest
from made_predictions import certain, made
from scipy.stats import binomtest

from lesionbook import pairwise, statistics

pytestmark = pytest.mark.filterwarnings("error")


def answers(right, groups=None):
    """Predictions of one class out of two that are right where told."""
    frame = certain([[int(sum(right)), int(len(right) - sum(right))], [0, 0]], ["a", "b"])
    frame = frame.sort_values("p_a", ascending=False).reset_index(drop=True)
    order = np.argsort(~np.asarray(right, dtype=bool), kind="stable")
    names = np.arange(len(right)) if groups is None else np.asarray(groups)
    return frame.assign(image_id=[f"i{k:04d}" for k in order], group=names[order].astype(str))


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04: times 4, 3, 2, 1, never falling.
    p = pd.Series([0.04, 0.01, np.nan, 0.03, 0.02])
    assert pairwise.holm(p).tolist() == pytest.approx([0.06, 0.04, np.nan, 0.06, 0.06], nan_ok=True)


def test_mcnemar_of_approval_ratings():
    # Agresti, "Categorical Data Analysis" (2002), section 10.1: 150 and 86 changed their mind; z² = 17.36 without, and
    # (|150 - 86| - 1)² / 236 = 16.82 with continuity correction, as R's mcnemar.test prints it (p = 4.115e-05).
    assert pairwise.mcnemar(150, 86) == pytest.approx(4.115e-05, rel=1e-3)


def test_mcnemar_is_exact_where_small():
    assert pairwise.mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)
    assert pairwise.mcnemar(14, 10) == pytest.approx(binomtest(10, 24).pvalue)
    assert pairwise.mcnemar(0, 0) == 1


def test_swapping_single_images_is_the_exact_mcnemar():
    gains = np.r_[np.ones(3), -np.ones(12), np.zeros(50)].astype(int)
    assert pairwise.swapping(gains) == pytest.approx(binomtest(3, 15).pvalue)
    assert pairwise.swapping(np.zeros(5, dtype=int)) == 1


def test_swapping_counts_all_ways():
    gains = np.array([3, -1, 2, 2, 0, 1])
    totals = [abs(np.dot(signs, np.abs(gains))) for signs in product([-1, 1], repeat=len(gains))]
    expected = np.mean(np.array(totals) >= abs(gains.sum()))
    assert pairwise.swapping(gains) == pytest.approx(expected)


def test_images_that_mcnemar_needs():
    # Chow, Shao and Wang, "Sample Size Calculations in Clinical Research" (2008), McNemar's test: 59 pairs for shares
    # of 0.5 and 0.2 at 5 % and 80 %.
    assert np.ceil(pairwise.connor(0.5, 0.2)) == 59
    assert pairwise.connor(0.2, 0.5) == pairwise.connor(0.5, 0.2)
    assert pairwise.connor(0.1, 0.1) == np.inf


def test_images_that_a_difference_needs():
    # A z test has 80 % power where the difference is 2.802 standard deviations (Cohen 1988).
    assert pairwise.images_for(2.8016, 1.0, 100) == pytest.approx(100, rel=1e-3)
    assert pairwise.images_for(1.4008, 1.0, 100) == pytest.approx(400, rel=1e-3)
    assert pairwise.images_for(0.0, 1.0, 100) == np.inf


def test_the_needed_number_gives_the_power():
    rng = np.random.default_rng(0)
    first, second = 0.15, 0.09
    n = int(np.ceil(pairwise.connor(first, second)))
    counts = rng.multinomial(n, [first, second, 1 - first - second], size=4000)
    z = (counts[:, 0] - counts[:, 1]) / np.sqrt(counts[:, 0] + counts[:, 1])
    assert (np.abs(z) > 1.96).mean() == pytest.approx(0.8, abs=0.025)


@pytest.mark.parametrize(
    ("images", "words"),
    [(3412.2, "3,500"), (87.4, "88"), (np.inf, ">1,000,000"), (2e6, ">1,000,000")],
)
def test_needed_images_are_rounded(images, words):
    assert pairwise.rounded(images) == words


def test_sentence_with_a_number():
    row = pd.Series({"model": "a", "reference": "b", "verdict": "not told apart", "images_needed": 3412.2})
    assert pairwise.sentence(row) == "a and b are not told apart by this test set; about 3,500 images would be needed."


def test_differences_are_judged():
    frames = {"weak": made(seed=0), "twin": made(seed=0), "strong": made(seed=1, strength=4)}
    table = pairwise.judged(statistics.paired_differences(frames, repeats=200, seed=0))
    kept = table[table["score"] == "accuracy"].set_index(["model", "reference"])
    assert kept["verdict"].to_dict() == {
        ("twin", "weak"): "not told apart",
        ("strong", "weak"): "better",
        ("strong", "twin"): "better",
    }
    assert kept.loc[("twin", "weak"), ["p", "p_holm"]].tolist() == [1, 1]
    assert (kept["p_holm"] >= kept["p"]).all()
    row = kept.loc["strong", "weak"]
    # The normal interval of that p value is about the interval of the resamples.
    assert row["difference"] - 1.96 * row["deviation"] == pytest.approx(row["low"], abs=0.02)
    assert pairwise.sentence(kept.reset_index().iloc[1]) == "strong is better than weak on this test set."
    assert pairwise.sentence(kept.reset_index().iloc[0]) == (
        "twin and weak are not told apart by this test set; more than a million images would be needed."
    )


def test_accuracies_by_hand():
    first = answers([1] * 20 + [0] * 10)
    second = answers([0] * 9 + [1] * 11 + [1] * 1 + [0] * 9)
    row = pairwise.accuracies({"first": first, "second": second}).iloc[0]
    assert (row["model"], row["only_model"], row["only_reference"]) == ("second", 1, 9)
    assert row["difference"] == pytest.approx(-8 / 30)
    assert row["p_mcnemar"] == row["p"] == pytest.approx(2 * 11 / 1024)
    assert row["verdict"] == "worse"
    assert row["images_needed"] == pytest.approx(pairwise.connor(1 / 30, 9 / 30))


def test_images_of_one_lesion_count_once():
    right = np.array([1] * 20 + [0] * 10)
    other = np.array([0] * 9 + [1] * 11 + [1] * 1 + [0] * 9)
    groups = np.repeat(np.arange(30), 4)
    frames = {"first": answers(np.repeat(right, 4), groups), "second": answers(np.repeat(other, 4), groups)}
    single = pairwise.accuracies({"first": answers(right), "second": answers(other)}).iloc[0]
    row = pairwise.accuracies(frames).iloc[0]
    assert row["p"] == pytest.approx(single["p"])
    assert row["p_mcnemar"] < single["p_mcnemar"] / 10  # takes copies for evidence
    assert row["images_needed"] == pytest.approx(4 * single["images_needed"])
    assert (row["n_images"], row["n_groups"]) == (120, 30)


def test_areas_of_one_class():
    frames = {"weak": made(seed=0), "strong": made(seed=1, strength=2.5)}
    single, pairs = pairwise.areas(frames, "nv")
    assert (single["low"] < single["estimate"]).all() and (single["estimate"] < single["high"]).all()
    row = pairs.iloc[0]
    assert (row["model"], row["reference"], row["verdict"]) == ("strong", "weak", "better")
    assert row["difference"] == pytest.approx(single.loc["strong", "estimate"] - single.loc["weak", "estimate"])


def test_pairs_can_be_turned_towards_one_model():
    frames = {"a": made(seed=0), "b": made(seed=1, strength=4), "c": made(seed=2)}
    pairs = pairwise.accuracies(frames)
    table = pairwise.turned(pairs, "b")
    assert table[["model", "reference"]].to_numpy().tolist() == [["a", "b"], ["c", "b"]]
    assert table["difference"].tolist() == pytest.approx([-pairs["difference"][0], pairs["difference"][2]])
    assert table.loc[0, "only_model"] == pairs.loc[0, "only_reference"]
    assert table["verdict"].tolist() == ["worse", "worse"]
