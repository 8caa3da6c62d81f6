"""One class against the rest: how well it is told at a fixed error rate, and at a threshold chosen beforehand.

A threshold that is chosen on the test images is chosen with their labels in view. Here it is chosen on the validation
images and only applied to the test images.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn import metrics as sklearn_metrics

from lesionbook import predictions, resampling, statistics
from lesionbook.errors import LesionbookError

CANCERS = ("mel", "melanoma")
RATES = ["sensitivity", "specificity", "precision"]


def class_of_concern(classes: Sequence[str], positive: str = "") -> str:
    """Tell the class that should not be missed: the one asked for, else melanoma, else the last.

    Raises
    ------
    LesionbookError
        If the one asked for is none of the classes.
    """
    if positive and positive not in classes:
        raise LesionbookError(f"positive: {positive!r} is none of the classes {', '.join(classes)}; name one of them.")
    return positive or next((name for name in CANCERS if name in classes), classes[-1])


def sides(frame: pd.DataFrame, positive: str) -> tuple[np.ndarray, np.ndarray]:
    """Whether each image is of the class (bool of shape (N,)), and the probability given to it (float)."""
    column = predictions.class_names(predictions.checked(frame)).index(positive)
    return (frame["label"] == positive).to_numpy(), predictions.probabilities(frame)[:, column]


def at_fixed_rates(
    positive: np.ndarray, score: np.ndarray, weights: np.ndarray, rate: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Best sensitivity at a specificity of at least `rate`, and the reverse, for every row of weights.

    Parameters
    ----------
    positive : ndarray of bool, shape (N,)
    score : ndarray of float, shape (N,)
        Higher means more likely positive. Thresholds are the scores that occur; nothing is interpolated.
    weights : ndarray of float, shape (R, N)
    rate : float
        0..1.

    Returns
    -------
    tuple of two ndarray of float, shape (R,)
        NaN unless both sides have weight.
    """
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    ranked = weights[:, order]
    hits = np.add.reduceat(ranked * positive[order], starts, axis=1).cumsum(axis=1)
    alarms = np.add.reduceat(ranked * ~positive[order], starts, axis=1).cumsum(axis=1)
    found = resampling.ratio(hits, hits[:, -1:], np.nan)
    false = resampling.ratio(alarms, alarms[:, -1:], np.nan)
    # No alarm at all is a threshold too: sensitivity 0, specificity 1.
    sensitivity = np.where(false <= 1 - rate + 1e-9, found, 0).max(axis=1)
    specificity = 1 - np.where(found >= rate - 1e-9, false, 1).min(axis=1)
    undefined = np.isnan(found[:, -1]) | np.isnan(false[:, -1])
    return np.where(undefined, np.nan, sensitivity), np.where(undefined, np.nan, specificity)


def threshold(validation: pd.DataFrame, positive: str, cost_of_miss: float | None = None) -> float:
    """Choose, on the validation images, the probability from which on an image counts as of the class.

    Parameters
    ----------
    validation : DataFrame of N rows
        Prediction table of the validation split.
    positive : str
        The class.
    cost_of_miss : float, optional
        How many false alarms a missed image of the class is worth: the threshold gives the smallest sum of false alarms
        and misses times this. Without it, the one with the largest sum of sensitivity and specificity (W. J. Youden,
        Cancer 3:32-35, 1950). The highest of equally good ones.

    Returns
    -------
    float
        One of the probabilities that occur, or infinity where it is best never to raise an alarm.

    Raises
    ------
    LesionbookError
        If the validation images are all of the class, or none is.
    """
    truth, score = sides(validation, positive)
    if truth.all() or not truth.any():
        raise LesionbookError(f"operating: a threshold for {positive!r} needs validation images of it and of others.")
    false, found, candidates = sklearn_metrics.roc_curve(truth, score, drop_intermediate=False)
    if cost_of_miss is None:
        worth = found - false
    else:
        worth = -((1 - found) * truth.sum() * cost_of_miss + false * (~truth).sum())
    return float(candidates[np.argmax(np.round(worth, 12))])


def at_threshold(
    test: pd.DataFrame, positive: str, threshold: float, *, repeats: int = 1000, seed: int
) -> pd.DataFrame:
    """Sensitivity, specificity and precision at a threshold chosen elsewhere, with intervals over groups.

    Parameters
    ----------
    test : DataFrame of N rows
        Prediction table of one split.
    positive : str
        The class.
    threshold : float
        An image whose probability of the class is at least this counts as of the class.
    repeats, seed
        As for `statistics.bootstrap_scores`. The threshold stays; its own uncertainty is not in the intervals.

    Returns
    -------
    DataFrame
        Index ``score`` (sensitivity, specificity, precision); ``estimate, low, high``, ``hits`` (of `n_images`),
        ``n_images, n_groups`` that the share is one of. Shares of 0 and 1 have Wilson's ends over groups.
    """
    truth, score = sides(test, positive)
    flagged = score >= threshold
    cases = {"sensitivity": (truth, flagged), "specificity": (~truth, ~flagged), "precision": (flagged, truth)}
    batches = list(resampling.group_weights(test["group"], repeats, seed))
    rows = []
    for name, (among, right) in cases.items():
        hits = (among & right).astype(float)
        drawn = np.concatenate([resampling.ratio(w @ hits, w @ among.astype(float), np.nan) for w in batches])
        low, high = statistics.percentiles(drawn[:, None], 0.95)
        size, groups = int(among.sum()), test["group"][among].nunique()
        rows.append((name, hits.sum() / size if size else np.nan, low[0], high[0], int(hits.sum()), size, groups))
    columns = ["score", "estimate", "low", "high", "hits", "n_images", "n_groups"]
    return statistics.widen(pd.DataFrame(rows, columns=columns)).set_index("score")


def one_against_rest(test: pd.DataFrame, positive: str, *, repeats: int = 1000, seed: int) -> pd.DataFrame:
    """Scores of one class against the rest, whatever the threshold, with intervals over groups.

    Parameters
    ----------
    test : DataFrame of N rows
        Prediction table of one split.
    positive : str
        The class.
    repeats, seed
        As for `statistics.bootstrap_scores`.

    Returns
    -------
    DataFrame
        Index ``score`` (average_precision, sensitivity_at_95_specificity, specificity_at_95_sensitivity);
        ``estimate, low, high, n_images, n_groups``. The last two are read off the test images' own curve.
        No ends where no resample differs.
    """
    truth, score = sides(test, positive)
    batches = resampling.group_weights(test["group"], repeats, seed)
    drawn = np.vstack([_ranked(truth, score, weights) for weights in batches])
    low, high = statistics.percentiles(drawn, 0.95)
    names = ["average_precision", "sensitivity_at_95_specificity", "specificity_at_95_sensitivity"]
    table = pd.DataFrame({"estimate": _ranked(truth, score, np.ones((1, len(score))))[0], "low": low, "high": high})
    table.loc[table["low"] == table["high"], ["low", "high"]] = np.nan
    table = table.assign(n_images=len(test), n_groups=test["group"].nunique())
    return table.set_index(pd.Index(names, name="score"))


def _ranked(truth: np.ndarray, score: np.ndarray, weights: np.ndarray) -> np.ndarray:
    precision = resampling.ranking(truth, score, weights)[1]
    return np.column_stack([precision, *at_fixed_rates(truth, score, weights)])
