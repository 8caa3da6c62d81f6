"""Areas under the ROC curve with their variances and covariances, without resampling.

E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson, Biometrics 44:837-845 (1988), computed from ranks as in X. Sun and
W. Xu, IEEE Signal Processing Letters 21:1389-1393 (2014). Where images belong together, whole groups vary instead of
images (N. A. Obuchowski, Biometrics 53:567-578, 1997); with one image per group both are the same.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from lesionbook.errors import LesionbookError


@dataclass(frozen=True)
class Areas:
    """Areas of K models on the same images.

    Attributes
    ----------
    estimates : ndarray of float, shape (K,)
        Chance that a positive image gets a higher score than a negative one, ties counting half.
    covariance : ndarray of float, shape (K, K)
        Of the estimates; NaN where the positive or the negative images are of a single group.
    """

    estimates: np.ndarray
    covariance: np.ndarray


def areas(positive: np.ndarray, scores: np.ndarray, groups: np.ndarray | None = None) -> Areas:
    """Estimate areas under the ROC curve and how they vary together.

    Parameters
    ----------
    positive : ndarray of bool, shape (N,)
    scores : ndarray of float, shape (K, N)
        Higher means more likely positive; one row per model.
    groups : ndarray of N names, optional
        Images with one name vary together; without it each image is taken as independent (DeLong).

    Raises
    ------
    LesionbookError
        If one side has no image.
    """
    positive = np.asarray(positive, dtype=bool)
    scores = np.atleast_2d(np.asarray(scores, dtype=float))
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    if not (n_positive and n_negative):
        raise LesionbookError("delong: an area under the ROC curve needs images of the class and others.")
    everyone = rankdata(scores, axis=1)
    above = (everyone[:, positive] - rankdata(scores[:, positive], axis=1)) / n_negative
    below = 1 - (everyone[:, ~positive] - rankdata(scores[:, ~positive], axis=1)) / n_positive
    estimates = above.mean(axis=1)
    codes = np.arange(len(positive)) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    first, first_groups = _by_group(above - estimates[:, None], codes[positive], codes.max() + 1)
    second, second_groups = _by_group(below - estimates[:, None], codes[~positive], codes.max() + 1)
    both = _unbiased(codes.max() + 1) * first @ second.T / (n_positive * n_negative)
    covariance = (
        _unbiased(first_groups) * first @ first.T / n_positive**2
        + _unbiased(second_groups) * second @ second.T / n_negative**2
        + both
        + both.T
    )
    return Areas(estimates, covariance)


def interval(
    estimate: float, variance: float, *, confidence: float = 0.95, scale: str = "logit"
) -> tuple[float, float]:
    """Lower and upper end of the interval of an area.

    Parameters
    ----------
    estimate, variance : float
        As from `areas`.
    confidence : float
        0..1.
    scale : {"logit", "plain"}
        On the logit scale the ends stay between 0 and 1 and cover better near 1 (M. S. Pepe, "The Statistical
        Evaluation of Medical Tests for Classification and Prediction", 2003, section 5.2); the plain normal interval
        is what most programs print.

    Returns
    -------
    tuple of float
        NaN for an area of exactly 0 or 1, whose variance cannot be estimated from the images.
    """
    if not (variance > 0 and 0 < estimate < 1):
        return np.nan, np.nan
    reach = norm.ppf(0.5 + confidence / 2) * np.sqrt(variance)
    if scale == "plain":
        return max(0.0, estimate - reach), min(1.0, estimate + reach)
    ends = expit(logit(estimate) + np.array([-1, 1]) * reach / (estimate * (1 - estimate)))
    return float(ends[0]), float(ends[1])


def difference(found: Areas, model: int, other: int, confidence: float = 0.95) -> dict[str, float]:
    """Difference between two areas on the same images, with its interval and the p value of no difference.

    Parameters
    ----------
    found : Areas
    model, other : int
        Rows of the two models.
    confidence : float
        0..1.

    Returns
    -------
    dict of float
        ``difference`` (model minus other), ``low``, ``high``, ``z``, ``p`` (two-sided). Models that rank all images
        alike differ by 0 with p = 1.
    """
    gap = found.estimates[model] - found.estimates[other]
    chosen = found.covariance[np.ix_([model, other], [model, other])]
    deviation = np.sqrt(max(chosen[0, 0] + chosen[1, 1] - 2 * chosen[0, 1], 0.0))
    same = deviation < 1e-12
    z = np.nan if same and abs(gap) >= 1e-12 else gap / (deviation if not same else 1)
    reach = norm.ppf(0.5 + confidence / 2) * deviation
    return {"difference": gap, "low": gap - reach, "high": gap + reach, "z": z, "p": float(2 * norm.sf(abs(z)))}


def _by_group(parts: np.ndarray, codes: np.ndarray, groups: int) -> tuple[np.ndarray, int]:
    """Sums over groups of the K rows of `parts`, float of shape (K, groups), and how many groups have a part."""
    sums = np.stack([np.bincount(codes, weights=row, minlength=groups) for row in parts])
    return sums, len(np.unique(codes))


def _unbiased(groups: int) -> float:
    return groups / (groups - 1) if groups > 1 else np.nan
