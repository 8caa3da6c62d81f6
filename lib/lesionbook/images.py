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
    metadata : ndarray of float32, shape (M, K), optional
        What a network with a second input is told beside each image of the store; see `lesionbook.metadata`.
    """

    index: pd.DataFrame
    classes: list[str]
    array: np.ndarray
    positions: np.ndarray
    metadata: np.ndarray | None = None

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

    def beside(self, chosen: np.ndarray | slice = slice(None)) -> np.ndarray | None:
        """Metadata of the chosen rows, float32 of shape (K, columns), if the rows have any."""
        return None if self.metadata is None else self.metadata[self.positions[chosen]]

    def inputs(self, images: np.ndarray, chosen: np.ndarray | slice) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """What a network is given for the chosen rows: what became of their images, and metadata if there are any."""
        beside = self.beside(chosen)
        return images if beside is None else (images, beside)

    def find(self, image_ids: pd.Series) -> np.ndarray:
        """Where images stand among the rows, by their ids, int of shape (K,).

        Raises
        ------
        LesionbookError
            If an id is not among the rows.
        """
        found = pd.Index(self.index["image_id"]).get_indexer(image_ids)
        if (found < 0).any():
            absent = pd.Index(image_ids)[found < 0][0]
            raise LesionbookError(f"The image {absent!r} is not among these {len(self)} rows; open the right split.")
        return found

    def of(self, image_ids: pd.Series) -> np.ndarray:
        """Images by their ids, in the order of the ids, uint8 of shape (K, S, S, 3); errors as in `find`."""
        return self.images(self.find(image_ids))


@dataclass(frozen=True)
class Store:
    """All images of a study at one size, with their index."""

    index: pd.DataFrame
    array: np.ndarray
    classes: list[str]
    metadata: np.ndarray | None = None

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

    def __reduce__(self) -> tuple:
        """Let another process map the same file instead of sending it the images."""
        if not isinstance(self.array, np.memmap):
            return Store, (self.index, self.array, self.classes, self.metadata)
        return _mapped, (self.index, self.array.filename, self.classes, self.metadata)

    @property
    def size(self) -> int:
        """Side of the square images in pixels."""
        return self.array.shape[1]

    def rows(self, *splits: str) -> Rows:
        """Rows of the named splits (train, val, test), in the order of the index."""
        positions = np.flatnonzero(self.index["split"].isin(splits))
        index = self.index.iloc[positions].reset_index(drop=True)
        return Rows(index, self.classes, self.array, positions, self.metadata)


def _mapped(index: pd.DataFrame, path: Path, classes: list[str], metadata: np.ndarray | None) -> Store:
    return Store(index, np.load(path, mmap_mode="r"), classes, metadata)


def digest(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
