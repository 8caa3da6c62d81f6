"""Image files for tests: simple pictures whose pixels are known."""

import struct
import zlib

import numpy as np
import pandas as pd
from PIL import Image

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def thirds(width=60, height=20):
    """Left third red, middle green, right blue."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    for number, colour in enumerate((RED, GREEN, BLUE)):
        pixels[:, number * width // 3 : (number + 1) * width // 3] = colour
    return pixels


def saved(path, pixels, mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def noise(width=64, height=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def png_of_size(width, height):
    """Header of a PNG of that size, without any pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))]
    data = b"IDAT" + zlib.compress(b"")
    chunks.append(struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def many(folder, number, side=6):
    """Table of so many small images, each of one grey level, all different within 256."""
    files = [saved(folder / f"i{k:04d}.png", np.full((side, side, 3), k % 256, dtype=np.uint8)) for k in range(number)]
    return pd.DataFrame({"image_id": [path.stem for path in files], "path": files})
