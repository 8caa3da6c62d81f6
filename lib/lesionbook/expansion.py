"""Training images replaced by a fixed number of random variants of them, as a published study does."""

from pathlib import Path

import numpy as np
import pandas as pd

from lesionbook import augmentation
from lesionbook.errors import LesionbookError
from lesionbook.study import Variants


def expand(path: Path, index: pd.DataFrame, variants: Variants, *, seed: int) -> pd.DataFrame:
    """Put variants in the place of the training images of a store; validation and test stay as they are.

    Each training image has `variants.per_image` variants, each a function of seed, its number and the image id. Of all
    variants of a label as many as asked for are drawn without replacement, so that an image may come in several times
    and another not at all. Source: Shadis, "Optimizing a Convolutional Neural Network to Detect Melanoma in Images"
    (2021), who however draws variants of the same image for training and for the split he tests on.

    Parameters
    ----------
    path : Path
        The store's array, uint8 of shape (N, S, S, 3); replaced by one of shape (M, S, S, 3).
    index : DataFrame of N rows
        In the order of the array: ``image_id``, ``group``, ``label``, ``split``, and ``diagnosis`` where the labels of
        the data set were put together to classes.
    variants : Variants
        How many of which label, and how far each may be changed.
    seed : int

    Returns
    -------
    DataFrame of M rows
        Index of the new array: ids of variants end in ``-v`` and their number; ``source_id`` names the image.

    Raises
    ------
    LesionbookError
        If a label has no training images or fewer variants than asked for.
    """
    source = index["diagnosis" if "diagnosis" in index.columns else "label"]
    rng = np.random.default_rng(seed)
    rows, numbers = [], []
    for label, count in variants.images.items():
        members = np.flatnonzero((source == label) & (index["split"] == "train"))
        if count > len(members) * variants.per_image:
            raise LesionbookError(
                f"variants: {count} of label {label!r} are asked for, but {len(members)} training images have "
                f"{len(members) * variants.per_image}; ask for fewer or raise per_image."
            )
        drawn = np.sort(rng.choice(len(members) * variants.per_image, size=count, replace=False))
        rows.append(members[drawn // variants.per_image])
        numbers.append(drawn % variants.per_image)
    kept = np.flatnonzero(index["split"] != "train")
    position = np.concatenate([kept, *rows])
    number = np.concatenate([np.full(len(kept), -1), *numbers])

    old = np.load(path, mmap_mode="r")
    temporary = path.with_suffix(".part")
    new = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(len(position), *old.shape[1:]))
    keys = augmentation.keys(index["image_id"])
    try:
        for row, (place, variant) in enumerate(zip(position, number, strict=True)):
            new[row] = old[place] if variant < 0 else _variant(old[place], variants, seed, int(variant), keys[place])
        new.flush()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    expanded = index.iloc[position].reset_index(drop=True)
    expanded["source_id"] = expanded["image_id"]
    names = expanded["image_id"] + [f"-v{variant:02d}" if variant >= 0 else "" for variant in number]
    return expanded.assign(image_id=names)


def _variant(image: np.ndarray, variants: Variants, seed: int, number: int, key: int) -> np.ndarray:
    return augmentation.augment(np.asarray(image), variants.augmentation, seed=seed, epoch=number, key=key)
