"""Whether two images show one picture: their fine details, compared after one is laid over the other."""

import cv2
import numpy as np

PIXELS = 96  # side at which images are compared; the next three hold for it
FINE, LOCAL, COARSE = 2, 3, 16  # standard deviations of Gaussians in pixels
NOISE = 2.0  # grey levels; details that are fainter count for less
LEAST_OVERLAP = 0.7  # of the area of two images after alignment


def small(image: np.ndarray) -> np.ndarray:
    """Grey values, float32, of an RGB image of uint8, reduced to 96 × 96 pixels where there are more."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY).astype(np.float32)
    side = min(PIXELS, len(grey))
    return cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)


def correlation(first: np.ndarray, second: np.ndarray, enough: float) -> float:
    """Correlate the details of two images, once one is laid over the other.

    Details are grey values less their surroundings, relative to the contrast there, so that neither a dark rim nor a
    nucleus in the corner of empty glass decides. Where they do not coincide at once, the second image is shifted,
    scaled and sheared to the best fit first (Evangelidis and Psarakis, Parametric image alignment using enhanced
    correlation coefficient maximization, 2008).

    Parameters
    ----------
    first, second : ndarray of float32, shape (S, S)
        As `small` makes them.
    enough : float
        Images that correlate so well as they are, are not aligned.

    Returns
    -------
    float
        Pearson's correlation, -1 to 1; 0 where one of the two has no details.
    """
    as_it_is, other = details(first), details(second)
    as_they_are = _pearson(as_it_is, other)
    if as_they_are >= enough:
        return as_they_are
    coarse = [grey - _blurred(grey, COARSE) for grey in (first, second)]
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 50, 1e-4)
    start = np.eye(2, 3, dtype=np.float32)
    try:
        _, warp = cv2.findTransformECC(*coarse, start, cv2.MOTION_AFFINE, until, None, 5)
    except cv2.error:  # the two have so little in common that the search runs away
        return as_they_are
    flags, size = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, first.shape
    inside = cv2.warpAffine(np.ones_like(second), warp, size, flags=flags) > 0.99
    if inside.mean() < LEAST_OVERLAP:
        return as_they_are
    moved = cv2.warpAffine(other, warp, size, flags=flags)
    return max(as_they_are, _pearson(as_it_is[inside], moved[inside]))


def _blurred(grey: np.ndarray, pixels: float) -> np.ndarray:
    return cv2.GaussianBlur(grey, (0, 0), pixels * len(grey) / PIXELS)


def details(grey: np.ndarray) -> np.ndarray:
    """Fine structures of a grey image relative to the contrast around them, float32 of the same shape."""
    fine = grey - _blurred(grey, FINE)
    return fine / np.sqrt(_blurred(fine**2, LOCAL) + NOISE**2)


def _pearson(first: np.ndarray, second: np.ndarray) -> float:
    first, second = first - first.mean(), second - second.mean()
    spread = float(np.sqrt((first**2).mean() * (second**2).mean()))
    return float((first * second).mean()) / spread if spread > 1e-4 else 0.0  # less is rounding
