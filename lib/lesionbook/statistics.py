"""Intervals and comparisons that respect lesions: all images of a lesion (or slide) are drawn together.

Several images of one lesion are less informative than as many images of different lesions. Every interval here
therefore comes from a cluster bootstrap, which draws whole groups with replacement (Davison & Hinkley, "Bootstrap
Methods and their Application", 1997, section 3.8; Field & Welsh, Journal of the Royal Statistical Society B 69, 2007)
and takes percentiles. A resample in which a class does not occur counts with the classes that do occur, as
`lesionbook.metrics` does; where a score cannot be computed at all, the resample is left out for that score.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from lesionbook import metrics, resampling
from lesionbook.errors import LesionbookError

COMPARED = ["balanced_accuracy", "accuracy", "macro_auc"]
CALIBRATION = "expected_calibration_error"


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its interval and the sizes that it rests on."""

    estimate: float
    low: float
    high: float
    n_images: int
    n_groups: int

    def __format__(self, spec: str) -> str:
        """Write ``0.713 (0.650–0.769)``; `spec` formats each number, three decimals by default."""
        spec = spec or ".3f"
        if not np.isfinite(self.estimate):
            return "undefined"
        return f"{self.estimate:{spec}} ({self.low:{spec}}–{self.high:{spec}})"

    def __str__(self) -> str:
        """Write ``0.713 (0.650–0.769)``."""
        return format(self, "")

    @classmethod
    def of(cls, row: pd.Series) -> "Interval":
        """Take one row of a table of this module."""
        return cls(
            float(row["estimate"]), float(row["low"]), float(row["high"]), int(row["n_images"]), int(row["n_groups"])
        )


def percentiles(values: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of the central share `confidence` of each column, NaN values left out."""
    tail = (1 - confidence) / 2
    frame = pd.DataFrame(values)
    return frame.quantile(tail).to_numpy(), frame.quantile(1 - tail).to_numpy()


def bootstrap_scores(frame: pd.DataFrame, *, repeats: int = 1000, seed: int, confidence: float = 0.95) -> pd.DataFrame:
    """Interval of every score by a cluster bootstrap, all scores on the same resamples.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.
    repeats : int
        Number of resamples of the groups.
    seed : int
        Seed of the resampling.
    confidence : float
        Share of the resamples between the ends, 0..1.

    Returns
    -------
    DataFrame
        Index ``score``, as in `metrics.scores`; ``estimate, low, high, n_images, n_groups``. Resamples look less
        calibrated than the data they come from: both ends of the calibration error are moved down by this bias (mean of
        the resamples minus estimate; Efron and Tibshirani, "An introduction to the bootstrap", 1993), not below zero.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    estimate = metrics.scores(frame)
    batches = resampling.group_weights(frame["group"], repeats, seed)
    drawn = pd.concat([resampling.scores(frame, weights) for weights in batches])
    drawn = drawn[estimate.index]
    bias = drawn[CALIBRATION].mean() - estimate[CALIBRATION]
    drawn[CALIBRATION] = (drawn[CALIBRATION] - bias).clip(lower=0)
    low, high = percentiles(drawn.to_numpy(), confidence)
    return pd.DataFrame(
        {"estimate": estimate, "low": low, "high": high, "n_images": len(frame), "n_groups": frame["group"].nunique()},
    ).rename_axis("score")


def widen(table: pd.DataFrame, confidence: float = 0.95) -> pd.DataFrame:
    """Give proportions of 0 and 1, which no resample can vary, Wilson's ends with as many trials as there are groups.

    Parameters
    ----------
    table : DataFrame
        ``estimate, low, high, n_groups``; rows without groups stay as they are.
    confidence : float
        0..1.
    """
    table = table.copy()
    for row in table.index[table["estimate"].isin([0.0, 1.0]) & (table["n_groups"] > 0)]:
        groups = int(table.loc[row, "n_groups"])
        ends = wilson(int(groups * table.loc[row, "estimate"]), groups, confidence)
        table.loc[row, ["low", "high"]] = [ends.low, ends.high]
    return table


def same_images(frames: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Bring the tables into one order of rows, or say which two do not speak of the same images."""
    first, *rest = frames
    ordered = {name: frame.sort_values("image_id").reset_index(drop=True) for name, frame in frames.items()}
    for name in rest:
        for column in ["image_id", "label", "group", "split"]:
            if not ordered[name][column].equals(ordered[first][column]):
                raise LesionbookError(
                    f"statistics: the predictions of {name} and {first} differ in {column}; "
                    "compare models on the same images of the same split."
                )
    return ordered


def paired_differences(
    frames: dict[str, pd.DataFrame],
    *,
    reference: str | None = None,
    repeats: int = 1000,
    seed: int,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Difference between the scores of two models, with its interval, both on the same resamples of the groups.

    Parameters
    ----------
    frames : dict of DataFrame
        Prediction table of one split per model, all of the same images (in any order).
    reference : str, optional
        The model that all others are held against; every pair of models where not given.
    repeats, seed, confidence
        As for `bootstrap_scores`. The ends are not adjusted for the number of pairs.

    Returns
    -------
    DataFrame
        ``model, reference, score`` (balanced_accuracy, accuracy, macro_auc), ``difference`` (model minus reference),
        ``deviation`` (its standard deviation over the resamples), ``low, high, n_images, n_groups``.

    Raises
    ------
    LesionbookError
        If the models were not applied to the same images, or `reference` is none of them.
    """
    if reference is not None and reference not in frames:
        raise LesionbookError(f"statistics: reference {reference!r} is none of the models {', '.join(frames)}.")
    if len(frames) < 2:
        raise LesionbookError("statistics: a comparison needs the predictions of two models or more.")
    frames = same_images(frames)
    groups = next(iter(frames.values()))["group"]
    estimates = {name: metrics.scores(frame) for name, frame in frames.items()}
    batches: dict[str, list[pd.DataFrame]] = {name: [] for name in frames}
    for weights in resampling.group_weights(groups, repeats, seed):
        for name, frame in frames.items():
            batches[name].append(resampling.scores(frame, weights)[COMPARED])
    drawn = {name: np.vstack(parts) for name, parts in batches.items()}
    if reference is None:
        pairs = [(later, earlier) for earlier, later in combinations(frames, 2)]
    else:
        pairs = [(name, reference) for name in frames if name != reference]
    tables = []
    for model, other in pairs:
        gaps = drawn[model] - drawn[other]
        low, high = percentiles(gaps, confidence)
        difference = (estimates[model] - estimates[other])[COMPARED].to_numpy()
        table = pd.DataFrame({"model": model, "reference": other, "score": COMPARED, "difference": difference})
        table["deviation"] = np.nanstd(gaps, axis=0, ddof=1)
        tables.append(table.assign(low=low, high=high, n_images=len(groups), n_groups=groups.nunique()))
    return pd.concat(tables, ignore_index=True)


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Interval of a proportion of independent trials (Wilson, JASA 22, 1927), undefined (NaN) for no trial.

    Parameters
    ----------
    successes, n : int
        0 <= successes <= n.
    confidence : float
        0..1.

    Returns
    -------
    Interval
        With `n` as the number of images and of groups.

    Raises
    ------
    ValueError
        If `successes` is not between 0 and `n`.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes must lie between 0 and the {n} trials")
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0, 0)
    ends = binomtest(successes, n).proportion_ci(confidence_level=confidence, method="wilson")
    return Interval(successes / n, float(ends.low), float(ends.high), n, n)
