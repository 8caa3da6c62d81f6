"""What a split by image is worth: the same models where photographs of one lesion may stand on both sides, and not.

A model may then recognize a lesion instead of its kind. Nothing here chooses anything by test images.
"""

from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lesionbook import splits
from lesionbook.images import Rows

CLEAN, LEAKY = "by group", "by image"
TREES = 100
THUMBNAIL = 12  # pixels of a side, which is all that a neighbour is looked for by


class Model(Protocol):
    """What is trained and asked, as the classifiers of scikit-learn are."""

    def fit(self, values: np.ndarray, labels: pd.Series) -> "Model":
        """Learn from training images."""

    def predict(self, values: np.ndarray) -> np.ndarray:
        """Class keys of images."""


Learner = tuple[str, Callable[[int], Model]]  # which input it takes, and what makes it from a seed


def shrunk(rows: Rows, side: int) -> np.ndarray:
    """Images of few pixels, uint8 of shape (N, side, side, 3), 0 to 255."""
    return np.stack(
        [
            cv2.resize(rows.images(slice(at, at + 1))[0], (side, side), interpolation=cv2.INTER_AREA)
            for at in range(len(rows))
        ]
    )


def inputs(rows: Rows, colours: pd.DataFrame, *, side: int) -> dict[str, np.ndarray]:
    """What models are given of each image, by its name.

    Parameters
    ----------
    rows : Rows of N images
    colours : DataFrame of N rows
        As ``colour_statistics.features`` gives it.
    side : int
        Of the images that a network sees, in pixels.

    Returns
    -------
    dict of ndarray
        ``colours``, ``thumbnails`` and ``both`` of shape (N, features), ``images`` as `shrunk` gives them.
    """
    small = shrunk(rows, THUMBNAIL).reshape(len(rows), -1).astype(np.float32)
    both = np.hstack([colours.to_numpy(), small])
    return {"colours": colours.to_numpy(), "thumbnails": small, "both": both, "images": shrunk(rows, side)}


def learners(threads: int = 1) -> dict[str, Learner]:
    """Models from one that can hardly remember an image to one that does nothing else."""
    return {
        "logistic regression": ("colours", lambda seed: make_pipeline(StandardScaler(), _regression(seed))),
        "random forest": ("both", lambda seed: ExtraTreesClassifier(TREES, random_state=seed, n_jobs=threads)),
        "nearest neighbour": ("thumbnails", lambda seed: KNeighborsClassifier(1, n_jobs=threads)),
    }


def by_image(sides: np.ndarray, labels: pd.Series, *, seed: int) -> np.ndarray:
    """Deal the sides of a split out again by image, each class with as many images on each side as before.

    Parameters
    ----------
    sides : ndarray of str, shape (N,)
        ``train``, ``val`` or ``test``.
    labels : Series of N class keys
    seed : int

    Returns
    -------
    ndarray of str, shape (N,)
    """
    rng = np.random.default_rng(seed)
    dealt = np.array(sides, dtype=object)
    for members in pd.Series(labels.to_numpy()).groupby(labels.to_numpy()).indices.values():
        dealt[members] = dealt[rng.permutation(members)]
    return dealt


def compare_splits(
    index: pd.DataFrame,
    given: dict[str, np.ndarray],
    models: dict[str, Learner],
    *,
    fractions: tuple[float, float, float],
    repetitions: int,
    seed: int,
    progress: Callable[[int, int], Any] = lambda done, total: None,
) -> pd.DataFrame:
    """Train and test every model under both kinds of split, again and again with other seeds.

    Parameters
    ----------
    index : DataFrame of N rows
        ``label`` and ``group``.
    given : dict of ndarray
        As `inputs` makes them, rows as in `index`.
    models : dict of Learner
        By name: `learners`, or ``leakage_network.learner``.
    fractions : (float, float, float)
        Shares of train, validation and test. Validation images are left aside: nothing is chosen here.
    repetitions, seed : int
        Splits are drawn and models made with the seeds `seed`, `seed` + 1, …; both kinds of split share a seed.
    progress : callable
        Told how many of how many trainings are done.

    Returns
    -------
    DataFrame
        ``repetition, split`` (by group, by image), ``model``, ``siblings`` (share of the test images that have another
        photograph of their group in training), ``training`` (accuracy of training images), ``accuracy,
        balanced_accuracy`` of test images and the accuracy of those whose group has one image (``accuracy_alone``) or
        more (``accuracy_several``; NaN without any).
    """
    labels, groups = index["label"], pd.factorize(index["group"])[0]
    several = np.bincount(groups)[groups] > 1
    rows: list[dict[str, Any]] = []
    for repetition in range(repetitions):
        clean = splits.by_group(labels, groups, fractions, seed=seed + repetition)
        for split, sides in ((CLEAN, clean), (LEAKY, by_image(clean, labels, seed=seed + repetition))):
            train, test = np.flatnonzero(sides == "train"), np.flatnonzero(sides == "test")
            siblings = np.isin(groups[test], groups[train]).mean()
            for name, (taken, make) in models.items():
                model = make(seed + repetition).fit(given[taken][train], labels.iloc[train])
                known = accuracy_score(labels.iloc[train], model.predict(given[taken][train]))
                scored = _scores(labels.iloc[test].to_numpy(), model.predict(given[taken][test]), several[test])
                row = {"repetition": repetition, "split": split, "model": name, "siblings": siblings}
                rows.append(row | {"training": known} | scored)
                progress(len(rows), repetitions * 2 * len(models))
    return pd.DataFrame(rows)


def _regression(seed: int) -> LogisticRegression:
    return LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=200, random_state=seed)


def _scores(labels: np.ndarray, predicted: np.ndarray, several: np.ndarray) -> dict[str, float]:
    parts = {"accuracy_alone": ~several, "accuracy_several": several}
    return {
        "accuracy": accuracy_score(labels, predicted),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        **{
            name: accuracy_score(labels[part], predicted[part]) if part.any() else np.nan
            for name, part in parts.items()
        },
    }
