"""The store of images that every model reads: one index and one memory-mapped array."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from lesionbook.errors import LesionbookError


@dataclass(frozen=True)
class Rows:
    """Some rows of a store: index and images in the same order, images read only when asked for.

    Attributes
    ----------
    index : DataFrame of N rows
        ``image_id``, ``group``, ``label``, ``split`` and the metadata of the data set.
    classes : list of str
        All classes of the study, in their fixed order.
    array : ndarray of uint8, shape (M, S, S, 3)
        The whole store, memory-mapped.
    positions : ndarray of int, shape (N,)
        Where the rows stand in `array`.
    """

    index: pd.DataFrame
    classes: list[str]
    array: np.ndarray
    positions: np.ndarray

    def __len__(self) -> int:
        """Give the number of rows."""
        return len(self.positions)

    @cached_property
    def codes(self) -> np.ndarray:
        """Class positions, int of shape (N,)."""
        return pd.Categorical(self.index["label"], categories=self.classes).codes.astype(int)

    def images(self, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Images of the chosen rows, uint8 of shape (K, S, S, 3)."""
        return self.array[self.positions[chosen]]

    def of(self, image_ids: pd.Series) -> np.ndarray:
        """Images by their ids, in the order of the ids, uint8 of shape (K, S, S, 3).

        Raises
        ------
        LesionbookError
            If an id is not among the rows.
        """
        found = pd.Index(self.index["image_id"]).get_indexer(image_ids)
        if (found < 0).any():
            absent = pd.Index(image_ids)[found < 0][0]
            raise LesionbookError(f"The image {absent!r} is not among these {len(self)} rows; open the right split.")
        return self.images(found)


@dataclass(frozen=True)
class Store:
    """All images of a study at one size, with their index."""

    index: pd.DataFrame
    array: np.ndarray
    classes: list[str]

    @classmethod
    def open(cls, folder: Path, classes: list[str]) -> "Store":
        """Open the store that the preparation notebook left in a folder.

        Raises
        ------
        LesionbookError
            If it is missing, or index and images disagree in length.
        """
        index_path, array_path = folder / "index.csv", folder / "images.npy"
        if not (index_path.exists() and array_path.exists()):
            raise LesionbookError(f"No image store in {folder.name}; run the preparation notebook first (make report).")
        index = pd.read_csv(index_path, dtype={"image_id": str, "group": str, "label": str})
        array = np.load(array_path, mmap_mode="r")
        if len(index) != len(array):
            raise LesionbookError(f"{folder.name}: {len(index)} rows but {len(array)} images; run preparation again.")
        return cls(index, array, classes)

    @property
    def size(self) -> int:
        """Side of the square images in pixels."""
        return self.array.shape[1]

    def rows(self, *splits: str) -> Rows:
        """Rows of the named splits (train, val, test), in the order of the index."""
        positions = np.flatnonzero(self.index["split"].isin(splits))
        return Rows(self.index.iloc[positions].reset_index(drop=True), self.classes, self.array, positions)


def digest(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
