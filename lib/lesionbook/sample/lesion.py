"""A lesion from its traits: outline, pigment, and the structures that dermoscopy looks for.

A lesion is drawn once, upright, on a square of its own; photographs of it are taken by turning and scaling that square.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from lesionbook.sample.fields import blend, branch, cells, curve, discs, noise, ramp, stroke
from lesionbook.sample.skin import BLACK, BLOOD, BLUE, BROWN, TAN
from lesionbook.sample.traits import Traits

SIDE = 480  # pixels of the square
RADIUS = 140  # pixels from the middle to the outline of a round lesion
SHAPE = (SIDE, SIDE)


@dataclass
class Plate:
    """The square a lesion is drawn on: float32 (480, 480) amounts of each absorber and of white scatter."""

    brown: np.ndarray
    blood: np.ndarray
    blue: np.ndarray
    black: np.ndarray
    white: np.ndarray


def outline(traits: Traits, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Shape of the lesion: a few ellipses melted together and displaced by noise, with an edge of changing sharpness.

    Returns
    -------
    mask : ndarray of float32, shape (480, 480)
        1 inside, 0 on healthy skin.
    depth : ndarray of float32, shape (480, 480)
        0 at the outline, rising to about 1 in the middle, negative outside.
    """
    half = (SIDE // 2, SIDE // 2)
    y, x = (np.mgrid[0 : half[0], 0 : half[1]].astype(np.float32) - SIDE / 4) / (RADIUS / 2)
    far = ramp(np.hypot(x, y), 1.66, 1.5)
    x = x + traits.jagged * noise(rng, half, 5, octaves=6, gain=0.6)
    y = y + traits.jagged * noise(rng, half, 5, octaves=6, gain=0.6)
    total = np.zeros(half, np.float32)
    for lobe in range(int(traits.lobes)):
        angle, turn = rng.uniform(0, 2 * np.pi), rng.uniform(0, np.pi)
        shift = traits.spread * rng.uniform(0.4, 1.1) if lobe else 0.2 * traits.spread
        size = rng.uniform(0.4, 0.8) if lobe else 1.0 - 0.06 * int(traits.lobes)
        long, short = size * traits.elongation**0.5, size / traits.elongation**0.5
        across, down = x - shift * np.cos(angle), y - shift * np.sin(angle)
        u = (across * np.cos(turn) + down * np.sin(turn)) / long
        v = (down * np.cos(turn) - across * np.sin(turn)) / short
        total += np.exp(6 * size * (1 - np.sqrt(u * u + v * v)))
    depth = np.log(total + 1e-6) / 6
    sharpness = np.exp(0.5 * noise(rng, half, 3)) / max(traits.fade, 0.015)
    mask = 1 / (1 + np.exp(-np.clip(4 * (depth - 0.3 * traits.fade) * sharpness, -30, 30)))
    # Pigment thins out around a lesion: a faint halo, wider where the border is faint.
    mask = 0.82 * mask + 0.18 * cv2.GaussianBlur(mask, (0, 0), 4 + 14 * traits.fade)
    return cv2.resize(mask * far, SHAPE), cv2.resize(depth, SHAPE)


def scatter(mask: np.ndarray, count: float, rng: np.random.Generator, edge: float = 0.0) -> np.ndarray:
    """Points (n, 2) inside the mask; `edge` from 0 to 1 keeps them to its rim."""
    tries = rng.uniform(SIDE * 0.06, SIDE * 0.94, (int(count * 8) + 8, 2))
    value = mask[tries[:, 1].astype(int), tries[:, 0].astype(int)]
    keep = value > rng.uniform(0.3, 0.95, len(tries))
    if edge:
        keep &= value < 1 - 0.4 * edge
    return tries[keep][: int(count)]


def spots(
    mask: np.ndarray,
    count: float,
    size: tuple[float, float],
    blur: float,
    rng: np.random.Generator,
    stretch: float = 1.0,
) -> np.ndarray:
    """Field (480, 480) in 0-1 with `count` blurred spots inside the mask; radii from `size` in pixels of the square."""
    canvas = np.zeros(SHAPE, np.uint8)
    points = scatter(mask, count, rng)
    discs(canvas, points, rng.uniform(*size, len(points)), stretch, rng)
    return cv2.GaussianBlur(canvas, (0, 0), blur).astype(np.float32) / 255


def pigment(traits: Traits, mask: np.ndarray, depth: np.ndarray, unit: float, rng: np.random.Generator) -> Plate:
    """Brown, red and black of the body: blotches of several sizes, a lighter or darker middle, grain and network."""
    middle = np.clip(depth, 0, 1)
    coarse = noise(rng, SHAPE, 3.5, octaves=5, gain=0.65)
    fine = noise(rng, SHAPE, SIDE / (2.2 * traits.mesh * unit), octaves=3, gain=0.9)
    body = 1 + traits.blotches * coarse + traits.core * (middle - 0.45) * 1.5
    if traits.network:
        distance, level = cells(rng, SHAPE, traits.mesh * unit)
        lines = ramp(cv2.GaussianBlur(distance, (0, 0), 0.12 * traits.mesh * unit), 0.18, 0.52) + 0.25 * (level - 0.5)
        uneven = ramp(noise(rng, SHAPE, 4, octaves=2), -1.0, 0.8) * ramp(middle, 0.9, 0.1)
        body = body * (1 + traits.network * 1.1 * (lines - 0.45) * uneven)
    body = 1.9 * np.tanh(np.maximum(body, 0.06) / 1.9)  # bends instead of clipping: flat patches look painted
    body *= np.clip(1 + traits.grain * fine, 0.2, 1.9)
    brown = traits.melanin * mask * body
    redness = 1 + 0.6 * noise(rng, SHAPE, 4, octaves=4, gain=0.7)
    blood = (
        traits.blood
        * cv2.GaussianBlur(mask, (0, 0), 4)
        * np.clip(redness, 0.1, 2.5)
        * np.clip(1 + 0.5 * traits.grain * fine, 0.4, 1.6)
    )
    dark = ramp(noise(rng, SHAPE, 2.5, octaves=5, gain=0.6) + 0.8 * (middle - 0.4), 0.1, 1.3)
    black = traits.black * mask * dark * (0.6 + 0.4 * body)
    return Plate(brown, blood, 0.55 * black, 0.35 * black, np.zeros(SHAPE, np.float32))


def brown_structures(
    layers: Plate, traits: Traits, mask: np.ndarray, depth: np.ndarray, unit: float, rng: np.random.Generator
) -> None:
    """Globules, dots, streaks, blue-white veil and regression, added to the plate in place."""
    strength = 0.35 + 0.5 * traits.melanin
    if traits.globules:
        layers.brown += strength * spots(mask, traits.globules, (2.2 * unit, 4.5 * unit), 0.8 * unit, rng, 1.2)
    if traits.dots:
        grains = spots(mask, traits.dots, (0.9 * unit, 2.4 * unit), 0.5 * unit, rng)
        layers.brown += 0.7 * strength * grains
        layers.blue += 0.45 * grains
    if traits.streaks:
        canvas = np.zeros(SHAPE, np.uint8)
        side = rng.uniform(0, 2 * np.pi)
        for _ in range(int(traits.streaks)):
            angle = side + rng.normal(0, 0.8)
            ray = np.array([np.cos(angle), np.sin(angle)])
            along = (SIDE / 2 + ray[None] * np.arange(20, 230, 3)[:, None]).astype(int)
            rim = 20 + 3 * int((mask[along[:, 1], along[:, 0]] > 0.5).sum())
            start, end = rim * rng.uniform(0.6, 0.9), rim * rng.uniform(0.95, 1.1)
            path = curve(SIDE / 2 + ray * start, SIDE / 2 + ray * end, rng.normal(0, 0.3), 6)
            stroke(canvas, path, np.linspace(3.6, 1.0, 5) * unit * rng.uniform(0.5, 1.1))
        layers.brown += 0.7 * strength * cv2.GaussianBlur(canvas, (0, 0), 1.5 * unit).astype(np.float32) / 255
    if traits.regression:
        area = ramp(noise(rng, SHAPE, 3, octaves=4, gain=0.55), 0.2, 1.2) * mask
        layers.brown *= 1 - 0.8 * traits.regression * area
        layers.black *= 1 - 0.8 * traits.regression * area
        layers.blood += 0.12 * area * traits.regression
        layers.white += 0.22 * traits.regression * area
    if traits.veil:
        area = ramp(noise(rng, SHAPE, 2.5, octaves=4, gain=0.5) + 0.5 * np.clip(depth, 0, 1), 0.1, 1.4) * mask
        area *= ramp(depth, 0.02, 0.4)
        layers.brown *= 1 - 0.5 * area
        layers.blue += 0.62 * traits.veil * area
        layers.white += 0.26 * traits.veil * area


def keratin_structures(layers: Plate, traits: Traits, mask: np.ndarray, unit: float, rng: np.random.Generator) -> None:
    """Milia-like cysts, comedo-like openings, fissures, scales and the strawberry pattern, added in place."""
    if traits.fissures:
        distance, level = cells(rng, SHAPE, 2.2 * traits.mesh * unit, jitter=0.4)
        ridges = ramp(cv2.GaussianBlur(distance, (0, 0), 1.2 * unit), 0.3, 0.6)
        layers.brown *= 1 + traits.fissures * (1.3 * ridges - 0.35 + 0.3 * (level - 0.5))
    if traits.milia:
        cysts = spots(mask, traits.milia, (1.6 * unit, 4.2 * unit), 1.1 * unit, rng)
        layers.white += 0.5 * cysts
        layers.brown *= 1 - 0.5 * cysts
    if traits.openings:
        plugs = spots(mask, traits.openings, (1.5 * unit, 4.6 * unit), 1.6 * unit, rng, 1.4)
        plugs = ramp(plugs * (1 + 0.35 * noise(rng, SHAPE, 26, octaves=3, gain=0.8)), 0.12, 0.8)
        layers.brown += 0.7 * plugs
        layers.black += 0.25 * plugs
    if traits.strawberry:
        distance, level = cells(rng, SHAPE, 1.25 * traits.mesh * unit, jitter=0.22)
        distance = cv2.GaussianBlur(distance, (0, 0), 0.08 * traits.mesh * unit)
        patchy = mask * ramp(noise(rng, SHAPE, 4, octaves=3), -1.2, 0.6)
        layers.blood += traits.strawberry * 0.55 * patchy * (ramp(distance, 0.2, 0.5) - 0.2)
        layers.white += traits.strawberry * 0.45 * patchy * ramp(distance, 0.3, 0.1) * level
    if traits.scales:
        flakes = noise(rng, SHAPE, 22, octaves=4, gain=0.9) + 0.8 * noise(rng, SHAPE, 4, octaves=2)
        flakes = ramp(flakes, 0.9, 2.8) * mask
        layers.white += 0.7 * traits.scales * flakes
        layers.brown += 0.15 * traits.scales * flakes


def vascular_structures(
    layers: Plate, traits: Traits, mask: np.ndarray, depth: np.ndarray, unit: float, rng: np.random.Generator
) -> None:
    """Arborizing vessels, blue-grey nests, ulcers, the scar-like middle and lacunae, added to the plate in place."""
    if traits.scar:
        uneven = noise(rng, SHAPE, 5, octaves=5, gain=0.75)
        middle = ramp(depth + 0.12 * uneven, 0.2, 0.9) * mask
        layers.brown *= 1 - 0.85 * middle
        layers.blood *= 1 - 0.55 * middle
        threads = np.abs(noise(rng, SHAPE, 16, octaves=3, gain=0.8))
        layers.white += 0.5 * traits.scar * middle * np.clip(1.15 - 0.7 * threads, 0.25, 1.2)
    if traits.lacunae:
        distance, level = cells(rng, SHAPE, traits.mesh * unit, jitter=0.42)
        distance = cv2.GaussianBlur(distance, (0, 0), 1.6) + 0.07 * noise(rng, SHAPE, 14, octaves=3)
        lake = ramp(distance, rng.uniform(0.6, 0.9), 0.2)
        layers.blood = layers.blood * (1 - 0.45 * traits.lacunae) + traits.lacunae * mask * lake * (0.5 + 0.7 * level)
        layers.black *= 0.4 + 0.8 * lake
        layers.blue *= 0.4 + 0.8 * lake
        layers.white += 0.12 * traits.lacunae * mask * (1 - lake)
    layers.blue += 0.35 * traits.purple * mask * (0.3 + np.minimum(layers.blood, 1))
    if traits.nests:
        blobs = spots(mask, traits.nests, (2.5 * unit, 11 * unit), 3.0 * unit, rng, 1.5)
        blobs = ramp(blobs * (1 + 0.4 * noise(rng, SHAPE, 18, octaves=4, gain=0.8)), 0.05, 0.95)
        strength = rng.uniform(0.4, 1.1)
        layers.brown += 0.5 * strength * blobs
        layers.blue += rng.uniform(0.1, 0.6) * strength * blobs
    if traits.ulcer:
        wound = ramp(noise(rng, SHAPE, 5, octaves=5, gain=0.6) + 1.6 * depth, 1.7, 2.1) * mask
        layers.blood += 0.9 * traits.ulcer * wound
        layers.brown += 0.6 * traits.ulcer * wound * np.clip(0.5 + noise(rng, SHAPE, 14, octaves=3), 0, 2)
    if traits.vessels:
        canvas = np.zeros(SHAPE, np.uint8)
        for start in scatter(mask, traits.vessels, rng, edge=0.6):
            inward = np.arctan2(SIDE / 2 - start[1], SIDE / 2 - start[0]) + rng.normal(0, 0.7)
            branch(rng, canvas, start, inward, RADIUS * rng.uniform(0.6, 1.2), 2.4 * unit)
        veins = cv2.GaussianBlur(canvas, (0, 0), 0.9 * unit).astype(np.float32) / 255
        layers.blood += rng.uniform(0.35, 0.75) * veins * np.clip(0.8 + 0.4 * noise(rng, SHAPE, 6, octaves=2), 0.1, 1.4)


def plate(traits: Traits, rng: np.random.Generator) -> np.ndarray:
    """Draw a lesion.

    Parameters
    ----------
    traits : Traits
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of float32, shape (4, 480, 480)
        Optical density in red, green and blue (natural logarithm, 0 where the skin is healthy), and the share in 0-1
        of the light that keratin or scar tissue scatters back as white.
    """
    unit = 2 * RADIUS / traits.diameter  # pixels of the square per pixel of the photograph
    mask, depth = outline(traits, rng)
    layers = pigment(traits, mask, depth, unit, rng)
    brown_structures(layers, traits, mask, depth, unit, rng)
    keratin_structures(layers, traits, mask, unit, rng)
    vascular_structures(layers, traits, mask, depth, unit, rng)
    # Thick pigment turns from brown to black: red light no longer comes back either.
    layers.black += 0.15 * layers.brown**2
    hue = (1 - traits.tan) * BROWN + traits.tan * TAN
    planes = blend([layers.brown, layers.blood, layers.blue, layers.black], [hue, BLOOD, BLUE, BLACK])
    return np.concatenate([planes, np.clip(layers.white, 0, 0.8)[None]])
