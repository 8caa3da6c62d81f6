"""Building blocks of the drawn photographs: smooth noise, cell patterns, tapered strokes and branching vessels.

Everything works on float32 fields and takes a NumPy generator, so that a drawing is a function of its seed alone.
"""

from collections.abc import Sequence

import cv2
import numpy as np

SUBPIXEL = 4  # OpenCV reads integer coordinates as sixteenths of a pixel with this shift


def noise(
    rng: np.random.Generator, shape: tuple[int, int], cells: float, octaves: int = 1, gain: float = 0.6
) -> np.ndarray:
    """Smooth noise: coarse random grids enlarged by cubic interpolation and summed (value noise; Perlin, 1985).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (int, int)
        Height and width of the field in pixels.
    cells : float
        Cells of the coarsest grid across the height.
    octaves : int
        Number of grids, each twice as fine as the one before.
    gain : float
        Amplitude of each grid relative to the one before.

    Returns
    -------
    ndarray of float32, shape `shape`
        Mean about 0, standard deviation about 1.
    """
    height, width = shape
    total = np.zeros((2, 2), np.float32)
    power = 0.0
    for octave in range(octaves):
        rows = min(max(2, round(cells * 2**octave)), height)
        columns = min(max(2, round(rows * width / height)), width)
        # Enlarging the sum from grid to grid costs a fraction of enlarging every grid to the full size.
        total = cv2.resize(total, (columns, rows), interpolation=cv2.INTER_CUBIC)
        total += np.float32(gain**octave) * rng.standard_normal((rows, columns), dtype=np.float32)
        power += 0.6 * gain ** (2 * octave)  # interpolation leaves about 0.6 of the variance of a grid
    return cv2.resize(total, (width, height), interpolation=cv2.INTER_CUBIC) / np.float32(power**0.5)


def ramp(field: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smooth step from 0 at `low` to 1 at `high`, falling when `low` is greater; float32, shape of `field`."""
    t = np.clip((field - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def blend(amounts: Sequence[np.ndarray], colours: Sequence[np.ndarray]) -> np.ndarray:
    """Planes of red, green and blue (3, height, width): the sum over all k of `amounts[k]` times `colours[k]`."""
    total = np.zeros((3, *amounts[0].shape), np.float32)
    for amount, colour in zip(amounts, colours, strict=True):
        for channel in range(3):
            total[channel] += amount * np.float32(colour[channel])
    return total


def cells(
    rng: np.random.Generator, shape: tuple[int, int], spacing: float, jitter: float = 0.3
) -> tuple[np.ndarray, np.ndarray]:
    """Cells around the points of a jittered hexagonal grid (cellular noise; Worley, 1996).

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (int, int)
        Height and width of the field in pixels.
    spacing : float
        Distance of neighbouring points in pixels.
    jitter : float
        Standard deviation of each point's displacement, in units of `spacing`.

    Returns
    -------
    distance : ndarray of float32, shape `shape`
        Distance to the nearest point in units of `spacing`: 0 in the middle of a cell, about 0.5 on its edge.
    level : ndarray of float32, shape `shape`
        One random number in [0, 1) per cell.
    """
    height, width = shape
    rows, columns = int(height / (spacing * 0.87)) + 3, int(width / spacing) + 3
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    x = (x + 0.5 * (y % 2) - 1) * spacing + rng.normal(0, jitter * spacing, x.shape)
    y = (y - 1) * 0.87 * spacing + rng.normal(0, jitter * spacing, y.shape)
    x, y = np.rint(x).astype(int).ravel(), np.rint(y).astype(int).ravel()
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    canvas = np.ones(shape, np.uint8)
    canvas[y[inside], x[inside]] = 0
    canvas[0, 0] = 0  # the distance transform needs at least one point
    distance, label = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    level = rng.random(label.max() + 1, dtype=np.float32)[label]
    return distance / np.float32(spacing), level


def discs(
    canvas: np.ndarray,
    points: np.ndarray,
    radii: np.ndarray,
    stretch: float = 1.0,
    rng: np.random.Generator | None = None,
) -> None:
    """Fill a disc, or with `stretch` above 1 an ellipse of random direction, at each (x, y) of `points`, in place."""
    for (x, y), radius in zip(points, radii, strict=True):
        angle = 0.0 if rng is None else float(rng.uniform(0, 180))
        axes = (round(radius * stretch * 16), round(radius * 16))
        cv2.ellipse(canvas, (round(x * 16), round(y * 16)), axes, angle, 0, 360, 255, cv2.FILLED, cv2.LINE_AA, SUBPIXEL)


def stroke(canvas: np.ndarray, points: np.ndarray, widths: Sequence[float] | np.ndarray, value: int = 255) -> None:
    """Draw a curve through `points` (n, 2) with a width per segment in pixels, at least one pixel, in place."""
    steps = np.rint(points * 2**SUBPIXEL).astype(np.int32)
    for start, end, width in zip(steps[:-1], steps[1:], widths, strict=False):
        cv2.line(canvas, start.tolist(), end.tolist(), value, max(1, round(width)), cv2.LINE_AA, SUBPIXEL)


def curve(start: np.ndarray, end: np.ndarray, bend: float, steps: int = 14) -> np.ndarray:
    """Points (steps, 2) of a quadratic Bézier curve whose middle is pushed sideways by `bend` times its length."""
    along = end - start
    control = (start + end) / 2 + bend * np.array([-along[1], along[0]])
    t = np.linspace(0, 1, steps)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end


def branch(
    rng: np.random.Generator, canvas: np.ndarray, start: np.ndarray, angle: float, length: float, width: float
) -> None:
    """Draw a vessel that wanders and divides into thinner ones like the branches of a tree, in place.

    `start` is (x, y), `angle` in radians, `length` and `width` in pixels.
    """
    steps = max(4, int(length / 6))
    angles = angle + np.cumsum(rng.normal(0, 0.22, steps))
    path = start + np.cumsum(np.stack([np.cos(angles), np.sin(angles)], axis=1) * length / steps, axis=0)
    stroke(canvas, np.vstack([start, path]), np.linspace(width, 0.6 * width, steps))
    if width > 0.9:
        for _ in range(int(rng.integers(2, 4))):
            at = int(rng.integers(steps // 3, steps))
            turn = rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)
            branch(rng, canvas, path[at], angles[at] + turn, length * rng.uniform(0.4, 0.7), width * 0.6)
