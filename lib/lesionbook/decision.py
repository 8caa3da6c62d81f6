"""Whether acting on a model does more good than treating everyone or no one.

A. J. Vickers and E. B. Elkin, "Decision curve analysis: a novel method for evaluating prediction models", Medical
Decision Making 26:565-574 (2006).
"""

import numpy as np
import pandas as pd

from lesionbook import operating, resampling, statistics

THRESHOLDS = np.arange(1, 51) / 100  # probabilities from which on one would act


def threshold_of(cost_of_miss: float) -> float:
    """Probability from which on acting pays if a miss costs so many false alarms: 1 / (1 + cost)."""
    return 1 / (1 + cost_of_miss)


def net_benefit(
    positive: np.ndarray, score: np.ndarray, thresholds: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """True positives less false positives, the latter weighted by the odds of the threshold, per image.

    Parameters
    ----------
    positive : ndarray of bool, shape (N,)
    score : ndarray of float, shape (N,)
        Probability of the class.
    thresholds : ndarray of float, shape (T,)
        0 < threshold < 1; one acts from this probability on.
    weights : ndarray of float, shape (R, N), optional
        How often each image counts; once where not given.

    Returns
    -------
    ndarray of float, shape (R, T)
        At most the share of the class.
    """
    weights = np.ones((1, len(score))) if weights is None else weights
    # Numbers stored with six decimals; a probability equal to the threshold acts.
    acts = score[:, None] >= np.asarray(thresholds) - 1e-9
    worth = np.where(positive[:, None], acts, acts * (-thresholds / (1 - thresholds)))
    return weights @ worth / weights.sum(axis=1, keepdims=True)


def curve(
    frame: pd.DataFrame,
    positive: str,
    *,
    thresholds: np.ndarray = THRESHOLDS,
    repeats: int = 1000,
    seed: int,
) -> pd.DataFrame:
    """Net benefit of a model by threshold, beside that of treating all; treating none has a net benefit of 0.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.
    positive : str
        The class that one would act on.
    thresholds : ndarray of float, shape (T,)
        0 < threshold < 1.
    repeats, seed
        As for `statistics.bootstrap_scores`.

    Returns
    -------
    DataFrame of T rows
        ``threshold, net_benefit, low, high``, ``treat_all``, and ``gain, gain_low, gain_high``: the difference to the
        better of treating all and treating none, on the same resamples.
    """
    truth, score = operating.sides(frame, positive)
    everyone = np.ones(len(score))
    estimate, all_of_them = (net_benefit(truth, given, thresholds)[0] for given in (score, everyone))
    drawn, gains = [], []
    default = np.argmax([np.zeros_like(all_of_them), all_of_them], axis=0).astype(bool)
    for weights in resampling.group_weights(frame["group"], repeats, seed):
        drawn.append(net_benefit(truth, score, thresholds, weights))
        gains.append(drawn[-1] - np.where(default, net_benefit(truth, everyone, thresholds, weights), 0))
    low, high = statistics.percentiles(np.vstack(drawn), 0.95)
    gain_low, gain_high = statistics.percentiles(np.vstack(gains), 0.95)
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "net_benefit": estimate,
            "low": low,
            "high": high,
            "treat_all": all_of_them,
            "gain": estimate - np.maximum(all_of_them, 0),
            "gain_low": gain_low,
            "gain_high": gain_high,
        }
    )
