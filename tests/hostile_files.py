"""Files that are meant to break whoever reads them, and sound ones changed at random."""

import io
import random
import struct
import zlib
from functools import cache

import numpy as np
from image_files import noise, png_of_size
from PIL import Image, ImageCms


def encoded(pixels, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def bomb(width, height):
    """A PNG of so many black pixels, sound and a thousand times smaller than they are."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    squeezer = zlib.compressobj(9)
    rows = b"".join(squeezer.compress(bytes(1 + 3 * width)) for _ in range(height)) + squeezer.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def text_bomb():
    """A small PNG with a comment that unfolds to 200 MB."""
    sound = encoded(noise(8, 8), "PNG")
    return sound[:33] + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(200 * 2**20), 9)) + sound[33:]


def scan_bomb(scans=5000, width=2000):
    """A progressive JPEG whose last scan, which changes nothing, comes again and again; each costs all pixels."""
    sound = encoded(np.full((width, width), 120, np.uint8), "JPEG", progressive=True)
    last = sound.rindex(b"\xff\xda")
    return sound[:-2] + sound[last:-2] * scans + sound[-2:]


def tile_bomb(side=46336):
    """A TIFF of ten by ten pixels in one tile of two thousand million."""
    data = zlib.compress(bytes(1000))
    tags = {256: 10, 257: 10, 258: 8, 259: 8, 262: 1, 277: 1, 322: side, 323: side, 324: 134, 325: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def precinct_bomb(side=6000):
    """A JPEG 2000 codestream that asks for a few hundred bytes of bookkeeping for every four of its pixels."""
    sound = bytearray(encoded(np.full((64, 64, 3), 99, np.uint8), "JPEG2000", no_jp2=True, num_resolutions=2))
    struct.pack_into(">8I", sound, 8, side, side, 0, 0, side, side, 0, 0)
    coding = sound.index(b"\xff\x52")
    sound[coding + 3] += 2
    sound[coding + 4] |= 1
    sound[coding + 14 : coding + 14] = b"\x11\x11"
    return bytes(sound)


@cache
def hostile():
    """Name to content; none of them is an image that can be classified."""
    png, jpeg, tiff = encoded(noise(), "PNG"), encoded(noise(), "JPEG"), encoded(noise(), "TIFF")
    return {
        "empty": b"",
        "one byte": b"\xff",
        "text": b"<html><script>alert(1)</script></html>",
        "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "program": b"\x7fELF" + bytes(200),
        "zip": b"PK\x03\x04" + bytes(200),
        "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n",
        "pdf": b"%PDF-1.4\n%",
        "ico": b"\0\0\1\0\1\0",
        "pickle": b"cos\nsystem\n(S'true'\ntR.",
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "cut png": png[: len(png) // 2],
        "cut jpeg": jpeg[: len(jpeg) // 3],
        "cut tiff": tiff[: len(tiff) // 2],
        "only a header": png_of_size(100, 100),
        "billions of pixels": png_of_size(2**31 - 1, 2**31 - 1),
        "no pixels": png_of_size(0, 0),
        "bomb": bomb(7000, 7000),
        "text bomb": text_bomb(),
        "scan bomb": scan_bomb(),
        "tile bomb": tile_bomb(),
        "precinct bomb": precinct_bomb(),
        "fractions": encoded(np.zeros((4, 4), np.float32), "TIFF"),
        "endless tiff": b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + b"\x00\x01\x04\0\x01\0\0\0\x01\0\0\0\x08\0\0\0",
        "gif without frames": b"GIF89a\x10\0\x10\0\0\0\0;",
        "webp of nothing": b"RIFF\x04\0\0\0WEBP",
        "jpeg2000 of nothing": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(20),
    }


def strange():
    """Name to content of images that are odd but sound."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return {
        "one pixel": encoded(noise(1, 1), "PNG"),
        "a line": encoded(noise(3000, 1), "PNG"),
        "trailing bytes": encoded(noise(), "JPEG") + b"<?php system('true'); ?>" * 50,
        "a film behind it": encoded(noise(), "JPEG") + b"\xff\xda\0\x08" * 9999,
        "many scans": encoded(noise(300, 200), "JPEG", progressive=True),
        "profile": encoded(noise(), "JPEG", icc_profile=profile),
        "sixteen bits": encoded(np.arange(64, dtype=np.uint16).reshape(8, 8) * 1000, "PNG"),
        "black and white": encoded(noise()[..., 0] > 99, "PNG"),
        "transparent": encoded(np.dstack([noise(), noise()[..., :1]]), "PNG"),
    }


def mutated(count, seed=0):
    """Sound images of several formats with bytes changed, cut out, doubled or put in."""
    chance = random.Random(seed)
    sound = [encoded(noise(48, 40), kind) for kind in ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000")]
    sound.append(encoded(noise(48, 40), "JPEG", progressive=True, exif=b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0"))
    for _ in range(count):
        content = bytearray(chance.choice(sound))
        for _ in range(chance.choice((1, 1, 2, 5, 30))):
            place = chance.choice((chance.randrange(min(64, len(content))), chance.randrange(len(content))))
            kind = chance.randrange(4)
            if kind == 0:
                content[place] = chance.choice((0, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            elif kind == 1 and len(content) > 80:
                del content[place : place + chance.randrange(1, 40)]
            elif kind == 2:
                content[place:place] = content[place : place + chance.randrange(1, 40)]
            else:
                content[place:place] = chance.randbytes(chance.randrange(1, 9))
        yield bytes(content)
