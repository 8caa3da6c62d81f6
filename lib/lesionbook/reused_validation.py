"""What validation images are worth as test images: they have already chosen the setting that suits them best."""

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from lesionbook import leakage_results, splits

NEIGHBOURS = (1, 3, 5, 9, 15, 25, 41, 65)
HALVES = 4  # random halves of the features that count as further settings


def reuse(
    index: pd.DataFrame,
    values: np.ndarray,
    *,
    fractions: tuple[float, float, float],
    sizes: tuple[int, ...],
    repetitions: int,
    seed: int,
) -> pd.DataFrame:
    """Choose the best of many settings on some validation images and hold their score against that of test images.

    The settings are numbers of neighbours, on all features and on random halves of them; the split is by group.

    Parameters
    ----------
    index : DataFrame of N rows
        ``label`` and ``group``.
    values : ndarray of float, shape (N, F)
        Features.
    fractions, repetitions, seed
        As for `leakage.compare_splits`.
    sizes : tuple of int
        Numbers of validation images to choose by; those that a split cannot give are left out, and all validation
        images are added, under the number that the fraction stands for.

    Returns
    -------
    DataFrame
        ``repetition, size`` (validation images used), ``validation`` and ``test`` (accuracy of the chosen setting),
        ``settings`` (how many there were to choose from).
    """
    labels, groups = index["label"].to_numpy(), pd.factorize(index["group"])[0]
    every = round(fractions[1] * len(index))
    sizes = (*(size for size in sizes if size < 0.8 * every), every)
    rows = []
    for repetition in range(repetitions):
        rng = np.random.default_rng(seed + repetition)
        sides = splits.by_group(index["label"], groups, fractions, seed=seed + repetition)
        train, val, test = (np.flatnonzero(sides == side) for side in splits.NAMES)
        right = _neighbours(values, labels, train, np.concatenate([val, test]), rng)
        on_val, on_test = right[:, : len(val)], right[:, len(val) :]
        for size in sizes:
            chosen = rng.permutation(len(val))[: size if size < every else len(val)]
            used = on_val[:, chosen].mean(axis=1)
            best = int(used.argmax())
            rows.append((repetition, size, used[best], on_test[best].mean(), len(right)))
    return pd.DataFrame(rows, columns=["repetition", "size", "validation", "test", "settings"])


def optimism(results: pd.DataFrame, *, ratio: float, confidence: float = 0.95) -> pd.DataFrame:
    """Score of the chosen setting on the validation images that chose it minus that on test images, by their number.

    Returns
    -------
    DataFrame
        ``size, validation, test`` (means), ``difference, low, high``; see `leakage_results.interval` for `ratio`.
    """
    rows = []
    for size, part in results.groupby("size"):
        estimate, low, high = leakage_results.interval(
            (part["validation"] - part["test"]).to_numpy(), ratio=ratio, confidence=confidence
        )
        rows.append((size, part["validation"].mean(), part["test"].mean(), estimate, low, high))
    return pd.DataFrame(rows, columns=["size", "validation", "test", "difference", "low", "high"])


def _neighbours(
    values: np.ndarray, labels: np.ndarray, train: np.ndarray, asked: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Whether each setting (row) answers each image (column) rightly."""
    scaler = StandardScaler().fit(values[train])
    known, queries = scaler.transform(values[train]), scaler.transform(values[asked])
    codes, names = pd.factorize(labels[train], sort=True)
    width = values.shape[1]
    chosen = [np.arange(width)] + [np.sort(rng.permutation(width)[: width // 2]) for _ in range(HALVES)]
    numbers = [k for k in NEIGHBOURS if k <= len(train)]
    right = []
    for columns in chosen:
        found = NearestNeighbors(n_neighbors=numbers[-1]).fit(known[:, columns])
        near = codes[found.kneighbors(queries[:, columns], return_distance=False)]
        votes = np.eye(len(names), dtype=np.int16)[near].cumsum(axis=1)
        right += [names[votes[:, k - 1].argmax(axis=1)] == labels[asked] for k in numbers]
    return np.array(right)
