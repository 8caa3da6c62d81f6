"""From the bytes of a file of unknown origin to an image: what costs far more than its size tells is refused first.

`decoding` counts pixels by the header. Three things that no pixel count tells can still take gigabytes or hours: a JPEG
in thousands of scans, each of which goes over all pixels; a TIFF whose only tile is a thousand times the image; and
JPEG 2000, where 200 bytes can ask for gigabytes of bookkeeping. That format is not taken at all.
"""

import io
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image

from lesionbook import decoding
from lesionbook.errors import LesionbookError
from lesionbook.serve.limits import Limits

JPEG, TIFF = b"\xff\xd8\xff", (b"II", b"MM")
STARTS = (JPEG, *TIFF, b"\x89PNG\r\n\x1a\n", b"BM", b"GIF87a", b"GIF89a", b"RIFF")
# Where a part of a JPEG begins; 0 after 255 is a 255 of the picture, 1 and 208 to 215 have no length, 255 only fills.
MARKER = re.compile(rb"\xff([\x02-\xcf\xd8-\xfe])")
SCAN, END = b"\xda", b"\xd9"
TILE = (322, 323)  # tags of width and height


def check_size(name: str, length: int, limits: Limits) -> None:
    """Refuse a file for its bytes.

    Raises
    ------
    LesionbookError
        If there are too many.
    """
    if length > limits.file_bytes:
        raise LesionbookError(f"{name} has {length:,} bytes, the limit is {limits.file_bytes:,}; reduce its size.")


def decode(content: bytes, path: Path, size: int, fit: str, limits: Limits) -> np.ndarray:
    """Decode the content of a file as the training images were decoded.

    Parameters
    ----------
    content : bytes
    path : Path
        What the file is called in messages; nothing is read from there.
    size, fit
        As for `decoding.decode`.
    limits : Limits

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)

    Raises
    ------
    LesionbookError
        If the file is too large, of no kind that is taken, would cost too much to decode, or cannot be decoded.
    """
    name = "/".join(path.parts[-2:])
    check_size(name, len(content), limits)
    if content and not content.startswith(STARTS):
        raise LesionbookError(
            f"{name} cannot be decoded (it is no JPEG, PNG, TIFF, BMP, GIF or WEBP file); replace the file."
        )
    if content.startswith(JPEG) and scans(content, limits.scans) > limits.scans:
        raise LesionbookError(
            f"{name} cannot be decoded (it is a JPEG of more than {limits.scans} scans); save it as a plain one."
        )
    if content.startswith(TIFF) and (tile := _tile(content)) > limits.pixels:
        raise LesionbookError(
            f"{name} cannot be decoded (its tiles have {tile:,} pixels, the limit is {limits.pixels:,}); save it "
            "without tiles."
        )
    return decoding.decode(path, size, fit, content=content, max_pixels=limits.pixels)[0]


def scans(content: bytes, most: int) -> int:
    """Count the scans of a JPEG, one more than `most` at most."""
    count, place = 0, 2
    while count <= most and (marker := MARKER.search(content, place)) and marker[1] != END:
        count += marker[1] == SCAN
        place = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2])
    return count


def _tile(content: bytes) -> int:
    """Pixels of a tile of a TIFF; 0 where it has none, or cannot be read."""
    with suppress(Exception), Image.open(io.BytesIO(content), formats=["TIFF"]) as file:
        width, height = (int(file.tag_v2.get(tag, 0)) for tag in TILE)
        return width * height
    return 0
