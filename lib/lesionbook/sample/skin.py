"""Healthy skin as an optical density: tone, mottling, sun damage, fine vessels, pores and skin lines.

Colours follow the Beer-Lambert law: each chromophore darkens the three channels by its own amount, so that thin brown,
thick brown and red stay the colours of skin however they overlap.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lesionbook.sample.fields import blend, branch, cells, noise, ramp

SIZE = (450, 600)  # height and width of a HAM10000 image in pixels
HALF = (225, 300)

# Density per unit of chromophore in red, green and blue.
BROWN = np.array([0.30, 0.86, 1.00], np.float32)
TAN = np.array([0.16, 0.48, 0.86], np.float32)
BLOOD = np.array([0.20, 1.00, 0.64], np.float32)
BLUE = np.array([1.00, 0.66, 0.38], np.float32)
BLACK = np.array([1.00, 1.00, 0.96], np.float32)

# Typical tones (red, green, blue in 0-255) and how often they appear among the photographs of this data set.
TONES = {
    "salmon": ((222, 146, 148), 0.28),
    "pink": ((212, 160, 170), 0.30),
    "lilac": ((204, 178, 196), 0.20),
    "cream": ((220, 186, 176), 0.12),
    "tan": ((196, 150, 124), 0.07),
    "brown": ((156, 112, 92), 0.03),
}


@dataclass(frozen=True)
class Skin:
    """The skin of one person: `tone` in 0-255, the rest as strengths from 0 to about 1."""

    tone: tuple[float, float, float]
    mottling: float
    damage: float
    vessels: float
    pores: float
    lines: float


def person(rng: np.random.Generator, damage: float) -> Skin:
    """Draw a person's skin; `damage` from 0 to 1 is how much sun it has seen."""
    weights = np.array([weight for _, weight in TONES.values()])
    tone = np.array(list(TONES.values())[rng.choice(len(TONES), p=weights / weights.sum())][0], float)
    tone = tone * rng.normal(1, 0.05) * rng.normal(1, 0.018, 3)
    return Skin(
        tone=tuple(np.clip(tone, 60, 246)),
        mottling=float(rng.uniform(0.3, 1.0) * (0.7 + 0.6 * damage)),
        damage=float(np.clip(damage * rng.uniform(0.3, 1.3), 0, 1)),
        vessels=float(rng.uniform(0.3, 1) if rng.random() < 0.08 + 0.4 * damage else 0),
        pores=float(rng.uniform(0.2, 1) if rng.random() < 0.3 else 0),
        lines=float(rng.uniform(0.2, 1)),
    )


def density(skin: Skin, rng: np.random.Generator, zoom: float) -> np.ndarray:
    """Optical density of a piece of skin.

    Parameters
    ----------
    skin : Skin
    rng : numpy.random.Generator
    zoom : float
        Magnification, 1 for the usual distance; textures grow with it.

    Returns
    -------
    ndarray of float32, shape (3, 450, 600)
        Natural logarithm of 255 over the reflected light, per channel; 0 is white.
    """
    blood = 0.034 * skin.mottling * noise(rng, HALF, 3 / zoom, octaves=5, gain=0.75)
    brown = 0.030 * skin.mottling * noise(rng, HALF, 5 / zoom, octaves=4, gain=0.7)
    if skin.damage > 0.05:
        patches = noise(rng, HALF, 5 / zoom, octaves=5, gain=0.62)
        brown += 0.22 * skin.damage * ramp(patches, 0.3, 2.2)
        blood += 0.045 * skin.damage * noise(rng, HALF, 6 / zoom, octaves=4, gain=0.8)
    if skin.pores:
        distance, level = cells(rng, HALF, 12 * zoom, jitter=0.25)
        spot = cv2.GaussianBlur(ramp(distance, 0.32, 0.05) * level, (0, 0), 1.2)
        brown += 0.10 * skin.pores * spot * rng.choice([-1.0, 1.0, 1.4])
    if skin.vessels:
        canvas = np.zeros(HALF, np.uint8)
        for _ in range(int(rng.integers(3, 9))):
            branch(rng, canvas, rng.uniform((0, 0), HALF[::-1]), rng.uniform(0, 6.3), 60 * zoom, 1.3)
        veins = cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.6, 1.1)).astype(np.float32) / 255
        blood += rng.uniform(0.12, 0.32) * skin.vessels * veins
    base = -np.log(np.array(skin.tone, np.float32) / 255)
    planes = blend([blood, brown], [BLOOD, 0.75 * BROWN + 0.25 * TAN])
    relief = texture(skin, rng, zoom)
    planes += base[:, None, None]
    result = np.empty((3, *SIZE), np.float32)
    for plane, whole in zip(planes, result, strict=True):
        np.add(cv2.resize(plane, SIZE[::-1], interpolation=cv2.INTER_LINEAR), relief, out=whole)
    return result


def texture(skin: Skin, rng: np.random.Generator, zoom: float) -> np.ndarray:
    """Fine relief of the surface as a density (450, 600): furrows around small plateaus, here and there, and grain."""
    distance, level = cells(rng, HALF, rng.uniform(4.5, 8) * zoom, jitter=0.3)
    furrows = cv2.GaussianBlur(distance + 0.35 * level, (0, 0), 0.7)
    patchy = np.clip(0.6 + 0.4 * noise(rng, HALF, 3, octaves=3), 0, 1.3)
    grain = noise(rng, HALF, 56, octaves=3, gain=1.0)
    relief = 0.16 * skin.lines * patchy * (furrows - furrows.mean()) + (0.008 + 0.012 * skin.lines) * grain
    return cv2.resize(relief, SIZE[::-1], interpolation=cv2.INTER_CUBIC)
