"""Stamps of cell nuclei, and how they are strewn over a field of tissue."""

import numpy as np

from lesionbook.sample.fields import noise, ramp

# Looks of a nucleus; lengths in pixels of 0.97 µm, densities in units of a compact lymphocyte's nucleus.
# radius: smallest and largest; slender: ratio of its axes, smallest and largest; ragged: how far the outline strays
# from an ellipse; fill, rim: density inside and, on top, at the membrane; clumps: unevenness of the chromatin;
# nucleoli: the greatest number.
LOOKS = {
    "lymphocyte": {
        "radius": (3.3, 4.6), "slender": (1.0, 1.3), "ragged": 0.10, "fill": 0.92, "rim": 0.12, "clumps": 0.30,
    },
    "blast": {
        "radius": (4.6, 7.0), "slender": (1.0, 1.4), "ragged": 0.16, "fill": 0.48, "rim": 0.30, "clumps": 0.45,
        "nucleoli": 2,
    },
    "histiocyte": {
        "radius": (4.2, 6.2), "slender": (1.2, 2.0), "ragged": 0.20, "fill": 0.36, "rim": 0.28, "clumps": 0.40,
        "nucleoli": 1,
    },
    "spindle": {
        "radius": (2.4, 3.6), "slender": (2.2, 6.0), "ragged": 0.12, "fill": 0.68, "rim": 0.12, "clumps": 0.35,
    },
    "debris": {
        "radius": (1.0, 2.6), "slender": (1.0, 1.6), "ragged": 0.20, "fill": 0.85, "rim": 0.0, "clumps": 0.20,
    },
    "red cell": {
        "radius": (2.9, 3.7), "slender": (1.0, 1.3), "ragged": 0.06, "fill": 0.85, "rim": 0.15, "clumps": 0.10,
    },
}  # fmt: skip


def stamps(
    rng: np.random.Generator,
    count: int,
    *,
    radius: tuple[float, float],
    slender: tuple[float, float],
    ragged: float,
    fill: float,
    rim: float,
    clumps: float,
    nucleoli: int = 0,
) -> np.ndarray:
    """Draw nuclei, each in the middle of a small square; their directions go round evenly from the first to the last.

    Parameters
    ----------
    rng : numpy.random.Generator
    count : int
    radius, slender : (float, float)
        Smallest and largest, the radius in pixels, `slender` as the ratio of the axes.
    ragged, fill, rim, clumps : float
        See `LOOKS`.
    nucleoli : int
        Greatest number in a nucleus.

    Returns
    -------
    ndarray of float32, shape (count, side, side)
        Density, 1 for a compact lymphocyte's nucleus; the long axis of stamp k points k / `count` of half a turn from
        the x axis towards the y axis.
    """
    half = int(np.ceil(radius[1] * slender[1] ** 0.5 * (1 + ragged))) + 1
    each = (count, 1, 1)
    y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(np.float32)
    x, y = (axis - rng.uniform(-0.5, 0.5, each).astype(np.float32) for axis in (x, y))
    angle = np.pi * np.arange(count, dtype=np.float32).reshape(each) / count
    size = rng.uniform(*radius, each).astype(np.float32)
    ratio = rng.uniform(*slender, each).astype(np.float32) ** 0.5
    along, across = (
        (np.cos(angle) * x + np.sin(angle) * y) / (size * ratio),
        (np.cos(angle) * y - np.sin(angle) * x) / size * ratio,
    )
    direction = np.arctan2(across, along)
    outline = np.ones_like(direction)
    for lobes in (2, 3, 4):
        strength, phase = rng.normal(0, ragged / lobes, each), rng.uniform(0, 2 * np.pi, each)
        outline += (strength * np.cos(lobes * direction + phase)).astype(np.float32)
    depth = (1 - np.hypot(along, across) / np.maximum(outline, 0.5)) * size / ratio  # pixels below the membrane
    shade = rng.normal(1, 0.13, each).astype(np.float32)
    density = shade * (fill * (1 + clumps * grains(rng, count, depth.shape[1:])) + rim * np.exp(-((depth - 1) ** 2)))
    for _ in range(nucleoli):
        shift = rng.uniform(-0.5, 0.5, (2, *each)) * size
        width = rng.uniform(0.7, 1.0, each) * size**0.3
        strength = rng.uniform(0, 0.9, each) * (rng.random(each) < 0.7)
        spot = np.exp(-((x - shift[0]) ** 2 + (y - shift[1]) ** 2) / width**2)
        density += (strength * spot).astype(np.float32)
    return np.maximum(density, 0) * ramp(depth, -0.6, 0.7)


def grains(rng: np.random.Generator, count: int, shape: tuple[int, int]) -> np.ndarray:
    """Chromatin: `count` pieces (count, height, width) of one sheet of noise with grains of about three pixels."""
    sheet = noise(rng, (128, 128), 42, octaves=2)
    y, x = rng.integers(0, 128 - shape[0], count), rng.integers(0, 128 - shape[1], count)
    rows, columns = np.arange(shape[0]), np.arange(shape[1])
    return sheet[(y[:, None] + rows)[:, :, None], (x[:, None] + columns)[:, None, :]]


def strew(rng: np.random.Generator, chance: np.ndarray, scale: int, spacing: float) -> np.ndarray:
    """Strew points over a field: a jittered hexagonal grid of which each point is kept by chance.

    Parameters
    ----------
    rng : numpy.random.Generator
    chance : ndarray, shape (height, width)
        Chance from 0 to 1 that a point is kept.
    scale : int
        Pixels of the field per pixel of `chance`.
    spacing : float
        Distance of neighbouring points in pixels of the field.

    Returns
    -------
    ndarray of int, shape (points, 2)
        x and y in pixels of the field.
    """
    height, width = (scale * length for length in chance.shape)
    rows, columns = int(height / (0.87 * spacing)) + 2, int(width / spacing) + 2
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x = (x + 0.5 * (y % 2)) * spacing + rng.normal(0, 0.2 * spacing, x.shape)
    y = y * 0.87 * spacing + rng.normal(0, 0.2 * spacing, x.shape)
    points = np.rint(np.stack([x.ravel(), y.ravel()], axis=1)).astype(int)
    luck = rng.random(len(points), dtype=np.float32)
    inside = ((points >= 0) & (points < (width, height))).all(axis=1)
    points, luck = points[inside], luck[inside]
    return points[luck < chance[points[:, 1] // scale, points[:, 0] // scale]]


def press(canvas: np.ndarray, patterns: np.ndarray, points: np.ndarray, which: np.ndarray) -> None:
    """Press stamp `which[k]` of `patterns` onto the canvas around (x, y) `points[k]`, in place; the denser one shows.

    The canvas has to reach half a stamp beyond the points: they are counted from `patterns.shape[1] // 2` within it.
    """
    side = patterns.shape[1]
    for (x, y), index in zip(points.tolist(), which.tolist(), strict=True):
        view = canvas[y : y + side, x : x + side]
        np.maximum(view, patterns[index], out=view)
