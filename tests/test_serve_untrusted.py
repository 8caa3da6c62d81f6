import resource
import time
from pathlib import Path

import numpy as np
import pytest
from hostile_files import encoded, hostile, precinct_bomb, scan_bomb, strange, tile_bomb
from image_files import noise

from lesionbook import decoding
from lesionbook.errors import LesionbookError
from lesionbook.serve import untrusted
from lesionbook.serve.limits import Limits


def decode(content, **limits):
    return untrusted.decode(content, Path("a.jpg"), 20, "crop", Limits(**limits))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"])
def test_an_image_is_decoded_as_the_training_images_are(kind):
    content = encoded(noise(48, 40), kind)
    known = decoding.decode(Path("a"), 20, "crop", content=content)[0]
    assert (decode(content) == known).all()


@pytest.mark.parametrize("name", list(strange()))
def test_odd_but_sound_images_are_decoded(name):
    assert decode(strange()[name]).shape == (20, 20, 3)


@pytest.mark.parametrize("name", list(hostile()))
def test_hostile_files_are_refused_soon_and_without_much_memory(name):
    content = hostile()[name]
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    with pytest.raises(LesionbookError, match=r"^a\.jpg cannot be decoded \(.*\); .*\.$"):
        decode(content)
    assert time.monotonic() - start < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (scan_bomb(), "it is a JPEG of more than 100 scans"),
        (tile_bomb(), "its tiles have 2,147,024,896 pixels, the limit is 40,000,000"),
        (precinct_bomb(), "it is no JPEG, PNG, TIFF, BMP, GIF or WEBP file"),
    ],
)
def test_bombs_that_no_pixel_count_tells_are_named(content, said):
    with pytest.raises(LesionbookError, match=said):
        decode(content)


def test_a_tile_within_the_limit_is_no_bomb():
    with pytest.raises(LesionbookError, match="damaged or cut off"):
        decode(tile_bomb(side=64))


def test_scans_are_counted_as_libjpeg_meets_them():
    plain, progressive = (encoded(noise(60, 50), "JPEG", progressive=one) for one in (False, True))
    assert untrusted.scans(plain, 99) == 1
    assert untrusted.scans(progressive, 99) == 10  # libjpeg's own script for colour
    assert untrusted.scans(scan_bomb(50, 40), 99) == 56 and untrusted.scans(scan_bomb(500, 40), 99) == 100
    note = b"\xff\xfe\x01\x02" + b"\xff\xda" * 128  # a comment of 258 bytes
    assert untrusted.scans(plain[:2] + note + plain[2:], 99) == 1
    assert untrusted.scans(plain + b"\xff\xda" * 128, 99) == 1


def test_bytes_that_only_fill_cost_no_time():
    start = time.monotonic()
    assert untrusted.scans(b"\xff\xd8" + b"\xff" * 10_000_000, 99) == 0
    assert untrusted.scans(b"\xff\xd8" + b"\xff\xd0" * 5_000_000, 99) == 0
    assert time.monotonic() - start < 5


def test_a_file_is_refused_by_its_bytes_before_anything_is_read():
    with pytest.raises(LesionbookError, match=r"^a\.jpg has 40 bytes, the limit is 39; reduce its size\.$"):
        decode(b"x" * 40, file_bytes=39)


def test_pixels_are_those_of_the_limits():
    content = encoded(np.zeros((30, 30, 3), np.uint8), "PNG")
    assert decode(content, pixels=900).shape == (20, 20, 3)
    with pytest.raises(LesionbookError, match="30 × 30 pixels, the limit is 899"):
        decode(content, pixels=899)
