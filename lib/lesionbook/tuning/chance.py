"""Published accuracies held against each other: which differ by more than chance, though only rates are printed."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest, fisher_exact
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportions_ztest

LEVEL = 0.05


def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """Test every pair of rows of a published table.

    Both networks of a pair were shown the same images, so McNemar's test would be the right one; but which images each
    got right is not printed. The test for two independent proportions is taken in its place: a little strict if they
    fail on the same images, as networks mostly do. The exact McNemar test is given for the two extremes between which
    the unknown pairs must lie.

    Parameters
    ----------
    frame : DataFrame
        ``images`` and ``right``, from `sweep`.

    Returns
    -------
    DataFrame
        ``first, second`` (rows), ``difference`` (of the accuracies), ``p`` (z test with pooled variance, Fisher's exact
        test where a cell expects fewer than 5), ``p_most`` and ``p_least`` (McNemar if the wrong answers overlap as
        much or as little as they can; NaN where the images differ), and ``holm``, ``holm_most``, ``holm_least``: the
        same adjusted for all pairs (Holm, Scandinavian Journal of Statistics 6, 1979).
    """
    rows = []
    for first, second in combinations(range(len(frame)), 2):
        n, m = int(frame["images"].iloc[first]), int(frame["images"].iloc[second])
        right = int(frame["right"].iloc[first]), int(frame["right"].iloc[second])
        ends = mcnemar(*right, n) if n == m else (np.nan, np.nan)
        rows.append((first, second, right[1] / m - right[0] / n, two_proportions(right, (n, m)), *ends))
    found = pd.DataFrame(rows, columns=["first", "second", "difference", "p", "p_most", "p_least"])
    for name in ("p", "p_most", "p_least"):
        known = found[name].notna()
        adjusted = multipletests(found.loc[known, name], method="holm")[1] if known.any() else []
        found.loc[known, name.replace("p", "holm", 1)] = adjusted
    return found


def two_proportions(right: tuple[int, int], images: tuple[int, int]) -> float:
    """Two-sided p of two independent shares: z test, or Fisher's exact test where a cell expects fewer than five."""
    pooled = sum(right) / sum(images)
    if min(images) * min(pooled, 1 - pooled) < 5:
        wrong = [n - r for r, n in zip(right, images, strict=True)]
        return float(fisher_exact([list(right), wrong]).pvalue)
    return float(proportions_ztest(right, images)[1])


def mcnemar(first: int, second: int, images: int) -> tuple[float, float]:
    """Smallest and largest p of McNemar's exact test that two counts of right answers to the same images allow.

    The counts fix by how many images one network is ahead; on how many others they disagree is open. None gives the
    smallest p, as many as possible the largest.
    """
    ahead, behind = max(first, second), min(first, second)
    lead = ahead - behind
    if lead == 0:
        return 1.0, 1.0
    against = min(behind, images - ahead)
    least = binomtest(against, 2 * against + lead).pvalue
    return float(binomtest(0, lead).pvalue), float(least)


def against_best(frame: pd.DataFrame, tested: pd.DataFrame) -> pd.DataFrame:
    """Each row against the best one: ``difference``, ``p``, ``holm`` (adjusted for all pairs); NaN at the best."""
    best = int(frame["val_accuracy"].to_numpy().argmax())
    found = pd.DataFrame(np.nan, index=frame.index, columns=["difference", "p", "holm"])
    for row in tested.itertuples():
        if best in (row.first, row.second):
            other = row.first if row.second == best else row.second
            found.loc[frame.index[other]] = [0.0 - abs(row.difference), row.p, row.holm]
    return found


def needed(images: int, comparisons: int, share: float = 0.6) -> float:
    """Smallest difference of two shares around `share` that the z test finds at 5 % divided by the comparisons.

    Parameters
    ----------
    images : int
        Behind each of the two.
    comparisons : int
        1 for a single pair; with all pairs of a table, the hurdle that Holm's method sets for its first pair.
    share : float
        Middle of the two.
    """
    for lead in range(1, images):
        right = share * images - lead / 2, share * images + lead / 2
        if right[0] < 0 or right[1] > images:
            break
        if proportions_ztest(right, (images, images))[1] < LEVEL / comparisons:
            return lead / images
    return float("nan")


def detectable(images: int, comparisons: int, share: float = 0.6, power: float = 0.8) -> float:
    """How much better than `share` a network must truly be to be found out by the z test with the given power.

    By the effect size of Cohen ("Statistical Power Analysis for the Behavioral Sciences", 1988), the difference of the
    arc sines of the roots.
    """
    size = NormalIndPower().solve_power(nobs1=images, alpha=LEVEL / comparisons, power=power)
    return float(np.sin(min(np.arcsin(np.sqrt(share)) + size / 2, np.pi / 2)) ** 2 - share)


def verdict(frame: pd.DataFrame, tested: pd.DataFrame) -> str:
    """Say in sentences what a published table can tell."""
    count, alone, together = len(tested), int((tested["p"] < LEVEL).sum()), int((tested["holm"] < LEVEL).sum())
    images, middle = int(frame["images"].max()), float(np.clip(frame["val_accuracy"].mean(), 0.3, 0.7))
    known = tested["holm_most"].notna()
    most, least = (int((tested.loc[known, name] < LEVEL).sum()) for name in ("holm_most", "holm_least"))
    text = (
        f"Of the {count} pairs of published rows, {alone} differ at 5 % taken one by one, {together} after Holm's "
        f"correction for {count} comparisons. "
    )
    if known.any():
        text += (
            f"Which images each network got right is not printed; over all ways in which they can overlap, McNemar's "
            f"test would find between {least} and {most} pairs after correction. "
        )
    return text + (
        f"With {images} images, two accuracies around {middle:.2f} must lie {needed(images, 1, middle):.3f} apart for "
        f"a single comparison and {needed(images, count, middle):.3f} for the first of {count}; and to be found four "
        f"times out of five, a network must truly be better by {detectable(images, 1, middle):.3f} and "
        f"{detectable(images, count, middle):.3f}."
    )
