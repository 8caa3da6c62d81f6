"""Near-duplicates: the same picture once more, compressed, resized, brightened, slightly cut, mirrored or turned."""

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pandas as pd
from scipy.fft import dctn
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from lesionbook import alignment
from lesionbook.errors import LesionbookError

SIDE, LOW = 32, 16  # pixels of the reduced image; frequencies kept in each direction
LEAST_CONTRAST = 2.0  # standard deviation of the reduced image in grey levels; below, there is only noise to compare
# Settled on HAM10000, pairs of different lesions looked at: up to 34 bits all but one in a hundred pairs show one
# picture, up to 48 two in three; different pictures among these correlate by 0.45 at most, the same ones nine times in
# ten by 0.7 or more.
MOST_BITS, LEAST_CORRELATION = 48, 0.55
MOST_PAIRS = 2_000_000
ROWS, COLUMNS = 256, 4096  # hashes compared at once by one thread; with fewer, threads wait for the interpreter

VIEWS = (
    "as it is",
    "mirrored left to right",
    "mirrored top to bottom",
    "turned by 180°",
    "mirrored along the falling diagonal",
    "turned by 90° to the right",
    "turned by 90° to the left",
    "mirrored along the rising diagonal",
)


def perceptual_hash(images: np.ndarray) -> np.ndarray:
    """Hash images so that those which look the same get hashes that differ in few bits.

    The image is turned to grey, reduced to 32 × 32 pixels by area averaging and transformed by the discrete cosine
    transform; each of the 16 × 16 lowest frequencies gives one bit (Zauner, Implementation and benchmarking of
    perceptual image hash functions, 2010). The bit is the sign of the coefficient, the mean brightness left out, rather
    than its side of the median: it is as good, and the hashes of the mirrored and of the turned image follow from it.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, S, S, 3)

    Returns
    -------
    ndarray of uint64, shape (N, 4)
        One word for each combination of even and odd frequencies along rows and columns, 64 bits each. All zero where
        an image has too little contrast (empty glass): such an image is a near-duplicate of no other.
    """
    count, side = images.shape[:2]
    grey = cv2.cvtColor(images.reshape(count * side, side, 3), cv2.COLOR_RGB2GRAY).reshape(count, side, side)
    reduced = np.stack([cv2.resize(one, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for one in grey.astype(np.float32)])
    waves = dctn(reduced, type=2, axes=(1, 2), norm="ortho")[:, :LOW, :LOW]
    waves[:, 0, 0] = 0
    bits = np.stack([waves[:, rows::2, columns::2] > 0 for rows in (0, 1) for columns in (0, 1)], axis=1)
    bits[reduced.std(axis=(1, 2)) < LEAST_CONTRAST] = False
    return np.packbits(bits.reshape(count, 4, -1), axis=-1).view(np.uint64)[..., 0]


def pairs(hashes: np.ndarray, *, most_bits: int = MOST_BITS) -> pd.DataFrame:
    """Find all pairs of hashes that differ in few bits, one of the two images mirrored or turned if need be.

    Every pair is compared; nothing is approximated.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (N, 4)
        As `perceptual_hash` makes them.
    most_bits : int
        Largest difference, of 255 bits.

    Returns
    -------
    DataFrame
        ``first``, ``second`` (positions, first < second, in this order), ``bits`` (the difference) and ``view``: how
        the second image is to be seen to look like the first, a position in `VIEWS`.

    Raises
    ------
    LesionbookError
        If there are more than two million pairs.
    """
    known = np.flatnonzero(hashes.any(axis=1))
    own = np.ascontiguousarray(hashes[known].T)
    others = (own, np.ascontiguousarray(_transposed(hashes[known]).T))
    found, total = [np.empty((4, 0), np.int64)], 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(lambda start: _strip(own, others, start, most_bits), range(0, len(known), ROWS)):
            found.append(part)
            total += part.shape[1]
            if total > MOST_PAIRS:
                pool.shutdown(cancel_futures=True)
                raise LesionbookError(
                    f"More than {MOST_PAIRS:,} pairs of images differ by at most {most_bits} of 255 bits; take copies "
                    "out of the data folder, or search with a smaller most_bits."
                )
    first, second, bits, view = np.concatenate(found, axis=1)
    table = pd.DataFrame({"first": known[first], "second": known[second], "bits": bits, "view": view})
    ordered = table.sort_values(["first", "second", "bits", "view"])
    return ordered.drop_duplicates(["first", "second"], ignore_index=True)


def _strip(own: np.ndarray, others: tuple[np.ndarray, ...], start: int, most_bits: int) -> np.ndarray:
    """Compare `ROWS` hashes with all that follow: first, second, bits and view of the pairs, int of shape (4, K)."""
    words = own[:, start : start + ROWS, None]
    differing = np.empty((words.shape[1], COLUMNS), np.uint64)
    even, odd = np.empty((2, *differing.shape), np.uint8)
    found = [np.empty((4, 0), np.int64)]
    for left in range(start, own.shape[1], COLUMNS):
        width = min(COLUMNS, own.shape[1] - left)
        for turned, other in enumerate(others):
            for word, count in enumerate((even, odd)):
                np.bitwise_xor(words[word], other[word, left : left + width], out=differing[:, :width])
                np.bitwise_count(differing[:, :width], out=count[:, :width])
            # Mirroring turns all bits of some words over, so that no view differs by less than this in two words.
            least = even[:, :width] + np.minimum(odd[:, :width], 64 - odd[:, :width])
            first, second = np.divmod(np.flatnonzero(least <= most_bits), width)
            first, second = first + start, second + left
            bits, view = _nearest(own[:, first] ^ other[:, second])
            chosen = (bits <= most_bits) & (first < second)
            found.append(np.stack([first, second, bits, view + 4 * turned])[:, chosen])
        if sum(part.shape[1] for part in found) > MOST_PAIRS:
            break
    return np.concatenate(found, axis=1)


def _nearest(differing: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fewest bits among the four ways to mirror, and which it is, from differing bits of shape (4, K)."""
    even, columns, rows, both = np.bitwise_count(differing).astype(np.int64)
    bits = np.stack(
        [
            even + columns + rows + both,
            even + (64 - columns) + rows + (64 - both),  # left to right: odd frequencies along the columns change sign
            even + columns + (64 - rows) + (64 - both),
            even + (64 - columns) + (64 - rows) + both,
        ]
    )
    return bits.min(axis=0), bits.argmin(axis=0)


def _transposed(hashes: np.ndarray) -> np.ndarray:
    """Hashes of the transposed images: rows and columns of the frequencies change places, uint64 of shape (N, 4)."""
    bits = np.unpackbits(hashes.view(np.uint8), axis=1).reshape(-1, 2, 2, LOW // 2, LOW // 2)
    return np.packbits(bits.transpose(0, 2, 1, 4, 3).reshape(-1, LOW * LOW), axis=1).view(np.uint64)


def seen(image: np.ndarray, view: int) -> np.ndarray:
    """An image of shape (H, W) or (H, W, 3) as one of the `VIEWS`."""
    turned = image.swapaxes(0, 1) if view & 4 else image
    turned = turned[::-1] if view & 2 else turned
    return np.ascontiguousarray(turned[:, ::-1] if view & 1 else turned)


def confirmed(pairs: pd.DataFrame, array: np.ndarray, *, least_correlation: float = LEAST_CORRELATION) -> pd.DataFrame:
    """Keep the pairs whose details coincide, once one image is laid over the other.

    Two moles in the middle of a round field of view have similar hashes. They are told from one picture twice by their
    details, see `lesionbook.alignment.correlation`.

    Parameters
    ----------
    pairs : DataFrame
        As `pairs` finds them.
    array : ndarray of uint8, shape (N, S, S, 3)
        The images, memory-mapped or not; only the rows of the pairs are read.
    least_correlation : float
        Pearson's, of the details, -1 to 1.

    Returns
    -------
    DataFrame
        The pairs that reach it, in the same order, with their ``correlation``.
    """

    def correlation(first: int, second: int, view: int) -> float:
        one, other = alignment.small(array[first]), seen(alignment.small(array[second]), view)
        return alignment.correlation(one, other, least_correlation)

    values: list[float] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(pairs), COLUMNS):
            block = pairs.iloc[start : start + COLUMNS]
            values.extend(pool.map(correlation, block["first"], block["second"], block["view"]))
    table = pairs.assign(correlation=np.array(values, dtype=float))
    return table[table["correlation"] >= least_correlation].reset_index(drop=True)


def clusters(pairs: pd.DataFrame, count: int) -> pd.Series:
    """Number the sets of images that near-duplicates join, directly or through a third image.

    Parameters
    ----------
    pairs : DataFrame
        Positions ``first`` and ``second``; pairs that are `confirmed`, since a chain of chance likenesses would join
        what has nothing in common.
    count : int
        Number of images, N.

    Returns
    -------
    Series of N floats
        A key for `splits.together`: the number of the set, from 0, and NaN for an image without a near-duplicate.
    """
    ends = (pairs["first"].to_numpy(), pairs["second"].to_numpy())
    graph = coo_matrix((np.ones(len(pairs), dtype=bool), ends), shape=(count, count))
    sets = pd.Series(connected_components(graph, directed=False)[1])
    sets = sets.where(sets.duplicated(keep=False))
    return pd.Series(pd.factorize(sets)[0]).where(sets.notna())


def listing(pairs: pd.DataFrame, index: pd.DataFrame) -> pd.DataFrame:
    """Write out pairs with what is known of both images.

    Parameters
    ----------
    pairs : DataFrame
        As `pairs` or `confirmed` return them.
    index : DataFrame of N rows
        With ``image_id, label, group`` and, once split, ``split``, in the order of the hashes.

    Returns
    -------
    DataFrame
        ``first_image_id, second_image_id, first_label, second_label, …``, then the other columns of `pairs`, the view
        in words. Pairs across labels come first, then those across groups, the closest first.
    """
    known = [name for name in ("image_id", "label", "group", "split") if name in index.columns]
    table = pd.DataFrame(
        {f"{end}_{name}": index[name].to_numpy()[pairs[end]] for name in known for end in ("first", "second")}
    )
    table = pd.concat([table, pairs.drop(columns=["first", "second"]).reset_index(drop=True)], axis=1)
    table["view"] = [VIEWS[view] for view in table["view"]]
    same = pd.DataFrame({name: table[f"first_{name}"] == table[f"second_{name}"] for name in ("label", "group")})
    order = same.assign(bits=table["bits"]).sort_values(["label", "group", "bits"], kind="stable").index
    return table.loc[order].reset_index(drop=True)


def counts(listed: pd.DataFrame) -> dict[str, int]:
    """Count the ``pairs`` of a `listing`, and those across ``labels``, ``groups`` and, once split, ``splits``."""
    across = {
        f"{name}s": int((listed[f"first_{name}"] != listed[f"second_{name}"]).sum())
        for name in ("label", "group", "split")
        if f"first_{name}" in listed.columns
    }
    return {"pairs": len(listed), **across}
