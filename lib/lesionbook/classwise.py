"""Scores of each class against all the others, with intervals that draw whole groups."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lesionbook import metrics, predictions, resampling, statistics

PROPORTIONS = ("precision", "recall", "specificity")


def intervals(
    frame: pd.DataFrame,
    *,
    scores: Sequence[str] = ("recall", "auc"),
    repeats: int = 1000,
    seed: int,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Interval of each class's scores, one against the rest, on the resamples of `statistics.bootstrap_scores`.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.
    scores : sequence of str
        Any of ``precision, recall, specificity, f1, auc, average_precision``.
    repeats, seed, confidence
        As for `statistics.bootstrap_scores`.

    Returns
    -------
    DataFrame of C rows for each score
        ``class, score, estimate, low, high`` and ``n_images, n_groups``: those that the score divides by, so images of
        the class, and for precision those predicted as the class, for specificity those of other classes. NaN where
        there are none. A proportion of exactly 0 or 1 does not vary between resamples; its ends are Wilson's for as
        many trials as there are groups. Other scores that do not vary have no ends.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    table = metrics.per_class(frame)
    batches = [resampling.class_scores(frame, w) for w in resampling.group_weights(frame["group"], repeats, seed)]
    guess = predictions.predicted(frame)
    parts = []
    for score in scores:
        low, high = statistics.percentiles(np.vstack([batch[score] for batch in batches]), confidence)
        part = pd.DataFrame({"class": table.index, "score": score, "estimate": table[score].to_numpy()})
        counted = [frame["group"][_counted(score, name, frame["label"], guess)] for name in table.index]
        sizes = {"n_images": [len(groups) for groups in counted], "n_groups": [groups.nunique() for groups in counted]}
        part = part.assign(low=low, high=high, **sizes)
        part.loc[part["n_images"] == 0, ["estimate", "low", "high"]] = np.nan
        if score in PROPORTIONS:
            part = statistics.widen(part, confidence)
        else:
            part.loc[part["low"] == part["high"], ["low", "high"]] = np.nan
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _counted(score: str, name: str, label: pd.Series, guess: pd.Series) -> pd.Series:
    """Tell the images that a score of a class divides by."""
    if score == "precision":
        return guess == name
    return label != name if score == "specificity" else label == name
