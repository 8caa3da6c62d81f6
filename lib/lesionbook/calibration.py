"""Whether a model that is 80 % sure is right in 80 % of the cases, and a correction that needs one number.

Temperature scaling divides the logarithms of the probabilities by one number T, chosen on the validation images
(C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger, "On calibration of modern neural networks", ICML 2017). The order of
the classes stays, so no answer changes; T > 1 makes a model less sure.
"""

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from scipy.stats import binomtest

from lesionbook import metrics, predictions, resampling, statistics

SCORES = ["log_loss", "brier", "expected_calibration_error"]
BOUNDS = (0.05, 20.0)  # temperatures tried


def temperature(validation: pd.DataFrame) -> float:
    """Find the temperature that gives the validation images the smallest log loss.

    Parameters
    ----------
    validation : DataFrame of N rows
        Prediction table of the validation split.

    Returns
    -------
    float
        0.05..20, near an end of this range where the loss falls towards it, as for a model without a mistake; 1 where
        nothing is better.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    logs = _logarithms(predictions.checked(validation))
    truth = pd.Categorical(validation["label"], categories=predictions.class_names(validation)).codes
    rows = np.arange(len(truth))

    def loss(logarithm: float) -> float:
        return float(-log_softmax(logs / np.exp(logarithm), axis=1)[rows, truth].mean())

    found = minimize_scalar(
        loss,
        bounds=tuple(np.log(BOUNDS)),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(np.exp(found.x)) if found.fun < loss(0.0) - 2 * metrics.SMALLEST_PROBABILITY else 1.0


def scaled(frame: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Give the same table with the probabilities at a temperature; 1 changes nothing but rounding."""
    values = softmax(_logarithms(frame) / temperature, axis=1)
    return frame.assign(
        **{predictions.PREFIX + name: values[:, k] for k, name in enumerate(predictions.class_names(frame))}
    )


def before_and_after(
    validation: pd.DataFrame, test: pd.DataFrame, *, repeats: int = 1000, seed: int
) -> tuple[float, pd.DataFrame]:
    """Scale by the temperature of the validation images and score the test images before and after.

    Parameters
    ----------
    validation, test : DataFrame
        Prediction tables of the two splits.
    repeats, seed
        As for `statistics.bootstrap_scores`.

    Returns
    -------
    float
        The temperature.
    DataFrame
        Index ``when`` (before, after) and ``score`` (log_loss, brier, expected_calibration_error); columns as from
        `statistics.bootstrap_scores`.
    """
    found = temperature(validation)
    sides = {"before": test, "after": scaled(test, found)}
    tables = {
        when: statistics.bootstrap_scores(frame, repeats=repeats, seed=seed).loc[SCORES]
        for when, frame in sides.items()
    }
    return found, pd.concat(tables, names=["when"])


def reliability(frame: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Accuracy against confidence of the predicted class, in equally wide bins of the confidence.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.
    bins : int
        Number of bins over 0..1.

    Returns
    -------
    DataFrame of `bins` rows
        ``bin_low, bin_high, n, mean_confidence, accuracy`` and ``low, high``, the 95 % Wilson interval of the
        accuracy, which takes images as independent; NaN in a bin without images.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    images = metrics.per_image(frame)
    edges = np.linspace(0, 1, bins + 1)
    grouped = images.groupby(metrics.bin_numbers(images["confidence"].to_numpy(), bins))
    table = grouped.agg(n=("correct", "size"), mean_confidence=("confidence", "mean"), accuracy=("correct", "mean"))
    hits = grouped["correct"].sum()
    ends = {m: binomtest(int(hits[m]), int(table.loc[m, "n"])).proportion_ci(method="wilson") for m in table.index}
    table["low"] = pd.Series({m: end.low for m, end in ends.items()}, dtype=float)
    table["high"] = pd.Series({m: end.high for m, end in ends.items()}, dtype=float)
    table = table.reindex(range(bins))
    table["n"] = table["n"].fillna(0).astype(int)
    table.insert(0, "bin_low", edges[:-1])
    table.insert(1, "bin_high", edges[1:])
    return table


def reliability_by_group(frame: pd.DataFrame, bins: int = 10, *, repeats: int = 1000, seed: int) -> pd.DataFrame:
    """As `reliability`, with intervals that draw whole groups.

    Parameters
    ----------
    frame, bins
        As for `reliability`.
    repeats, seed
        As for `statistics.bootstrap_scores`.

    Returns
    -------
    DataFrame of `bins` rows
        As from `reliability`, and ``n_groups``; bins in which all answers are right, or all wrong, have Wilson's ends
        with as many trials as groups.
    """
    table = reliability(frame, bins)
    images = metrics.per_image(frame)
    numbers = metrics.bin_numbers(images["confidence"].to_numpy(), bins)
    inside = np.eye(bins)[numbers]
    right = inside * images["correct"].to_numpy(dtype=float)[:, None]
    batches = resampling.group_weights(frame["group"], repeats, seed)
    drawn = np.vstack([resampling.ratio(weights @ right, weights @ inside, np.nan) for weights in batches])
    low, high = statistics.percentiles(drawn, 0.95)
    table["n_groups"] = images.groupby(numbers)["group"].nunique().reindex(range(bins), fill_value=0)
    table = table.assign(low=low, high=high, estimate=table["accuracy"])
    return statistics.widen(table).drop(columns="estimate")


def error_if_calibrated(frame: pd.DataFrame, *, repeats: int = 1000, seed: int) -> tuple[float, float, float]:
    """Expected calibration error that so many images would show by chance if the probabilities were right.

    The images keep their confidences and are answered rightly as often as these say (consistency resampling; J. Bröcker
    and L. A. Smith, Weather and Forecasting 22:651-661, 2007); those of a group are taken to be right together.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.
    repeats, seed
        Number of draws, and their seed.

    Returns
    -------
    tuple of three float
        Mean over the draws and ends of their middle 95 %.
    """
    images = metrics.per_image(frame)
    confidence = images["confidence"].to_numpy()
    codes, groups = pd.factorize(frame["group"], sort=True)
    bins = np.eye(metrics.CALIBRATION_BINS)[metrics.bin_numbers(confidence, metrics.CALIBRATION_BINS)]
    rng = np.random.default_rng(seed)
    errors = np.empty(repeats)
    for number in range(repeats):
        gaps = confidence - (rng.random(len(groups))[codes] < confidence)
        errors[number] = np.abs(gaps @ bins).sum() / len(frame)
    return float(errors.mean()), *np.quantile(errors, [0.025, 0.975]).tolist()


def _logarithms(frame: pd.DataFrame) -> np.ndarray:
    """Logarithms of the probabilities, those below the resolution of the file raised to it."""
    return np.log(np.maximum(predictions.probabilities(frame), metrics.SMALLEST_PROBABILITY))
