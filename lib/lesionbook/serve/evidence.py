"""How often a result like this one was right on the test images."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from lesionbook import predictions

SHARE, FEWEST = 0.1, 10  # of those called alike, how many have the nearest scores


@dataclass(frozen=True)
class Evidence:
    """Test images that were given the same class with a similar score.

    Attributes
    ----------
    n : int
        So many there are.
    right : int
        So many of them are of that class.
    groups : int
        Of so many lesions or slides they are.
    low, high : float
        95 % interval of the share that is right; 0 and 1 where there are none.
    scores : tuple of float
        Their smallest and largest score, 0..1; NaN where there are none.
    """

    n: int
    right: int
    groups: int
    low: float
    high: float
    scores: tuple[float, float]


def at_least(test: pd.DataFrame, label: str, probability: float) -> Evidence:
    """Count the test images that were called alike with a score as high or higher: positive predictive value.

    Parameters
    ----------
    test : DataFrame
        Prediction table of the test split.
    label : str
        The answer.
    probability : float
        Its probability, not calibrated; compared at the six decimals of the table.

    Returns
    -------
    Evidence
    """
    called = _called(test, label)
    return _counted(called[called["score"] >= round(probability, 6) - 1e-9], label)


def nearest(test: pd.DataFrame, label: str, probability: float) -> Evidence:
    """Count those of the nearest scores, a tenth of all that were called alike, ten at least; otherwise `at_least`."""
    called = _called(test, label)
    order = (called["score"] - probability).abs().sort_values(kind="stable").index
    return _counted(called.loc[order[: max(FEWEST, round(SHARE * len(called)))]], label)


def _called(test: pd.DataFrame, label: str) -> pd.DataFrame:
    return test.assign(score=test[predictions.PREFIX + label])[predictions.predicted(test) == label]


def _counted(alike: pd.DataFrame, label: str) -> Evidence:
    """Count them, with Wilson's interval.

    It is that for as many independent images as tell as much as these, of which some show one lesion: the images over
    the design effect, as in J. N. K. Rao and A. J. Scott, "A simple method for the analysis of clustered binary data"
    (Biometrics 48, 577-585, 1992); for as many as there are groups where all images, or none, are right. Unlike a
    bootstrap it holds for the few images that are left at a high score.
    """
    if not len(alike):
        return Evidence(0, 0, 0, 0.0, 1.0, (np.nan, np.nan))
    right = alike["label"] == label
    n, share, groups = len(alike), float(right.mean()), alike["group"].nunique()
    independent = float(groups)
    if 0 < share < 1 and groups > 1:
        beyond = (right - share).groupby(alike["group"]).sum()  # right images of a group beyond what is expected
        variance = groups / (groups - 1) * float((beyond**2).sum()) / n**2
        independent = n / max(1.0, variance / (share * (1 - share) / (n - 1)))
    low, high = np.clip(proportion_confint(share * independent, independent, method="wilson"), 0, 1)
    scores = float(alike["score"].min()), float(alike["score"].max())
    return Evidence(n, int(right.sum()), groups, float(low), float(high), scores)
