"""Some of the images of a side, chosen by a seed, with the shares of the classes kept."""

import numpy as np
import pandas as pd

from lesionbook.errors import LesionbookError
from lesionbook.images import Store

UNUSED = "unused"  # split of the images that are left out


def take(store: Store, sizes: dict[str, int | None], *, seed: int) -> Store:
    """Leave out images of some sides.

    Parameters
    ----------
    store : Store
        All images.
    sizes : dict
        Split (``train``, ``val``) to the number of its images that stay; None keeps all.
    seed : int
        Decides which ones stay. A smaller set is a part of a larger one of the same seed and the same class shares.

    Returns
    -------
    Store
        The same array; images that are left out have the split ``unused``.

    Raises
    ------
    LesionbookError
        If a side has fewer images, or the number is smaller than the number of classes.
    """
    split = store.index["split"].to_numpy(copy=True)
    for side, size in sizes.items():
        if size is None:
            continue
        rows = np.flatnonzero(store.index["split"] == side)
        if not len(store.classes) <= size <= len(rows):
            raise LesionbookError(
                f"{size} images of the side {side!r} were asked for; it has {len(rows)}, "
                f"and the {len(store.classes)} classes need one each."
            )
        labels = store.index["label"].iloc[rows]
        # Every class in an order of its own: the first ones of each are taken.
        order = np.random.default_rng([seed, len(side)]).permutation(rows)
        by_class = [order[(store.index["label"].iloc[order] == name).to_numpy()] for name in store.classes]
        counts = _shared(np.array([(labels == name).sum() for name in store.classes]), size)
        kept = np.concatenate([members[:count] for members, count in zip(by_class, counts, strict=True)])
        split[np.setdiff1d(rows, kept)] = UNUSED
    index: pd.DataFrame = store.index.assign(split=split)
    return Store(index, store.array, store.classes, store.metadata)


def _shared(counts: np.ndarray, size: int) -> np.ndarray:
    """Share a number out by counts, the largest remainders rounded up; a class that has images keeps one."""
    exact = counts * size / counts.sum()
    shares = np.maximum(np.floor(exact).astype(int), counts > 0)
    while shares.sum() != size:
        step = 1 if shares.sum() < size else -1
        room = (shares < counts) if step > 0 else (shares > 1)
        short = np.where(room, (exact - shares) * step, -np.inf)
        shares[int(np.argmax(short))] += step
    return shares
