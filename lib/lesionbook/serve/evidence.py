"""How often a result like this one was right on the test images."""

from dataclasses import dataclass

import pandas as pd
from scipy.stats import binomtest

from lesionbook import predictions


@dataclass(frozen=True)
class Evidence:
    """Test images that were given the same class with a score as high or higher.

    Attributes
    ----------
    n : int
        So many there are.
    right : int
        So many of them are of that class; right / n is the positive predictive value.
    low, high : float
        95 % Wilson interval of this share, which takes images as independent; 0 and 1 where there are none.
    """

    n: int
    right: int
    low: float
    high: float


def gather(test: pd.DataFrame, label: str, probability: float) -> Evidence:
    """Count the test images that were answered alike.

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
    scores = test[predictions.PREFIX + label]
    alike = test[(predictions.predicted(test) == label) & (scores >= round(probability, 6) - 1e-9)]
    n, right = len(alike), int((alike["label"] == label).sum())
    if not n:
        return Evidence(0, 0, 0.0, 1.0)
    interval = binomtest(right, n).proportion_ci(method="wilson")
    return Evidence(n, right, float(interval.low), float(interval.high))
