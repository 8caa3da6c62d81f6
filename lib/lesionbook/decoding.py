"""Decoding image files: whatever they hold, upright 8-bit RGB comes out, or one sentence on what is wrong with them."""

import hashlib
import io
from collections.abc import Iterable
from functools import lru_cache, partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from lesionbook import processes
from lesionbook.errors import LesionbookError

MAX_PIXELS = 100_000_000  # of one image; at the limit its decoding takes 400 MB
# Pillow knows more, but would start other programs for some of them.
FORMATS = ("JPEG", "PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000")
HDF5 = (".h5", ".hdf5")
DATASET = "x"  # of the HDF5 files of PatchCamelyon
DATASET_CACHE = 2**25  # bytes; a compressed file is read by blocks of many rows
REDUCED = 2  # a JPEG is decoded at no less than this many times the wanted size
MEASURED = 64  # pixels on the shorter side from which means are taken, times REDUCED
STRIP = 128  # rows hashed at a time, so that no copy of a large image is needed
CONVERTED = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "I;16", "I;16B", "I;16L"}
KINDS = {"I": "32-bit whole numbers", "F": "32-bit fractions"}  # nothing says which number is white

# Pillow's own limit prints a warning before it refuses; here the header is looked at before anything is decoded.
Image.MAX_IMAGE_PIXELS = None


class _UnusableError(Exception):
    """A file that was understood but is not taken: what is wrong, and the remedy."""


def decode(
    path: Path, size: int, fit: str, *, content: bytes | None = None, max_pixels: int | None = None
) -> tuple[np.ndarray, dict[str, object]]:
    """Read an image as upright RGB and bring it to a square.

    Greyscale, palettes, CMYK and 16-bit greyscale (scaled, not clipped) become 8-bit RGB; what is transparent lies on
    white; of several frames the first is taken; the EXIF orientation is followed, a colour profile is not. What a file
    is, its content says, not its ending.

    Where an upright JPEG is so large that a half, a quarter or an eighth of it still has twice the wanted size in both
    directions, libjpeg decodes it at that size (DCT scaling), about twice as fast. Against full decoding the result
    differs by 0.1 to 0.3 grey levels in the mean and by 9 at most: measured on HAM10000, enlarged to 4000 × 3000 and
    less or 400 side by side, at 96 and 224 pixels; on drawings of nothing but sharp lines by up to 0.5 and 8. A JPEG in
    whose middle bytes were changed decodes to wrong colours without a word from libjpeg.

    Parameters
    ----------
    path : Path
        A file of one of `FORMATS`; or ``<file>.h5/<row>``, a row of the dataset ``x`` of an HDF5 file.
    size : int
        Side of the square in pixels.
    fit : {"crop", "squash"}
        Keep the proportions and cut the central square, or change the proportions and keep everything.
    content : bytes, optional
        Of a file that is in memory and not on disk; `path` is then what it is called in messages.
    max_pixels : int, optional
        Another limit than `MAX_PIXELS`.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
        Resized with a Lanczos filter.
    dict
        ``width``, ``height`` in pixels (of the upright image at its own size), ``mode`` and ``format`` of the file in
        Pillow's words, ``rotated`` (bool: turned or mirrored as EXIF says), ``content``: SHA-256 of size and decoded
        pixels, 64 hexadecimal digits. A JPEG decoded at reduced size has another one for other values of `size`.

    Raises
    ------
    LesionbookError
        If the file is missing, empty, cut off, damaged, no image, of more than `MAX_PIXELS`, or of pixels that cannot
        be brought to 8 bits.
    """
    image, box, facts = _read(path, REDUCED * size, content, max_pixels)
    facts["content"] = _content(image, facts)
    return _square(image, box, size, fit), facts


def original(path: Path) -> np.ndarray:
    """Read an image at its own size, uint8 of shape (H, W, 3); otherwise as `decode`."""
    return np.asarray(_read(path)[0])


def decode_many(paths: pd.Series, size: int, fit: str) -> np.ndarray:
    """Decode some images into memory, uint8 of shape (N, size, size, 3); see `decode`."""
    pieces = processes.parted(list(paths))
    return np.concatenate(list(processes.in_order(partial(_decoded, size=size, fit=fit), pieces)))


def measure(paths: pd.Series) -> pd.DataFrame:
    """Measure size and mean colour of every image, with all cores and without keeping the images.

    Large JPEGs are decoded at reduced size as in `decode`, which changes a mean by less than 0.3 grey levels.

    Parameters
    ----------
    paths : Series of Path
        N files, as in `decode`.

    Returns
    -------
    DataFrame of N rows
        With the index of `paths`: ``width``, ``height`` in pixels; ``red``, ``green``, ``blue``: means over the pixels,
        0 to 255; ``brightness``: mean of these three; ``problem``: empty, or why the file cannot be read, in which
        case the numbers are missing.
    """
    rows = [row for piece in processes.in_order(_measured, processes.parted(list(paths))) for row in piece]
    columns = ["width", "height", "brightness", "red", "green", "blue", "problem"]
    return pd.DataFrame(rows, columns=columns, index=paths.index)


def file_of(path: Path) -> Path:
    """File that holds an image: the path itself, or the HDF5 file above it."""
    return path.parent if path.parent.suffix in HDF5 else path


