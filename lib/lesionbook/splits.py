"""Sharing images out among training, validation and test, so that no lesion and no picture stands on two sides."""

import random
import warnings

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from lesionbook.errors import LesionbookError

NAMES = ("train", "val", "test")
MOST_FOLDS = 50


def together(*keys: pd.Series) -> np.ndarray:
    """Number the sets of images that must stay together because they share any of several keys.

    Parameters
    ----------
    *keys : Series of N values
        For instance the lesion and a hash of the picture: images that share either, directly or through a third image,
        end up in one set. A missing value is shared with no other image.

    Returns
    -------
    ndarray of int, shape (N,)
        Sets numbered from 0.
    """
    images = np.arange(len(keys[0]))
    codes, offset = [], len(images)
    for key in keys:
        code = pd.factorize(key)[0]
        codes.append(code + offset)
        offset += code.max(initial=-1) + 1
    rows, columns = np.tile(images, len(keys)), np.concatenate(codes)
    known = np.concatenate([key.notna().to_numpy() for key in keys])
    rows, columns = rows[known], columns[known]
    graph = coo_matrix((np.ones(len(rows), dtype=bool), (rows, columns)), shape=(offset, offset))
    return connected_components(graph, directed=False)[1][: len(images)]


def by_group(labels: pd.Series, groups: np.ndarray, fractions: tuple[float, float, float], *, seed: int) -> np.ndarray:
    """Split by group, with nearly equal class shares on every side.

    The images are dealt into k folds by scikit-learn's ``StratifiedGroupKFold``, k being the smallest number of which
    all fractions are whole multiples; the first folds become test, the next validation, the rest training.

    Parameters
    ----------
    labels : Series of N class keys
    groups : ndarray of N group numbers
    fractions : (float, float, float)
        Shares of train, validation and test, adding up to 1.
    seed : int

    Returns
    -------
    ndarray of str, shape (N,)
        ``train``, ``val`` or ``test``.

    Raises
    ------
    LesionbookError
        If the fractions need more than 50 folds, or a class has too few groups to stand on all three sides.
    """
    shares = np.array([fractions[2], fractions[1], fractions[0]])
    folds = next(
        (k for k in range(2, MOST_FOLDS + 1) if np.allclose(shares * k, np.round(shares * k), atol=1e-6)), None
    )
    if folds is None:
        raise LesionbookError(f"split: {fractions} are no multiples of a common 1/k up to 1/{MOST_FOLDS}; round them.")
    per_class = pd.Series(groups).groupby(labels.to_numpy()).nunique()
    if per_class.min() < len(NAMES):
        rare = per_class.idxmin()
        raise LesionbookError(f"split: class {rare!r} has {per_class[rare]} groups; three sides need at least three.")
    boundaries = np.cumsum(np.round(shares * folds)).astype(int)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    sides = np.empty(len(labels), dtype=object)
    with warnings.catch_warnings():
        # A class with fewer images than folds is looked at below.
        warnings.filterwarnings("ignore", message="The least populated class", category=UserWarning)
        for fold, (_, chosen) in enumerate(splitter.split(labels, labels, groups)):
            sides[chosen] = NAMES[::-1][int(np.searchsorted(boundaries, fold, side="right"))]
    counts = pd.crosstab(labels.to_numpy(), sides)
    for rare in counts.index[(counts == 0).any(axis=1)]:
        absent = counts.columns[counts.loc[rare] == 0][0]
        raise LesionbookError(
            f"split: none of the {per_class[rare]} groups of class {rare!r} came to {absent}; "
            "give validation and test larger shares, or add images of it."
        )
    return sides


def by_count(labels: pd.Series, groups: np.ndarray, *, validation: int, test: int, seed: int) -> np.ndarray:
    """Split so that test and validation hold a number of images of each class; the rest is training.

    Groups stay whole. They are gone through in random order, and each that still fits is taken; a gap that a large
    group leaves is filled by a smaller one that comes later.

    Parameters
    ----------
    labels : Series of N class keys
    groups : ndarray of N group numbers
    validation, test : int
        Images of each class.
    seed : int

    Returns
    -------
    ndarray of str, shape (N,)
        ``train``, ``val`` or ``test``.

    Raises
    ------
    LesionbookError
        If a class has too few images to fill both sides and leave some for training.
    """
    counts = pd.crosstab(groups, labels.to_numpy())
    order, rows = np.random.default_rng(seed).permutation(len(counts)), counts.to_numpy()
    side = np.full(len(counts), NAMES[0], dtype=object)
    for name, most in ((NAMES[2], test), (NAMES[1], validation)):
        left = np.full(rows.shape[1], most)
        for group in order:
            if side[group] == NAMES[0] and (rows[group] <= left).all():
                side[group] = name
                left -= rows[group]
        if left.any():
            short = counts.columns[left.argmax()]
            raise LesionbookError(
                f"split: only {most - left.max()} of {most} images of class {short!r} fit into {name}; ask for fewer."
            )
    trained = rows[side == NAMES[0]].sum(axis=0)
    if not trained.all():
        raise LesionbookError(f"split: no image of class {counts.columns[trained.argmin()]!r} is left for training.")
    return side[counts.index.get_indexer(groups)]


def by_image(
    labels: pd.Series, image_ids: pd.Series, fractions: tuple[float, float, float], *, seed: int = 1337
) -> np.ndarray:
    """Split each class by image, blind to lesions, as the tool split-folders does.

    Per class the sorted file names are shuffled with Python's generator and cut at the truncated fractions. This is the
    split of several published studies; it is kept to reproduce their sizes and to show what it leaks.

    Returns
    -------
    ndarray of str, shape (N,)
        ``train``, ``val`` or ``test``.
    """
    sides = pd.Series(NAMES[2], index=image_ids.to_numpy(), dtype=object)
    for _, members in image_ids.groupby(labels.to_numpy()):
        names = sorted(members)
        random.Random(seed).shuffle(names)
        first = int(fractions[0] * len(names))
        second = first + int(fractions[1] * len(names))
        sides[names[:first]], sides[names[first:second]] = NAMES[0], NAMES[1]
    return sides.loc[image_ids.to_numpy()].to_numpy()


def sizes(labels: pd.Series, sides: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """Images per side (rows) and class (columns), with a column ``total``."""
    counts = pd.crosstab(pd.Series(sides, name="split"), labels.to_numpy())
    counts = counts.reindex(index=list(NAMES), columns=classes, fill_value=0)
    return counts.assign(total=counts.sum(axis=1)).rename_axis(columns=None)


def shared_groups(groups: pd.Series, sides: np.ndarray) -> pd.DataFrame:
    """How many validation and test images have a sibling of the same group in training.

    Returns
    -------
    DataFrame
        Index ``val``, ``test``; columns ``images``, ``with_sibling_in_training`` (counts) and ``share`` (0 to 1).
    """
    training = set(groups[sides == "train"])
    rows = {}
    for side in NAMES[1:]:
        members = groups[sides == side]
        shared = int(members.isin(training).sum())
        rows[side] = {
            "images": len(members),
            "with_sibling_in_training": shared,
            "share": shared / max(len(members), 1),
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype({"images": int, "with_sibling_in_training": int})
