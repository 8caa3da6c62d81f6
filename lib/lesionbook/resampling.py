"""Scores of many resamples at once, each resample given as whole-number weights of the images.

Drawing a lesion twice is the same as counting its images twice. So a resample is one row of weights, a confusion matrix
is a matrix product, and a ranking is sorted once for all resamples. The results equal those of `lesionbook.metrics` on
tables with physically repeated rows; the tests hold the two against each other.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lesionbook import metrics, predictions
from lesionbook.errors import LesionbookError

# Largest number of weights held at once (32 MB), so that memory does not grow with the data.
WEIGHTS_AT_ONCE = 4_000_000


def group_weights(groups: pd.Series, repeats: int, seed: int) -> Iterator[np.ndarray]:
    """Draw as many groups as there are, with replacement, `repeats` times.

    Parameters
    ----------
    groups : Series of N group names
        Images with one name are drawn together. The order of the rows does not change what is drawn.
    repeats : int
        Number of resamples.
    seed : int
        The same seed and the same set of groups give the same resamples.

    Yields
    ------
    ndarray of float64, shape (r, N)
        How often each image counts, for `r` resamples at a time; the `r` add up to `repeats`.

    Raises
    ------
    LesionbookError
        If an image has no group.
    """
    if groups.isna().any():
        raise LesionbookError("resampling: an image has no group; give it its lesion or slide, or its own id.")
    codes, names = pd.factorize(groups, sort=True)
    rng = np.random.default_rng(seed)
    at_once = max(1, WEIGHTS_AT_ONCE // max(len(codes), 1))
    for start in range(0, repeats, at_once):
        size = min(at_once, repeats - start)
        drawn = rng.integers(0, len(names), size=(size, len(names))) + len(names) * np.arange(size)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=size * len(names)).reshape(size, len(names))
        yield counts[:, codes].astype(float)


def ratio(part: np.ndarray, whole: np.ndarray, otherwise: float) -> np.ndarray:
    """Divide element by element, with `otherwise` where the denominator is 0."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, otherwise, dtype=float), where=whole > 0)


def mean_over(values: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Mean over the last axis of the entries chosen by `where`, NaN in a row without any."""
    return ratio(np.where(where, values, 0).sum(axis=-1), where.sum(axis=-1), np.nan)


def confusion(frame: pd.DataFrame, weights: np.ndarray) -> np.ndarray:
    """Confusion matrices of shape (R, C, C), actual by predicted, for weights of shape (R, N)."""
    classes = predictions.class_names(frame)
    actual = pd.Categorical(frame["label"], categories=classes).codes
    cells = actual * len(classes) + predictions.probabilities(frame).argmax(axis=1)
    indicator = np.eye(len(classes) ** 2)[cells]
    return (weights @ indicator).reshape(len(weights), len(classes), len(classes))


def ranking(positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Area under the ROC curve and average precision for every row of weights.

    Parameters
    ----------
    positive : ndarray of bool, shape (N,)
    score : ndarray of float, shape (N,)
        Higher means more likely positive; equal scores count half in the area, and as one threshold.
    weights : ndarray of float, shape (R, N)

    Returns
    -------
    tuple of two ndarray of float, shape (R,)
        The area (NaN unless both sides have weight) and the average precision (NaN without positive weight).
    """
    order = np.argsort(-score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    ranked = weights[:, order]
    at_threshold = np.add.reduceat(ranked, starts, axis=1)
    positive_at = np.add.reduceat(ranked * positive[order], starts, axis=1)
    negative_at = at_threshold - positive_at
    true_positives = positive_at.cumsum(axis=1)
    positives, negatives = true_positives[:, -1], negative_at.sum(axis=1)
    pairs = np.einsum("rk,rk->r", negative_at, true_positives - positive_at / 2)
    precision = ratio(true_positives, at_threshold.cumsum(axis=1), 0)
    area = ratio(pairs, positives * negatives, np.nan)
    return area, ratio(np.einsum("rk,rk->r", positive_at, precision), positives, np.nan)


def class_scores(frame: pd.DataFrame, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of each class against all the others.

    Returns
    -------
    dict of ndarray of float, shape (R, C)
        ``support`` (images of the class); ``precision, recall, specificity, auc, average_precision``, NaN where there
        is nothing to divide by; ``f1``, 0 where a resample holds no image of the class.
    """
    matrices = confusion(frame, weights)
    hits = np.diagonal(matrices, axis1=1, axis2=2)
    actual, predicted = matrices.sum(axis=2), matrices.sum(axis=1)
    values = predictions.probabilities(frame)
    ranked = [
        ranking((frame["label"] == name).to_numpy(), values[:, column], weights)
        for column, name in enumerate(predictions.class_names(frame))
    ]
    return {
        "support": actual,
        "precision": ratio(hits, predicted, np.nan),
        "recall": ratio(hits, actual, np.nan),
        "specificity": 1 - ratio(predicted - hits, weights.sum(axis=1, keepdims=True) - actual, np.nan),
        "f1": ratio(2 * hits, actual + predicted, 0),
        "auc": np.column_stack([area for area, _ in ranked]),
        "average_precision": np.column_stack([precision for _, precision in ranked]),
    }


def scores(frame: pd.DataFrame, weights: np.ndarray) -> pd.DataFrame:
    """All scores of `metrics.scores` for every row of weights, as R rows with the same names as columns."""
    images = metrics.per_image(frame)
    classes = class_scores(frame, weights)
    support, total = classes["support"], weights.sum(axis=1)
    occurs = support > 0
    bins = np.eye(metrics.CALIBRATION_BINS)[
        metrics.bin_numbers(images["confidence"].to_numpy(), metrics.CALIBRATION_BINS)
    ]
    gaps = weights @ (bins * (images["confidence"] - images["correct"]).to_numpy()[:, None])
    return pd.DataFrame(
        {
            "accuracy": weights @ images["correct"].to_numpy(dtype=float) / total,
            "balanced_accuracy": mean_over(classes["recall"], occurs),
            "macro_f1": mean_over(classes["f1"], occurs),
            "weighted_f1": (classes["f1"] * support).sum(axis=1) / total,
            "macro_auc": mean_over(classes["auc"], np.isfinite(classes["auc"])),
            "macro_average_precision": mean_over(classes["average_precision"], occurs),
            "log_loss": weights @ images["log_loss"].to_numpy() / total,
            "brier": weights @ images["brier"].to_numpy() / total,
            "expected_calibration_error": np.abs(gaps).sum(axis=1) / total,
        }
    )