def _decoded(paths: Iterable[Path], size: int, fit: str) -> np.ndarray:
    return np.stack([decode(Path(path), size, fit)[0] for path in paths])


def _measured(paths: Iterable[Path]) -> list[tuple]:
    rows = []
    for path in paths:
        try:
            image, _, facts = _read(Path(path), REDUCED * MEASURED)
        except LesionbookError as error:
            rows.append((*[np.nan] * 6, str(error)))
            continue
        counts = np.reshape(image.histogram(), (3, 256))
        means = counts @ np.arange(256) / counts[0].sum()
        rows.append((facts["width"], facts["height"], means.mean(), *means, ""))
    return rows


def _read(
    path: Path, least: int = 0, content: bytes | None = None, max_pixels: int | None = None
) -> tuple[Image.Image, tuple, dict[str, object]]:
    try:
        if content is None and file_of(path) != path:
            return _row(path)
        with Image.open(path if content is None else io.BytesIO(content), formats=FORMATS) as file:
            return _upright(file, least, max_pixels or MAX_PIXELS)
    except MemoryError:  # says something about the machine, not about the file
        raise
    except Exception as error:  # decoders raise whatever they stumble over
        reason, remedy = _diagnosis(path, error) if content is None else _fault(len(content), error)
        name = "/".join(path.parts[-2:])  # a machine's folders belong into no report, and so do Pillow's own messages
        raise LesionbookError(f"{name} cannot be decoded ({reason}); {remedy}.") from error


def _diagnosis(path: Path, error: Exception) -> tuple[str, str]:
    file = file_of(path)
    if not file.exists():
        return "it is missing", "put it back or take it out of the table"
    if getattr(error, "errno", None) and file == path:
        return error.strerror.lower(), "make the file readable"
    return _fault(file.stat().st_size, error)


def _fault(size: int, error: Exception) -> tuple[str, str]:
    if isinstance(error, _UnusableError):
        return error.args
    if size == 0:
        return "it has zero bytes", "replace the file"
    if isinstance(error, UnidentifiedImageError):
        return f"it is no {', '.join(FORMATS)} file, or only a part of one", "replace the file"
    return "it is damaged or cut off", "replace the file"


def _upright(file: Image.Image, least: int, most: int) -> tuple[Image.Image, tuple, dict[str, object]]:
    """Image in RGB, the part of it that shows the picture (decoding by parts may add a fraction of a pixel), facts."""
    width, height = file.size
    if width * height > most:
        raise _UnusableError(f"it has {width} × {height} pixels, the limit is {most:,} in all", "reduce its size")
    if file.mode not in CONVERTED:
        kind = KINDS.get(file.mode, f"in {file.mode}")
        raise _UnusableError(f"its pixels are {kind}, not levels of 8 or 16 bits", "save it as 8-bit RGB")
    rotated = file.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)
    facts = {"width": width, "height": height, "mode": file.mode, "format": file.format, "rotated": rotated}
    reduced = file.draft(None, (least, least)) if least and not rotated else None
    file.load()
    image = file
    if rotated:
        image = ImageOps.exif_transpose(file)
        facts |= {"width": image.width, "height": image.height}
    return _rgb(image), reduced[1] if reduced else (0, 0, *image.size), facts


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        grey = np.asarray(image)
        levels = (grey // 257 + (grey % 257 > 128)).astype(np.uint8)  # rounded; 65,535 becomes 255
        if "transparency" in image.info:
            levels[grey == image.info["transparency"]] = 255
        return Image.fromarray(levels).convert("RGB")
    if image.has_transparency_data:
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _row(path: Path) -> tuple[Image.Image, tuple, dict[str, object]]:
    rows = _dataset(path.parent, path.parent.stat().st_mtime_ns)
    row = int(path.name)
    if row >= len(rows):
        raise _UnusableError(f"the file has {len(rows)} rows, numbered from 0", "replace it by the complete file")
    image = Image.fromarray(rows[row])
    facts = {"width": image.width, "height": image.height, "mode": image.mode, "format": "HDF5", "rotated": False}
    return _rgb(image), (0, 0, *image.size), facts


@lru_cache(maxsize=4)
def _dataset(path: Path, changed: int) -> h5py.Dataset:
    """Open an HDF5 file once, and again when it has changed."""
    file = h5py.File(path, "r", rdcc_nbytes=DATASET_CACHE)
    if DATASET not in file:
        raise _UnusableError(f"the file has no dataset {DATASET!r}", "give PatchCamelyon's file of images")
    return file[DATASET]


def _content(image: Image.Image, facts: dict[str, object]) -> str:
    content = hashlib.sha256(f"{facts['width']}x{facts['height']} ".encode())
    for top in range(0, image.height, STRIP):
        content.update(image.crop((0, top, image.width, min(top + STRIP, image.height))).tobytes())
    return content.hexdigest()


def _square(image: Image.Image, box: tuple, size: int, fit: str) -> np.ndarray:
    if fit == "crop":
        width, height = box[2:]
        side = min(width, height)
        box = ((width - side) / 2, (height - side) / 2, (width + side) / 2, (height + side) / 2)
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS, box))
