"""Whether a picture is of the kind that a network was trained on.

A network answers for any picture, a cat's included, and may be sure. Three things of a picture are therefore compared
with training images: what the network makes of it (the features that enter its head), its colours (mean, spread and
percentiles of the channels, over the whole and over the middle) and its detail (how much channels vary, and neighbours
differ: a blank or noisy picture of the right colour has too little or too much). Each comparison is a squared
Mahalanobis distance from the mean of the training images, divided by the 99th percentile of this distance among the
validation images. The score is the largest of the three; a picture whose score is above the 99th percentile of the
scores of the validation images is called unlike. One in a hundred right pictures is therefore turned away, and a
picture that resembles the training images in all three respects passes, whatever it shows.

The distance in the features is that of K. Lee, K. Lee, H. Lee and J. Shin, "A simple unified framework for detecting
out-of-distribution samples and adversarial attacks" (NeurIPS 2018), with one mean for all classes; the covariance is
shrunk as in O. Ledoit and M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices" (2004).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.covariance import ledoit_wolf_shrinkage

from lesionbook.architectures import colour_statistics
from lesionbook.images import Rows

QUANTILE = 0.99
BLOCK = 4  # pixels
IMAGES = 1000  # of each side at most: enough for a mean and a percentile, and soon computed


@dataclass(frozen=True)
class Distance:
    """Squared Mahalanobis distance from the mean of some vectors.

    Attributes
    ----------
    mean : ndarray, shape (F,)
    axes : ndarray, shape (K, F)
        Directions in which the vectors vary, at most one per vector.
    precisions : ndarray, shape (K,)
        One over the shrunk variance along each of them.
    rest : float
        The same for all other directions.
    """

    mean: np.ndarray
    axes: np.ndarray
    precisions: np.ndarray
    rest: float

    @classmethod
    def fit(cls, vectors: np.ndarray) -> "Distance":
        """Estimate mean and covariance from vectors of shape (N, F), without ever holding an F × F matrix."""
        vectors = vectors.astype(float)
        mean = vectors.mean(axis=0)
        shrinkage = ledoit_wolf_shrinkage(vectors)
        _, spreads, axes = np.linalg.svd(vectors - mean, full_matrices=False)
        variances = spreads**2 / len(vectors)
        smallest = max(shrinkage * variances.sum() / vectors.shape[1], 1e-12)
        return cls(mean, axes, 1 / ((1 - shrinkage) * variances + smallest), 1 / smallest)

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Distances of vectors of shape (N, F), float of shape (N,)."""
        apart = vectors.astype(float) - self.mean
        along = apart @ self.axes.T
        outside = np.maximum((apart**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        return along**2 @ self.precisions + outside * self.rest


@dataclass(frozen=True)
class Familiarity:
    """How unlike the training images pictures are, and from where on they are called so.

    Attributes
    ----------
    distances : tuple of Distance
        In features, colours and detail.
    scales : tuple of float
        99th percentiles of each among the validation images.
    threshold : float
        99th percentile of the scores of the validation images.
    """

    distances: tuple[Distance, ...]
    scales: tuple[float, ...]
    threshold: float

    def scores(self, features: np.ndarray, images: np.ndarray) -> np.ndarray:
        """Score pictures.

        Parameters
        ----------
        features : ndarray, shape (N, F)
            What the network makes of them.
        images : ndarray of uint8, shape (N, S, S, 3)

        Returns
        -------
        ndarray of float, shape (N,)
            0 upwards; above `threshold` a picture is unlike the training images.
        """
        parts = zip(self.distances, self.scales, _compared(features, images), strict=True)
        return np.max([distance(vectors) / scale for distance, scale, vectors in parts], axis=0)


def colours(images: np.ndarray) -> np.ndarray:
    """Colour statistics of images, float of shape (N, 30); see `colour_statistics.features`."""
    rows = Rows(pd.DataFrame(index=range(len(images))), [], images, np.arange(len(images)))
    return colour_statistics.features(rows).to_numpy(dtype=float)


def detail(images: np.ndarray) -> np.ndarray:
    """Logarithms of spread and roughness of images of shape (N, S, S, 3), float of shape (N, 7).

    The standard deviation of each channel, and the mean difference of brightness between neighbours, down and across:
    of pixels, and of blocks of 4 × 4 pixels.
    """
    grey = images.mean(axis=3)
    side = grey.shape[1] // BLOCK * BLOCK
    blocks = grey[:, :side, :side].reshape(len(grey), side // BLOCK, BLOCK, side // BLOCK, BLOCK).mean(axis=(2, 4))
    steps = [np.abs(np.diff(field, axis=axis)).mean(axis=(1, 2)) for field in (grey, blocks) for axis in (1, 2)]
    return np.log1p(np.column_stack([images.std(axis=(1, 2)), *steps]))


def fit(training: tuple[np.ndarray, np.ndarray], validation: tuple[np.ndarray, np.ndarray]) -> Familiarity:
    """Learn what training images are like, and from the validation images how unlike a right picture may be.

    Parameters
    ----------
    training, validation : tuple of ndarray
        Features of shape (N, F) and images of shape (N, S, S, 3) of some images of either side.

    Returns
    -------
    Familiarity
    """
    distances = tuple(Distance.fit(vectors) for vectors in _compared(*training))
    found = [distance(vectors) for distance, vectors in zip(distances, _compared(*validation), strict=True)]
    scales = tuple(float(max(np.quantile(one, QUANTILE), 1e-12)) for one in found)
    scores = np.max([one / scale for one, scale in zip(found, scales, strict=True)], axis=0)
    return Familiarity(distances, scales, float(np.quantile(scores, QUANTILE)))


def _compared(features: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, ...]:
    return features, colours(images), detail(images)


def some(rows: Rows, seed: int) -> np.ndarray:
    """Places of at most `IMAGES` rows, chosen by the seed, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(len(rows))[:IMAGES])
