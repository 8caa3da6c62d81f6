"""Decoding images, resizing them, and the store that every model reads: one index and one memory-mapped array."""

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageOps, UnidentifiedImageError

from lesionbook.errors import LesionbookError

CHUNK = 256  # images in memory at once while the store is written


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


def decode(path: Path, size: int, fit: str) -> tuple[np.ndarray, dict[str, object]]:
    """Read an image file as RGB and bring it to a square.

    Parameters
    ----------
    path : Path
        Any format that Pillow reads.
    size : int
        Side of the square in pixels.
    fit : {"crop", "squash"}
        Keep the proportions and cut the central square, or change the proportions and keep everything.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
        Resized with a Lanczos filter.
    dict
        ``width``, ``height`` in pixels, ``mode`` of the file, ``content``: SHA-256 of the decoded full-size pixels.

    Raises
    ------
    LesionbookError
        If the file cannot be decoded to its end.
    """
    try:
        with Image.open(path) as file:
            mode = file.mode
            image = ImageOps.exif_transpose(file.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        # Some messages of Python and Pillow hold the whole path, which belongs into no report.
        unknown = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
        reason = getattr(error, "strerror", None) or unknown
        raise LesionbookError(
            f"{path.parent.name}/{path.name} cannot be decoded ({reason}); replace the file."
        ) from error
    facts = {"width": image.width, "height": image.height, "mode": mode}
    facts["content"] = hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()
    if fit == "crop":
        return np.asarray(ImageOps.fit(image, (size, size), method=Image.Resampling.LANCZOS)), facts
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS)), facts


def original(path: Path) -> np.ndarray:
    """Read an image file at its own size, uint8 of shape (H, W, 3)."""
    with Image.open(path) as file:
        return np.asarray(ImageOps.exif_transpose(file.convert("RGB")))


def decode_many(paths: pd.Series, size: int, fit: str) -> np.ndarray:
    """Decode some images into memory, uint8 of shape (N, size, size, 3); see `decode`."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(lambda path: decode(Path(path), size, fit)[0], paths)))


def build(
    table: pd.DataFrame,
    path: Path,
    *,
    size: int,
    fit: str,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Decode every image of a table into one array on disk, in the order of the table.

    Parameters
    ----------
    table : DataFrame of N rows
        With ``image_id`` and ``path``.
    path : Path
        File to write: uint8 of shape (N, size, size, 3). It appears only when it is complete.
    size, fit
        As in `decode`.
    on_progress : callable
        Called with the images done and in all, after each chunk.

    Returns
    -------
    DataFrame of N rows
        ``image_id, width, height, mode, content``.

    Raises
    ------
    LesionbookError
        If there are no images or one cannot be decoded.
    """
    if table.empty:
        raise LesionbookError("There are no images to prepare; check the data folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=(len(table), size, size, 3))
    facts: list[dict[str, object]] = []
    try:
        # Pillow releases the interpreter lock while it decodes and resizes: threads use all cores.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start, paths in _chunks(list(table["path"])):
                for offset, (image, fact) in enumerate(pool.map(lambda p: decode(Path(p), size, fit), paths)):
                    array[start + offset] = image
                    facts.append(fact)
                on_progress(len(facts), len(table))
        array.flush()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    files = pd.DataFrame(facts)
    files.insert(0, "image_id", table["image_id"].to_numpy())
    return files


def digest(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _chunks(items: list) -> Iterator[tuple[int, list]]:
    for start in range(0, len(items), CHUNK):
        yield start, items[start : start + CHUNK]
