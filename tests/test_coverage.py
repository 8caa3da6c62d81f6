"""Intervals hold the truth about 95 times in 100, and tests cry wolf about 5 times in 100, lesions or not."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from lesionbook import delong, pairwise, resampling, statistics

pytestmark = pytest.mark.filterwarnings("error")

SETS = 1000
# A percentile interval of a hundred lesions falls a little short of 95 %; the rest is chance (99.9 % of all runs).
LOW, HIGH = binom.ppf(0.0005, SETS, 0.935) / SETS, binom.ppf(0.9995, SETS, 0.955) / SETS


def correct(groups, images, truth, rng, sets=SETS):
    """Answers to images of lesions that differ in difficulty (beta distributed), 0 or 1, of shape (N, sets)."""
    easy = rng.beta(2 * truth, 2 * (1 - truth), size=(groups, 1, sets))  # correlation 1/3 within a lesion
    return (rng.random((groups, images, sets)) < easy).reshape(groups * images, sets).astype(float)


def share_covered(drawn, truth):
    low, high = statistics.percentiles(drawn, 0.95)
    return ((low <= truth) & (truth <= high)).mean()


@pytest.mark.parametrize(("groups", "images"), [(300, 1), (100, 4)])
def test_bootstrap_over_groups_covers(groups, images):
    right = correct(groups, images, 0.7, np.random.default_rng(1))
    names = pd.Series(np.repeat(np.arange(groups), images).astype(str))
    weights = next(resampling.group_weights(names, 400, seed=2))
    assert LOW <= share_covered(weights @ right / weights.sum(axis=1, keepdims=True), 0.7) <= HIGH


def test_bootstrap_over_images_does_not_cover_lesions():
    right = correct(100, 4, 0.7, np.random.default_rng(1))
    weights = next(resampling.group_weights(pd.Series(np.arange(400).astype(str)), 400, seed=2))
    assert share_covered(weights @ right / weights.sum(axis=1, keepdims=True), 0.7) < 0.88


@pytest.mark.parametrize(("groups", "images"), [(300, 1), (100, 4)])
def test_paired_test_cries_wolf_in_one_of_twenty(groups, images):
    rng = np.random.default_rng(3)
    gap = correct(groups, images, 0.7, rng) - correct(groups, images, 0.7, rng)
    names = pd.Series(np.repeat(np.arange(groups), images).astype(str))
    weights = next(resampling.group_weights(names, 400, seed=4))
    drawn = weights @ gap / weights.sum(axis=1, keepdims=True)
    p = 2 * norm.sf(np.abs(gap.mean(axis=0)) / drawn.std(axis=0, ddof=1))
    assert 1 - HIGH <= (p < 0.05).mean() <= 1 - LOW


def test_swapping_groups_cries_wolf_no_more_than_allowed():
    rng = np.random.default_rng(5)
    gap = correct(60, 4, 0.7, rng, sets=400) - correct(60, 4, 0.7, rng, sets=400)
    by_group = gap.reshape(60, 4, 400).sum(axis=1).astype(int)
    own = np.array([pairwise.swapping(gains) for gains in by_group.T])
    alone = np.array([pairwise.mcnemar(int((one > 0).sum()), int((one < 0).sum())) for one in gap.T])
    assert 0.02 <= (own < 0.05).mean() <= binom.ppf(0.9995, 400, 0.05) / 400
    assert (alone < 0.05).mean() > 0.08  # McNemar takes images of a lesion for independent


@pytest.mark.parametrize(("groups", "images"), [(120, 1), (60, 3)])
def test_areas_cover(groups, images):
    """Normal scores one and a half standard deviations apart, part of which is the lesion's own."""
    rng = np.random.default_rng(6)
    names = np.repeat(np.arange(groups), images)
    positive = names < 0.4 * groups
    truth = norm.cdf(1.5 / np.sqrt(2))
    spread = 0.0 if images == 1 else 0.7
    covered = {"group": 0, "image": 0}
    for _ in range(SETS):
        own = rng.normal(size=groups)[names] * np.sqrt(spread)
        score = own + rng.normal(size=len(names)) * np.sqrt(1 - spread) + 1.5 * positive
        for kind, given in (("group", names), ("image", None)):
            found = delong.areas(positive, score, given)
            low, high = delong.interval(found.estimates[0], found.covariance[0, 0])
            covered[kind] += low <= truth <= high
    assert LOW <= covered["group"] / SETS <= HIGH
    assert (covered["image"] / SETS < 0.88) == (images > 1)
