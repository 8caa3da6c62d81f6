"""A field of a stained lymph-node section: which tissue lies where, its nuclei, fibres, fat, blood and clefts.

Lengths are pixels of 0.97 µm, as in PatchCamelyon (Veeling et al., 2018), whose slides come from Camelyon16.
"""

import math
from collections import defaultdict

import cv2
import numpy as np

from lesionbook.sample.fields import noise, ramp
from lesionbook.sample.nuclei import press, strew
from lesionbook.sample.slides import Growth, Slide, develop

SIDE = 384  # of a field
SCALE = 2  # what tissue lies where is laid out at half the size
HALF = (SIDE // SCALE, SIDE // SCALE)
REACH = 28  # pixels around a field, so that nuclei at its edge can be cut by it

# Kinds of tissue, by strength from 0 to 1. For each kind of nucleus: the chance that one stands at a point of its grid.
# eosin: ground tone; haze: haematoxylin between the nuclei; fibre: how much of the eosin is in bundles; cleft: gaps.
KINDS = {
    "cortex": {"lymphocyte": 0.90, "histiocyte": 0.06, "spindle": 0.05, "eosin": 0.34, "haze": 0.20, "cleft": 0.05},
    "centre": {"lymphocyte": 0.28, "blast": 0.75, "histiocyte": 0.08, "debris": 0.10, "eosin": 0.36, "haze": 0.15},
    "cords": {"lymphocyte": 0.62, "blast": 0.10, "histiocyte": 0.10, "spindle": 0.12, "eosin": 0.38, "haze": 0.13},
    "sinus": {"lymphocyte": 0.22, "histiocyte": 0.38, "spindle": 0.10, "eosin": 0.22, "haze": 0.04, "cleft": 0.70},
    "histiocytes": {"lymphocyte": 0.16, "histiocyte": 0.85, "eosin": 0.42, "haze": 0.06, "cleft": 0.12},
    "stroma": {"lymphocyte": 0.06, "spindle": 0.42, "eosin": 0.62, "haze": 0.02, "fibre": 0.9, "cleft": 0.18},
    "fat": {"lymphocyte": 0.02, "spindle": 0.08, "eosin": 0.34, "fibre": 0.3},
    "blood": {"lymphocyte": 0.05, "red cell": 0.93, "eosin": 0.12, "cleft": 0.2},
    "glass": {},
    "epithelium": {"lymphocyte": 0.03, "tumour": 0.97, "eosin": 0.42, "haze": 0.13, "cleft": 0.06},
    "reaction": {"lymphocyte": 0.15, "spindle": 0.50, "tumour": 0.02, "eosin": 0.55, "haze": 0.03, "fibre": 0.8},
    "necrosis": {"lymphocyte": 0.04, "debris": 0.55, "eosin": 0.66, "haze": 0.05, "cleft": 0.1},
    "lumen": {"debris": 0.05, "eosin": 0.05},
}
SPACING = {"lymphocyte": 8.4, "blast": 12.5, "histiocyte": 13.0, "spindle": 13.0, "debris": 6.0, "red cell": 6.8}

# Architectures of normal tissue: how often, the kind that covers everything, then what lies on top of it: kind,
# smallest and largest share of the area, patches across the field, and whether in bands rather than in patches.
ARCHITECTURES = {
    "cortex": (0.26, "cortex", [("centre", 0.0, 0.35, 2.2, False), ("stroma", 0.0, 0.10, 2.5, True)]),
    "medulla": (0.16, "cords", [("sinus", 0.2, 0.5, 4.5, True), ("stroma", 0.0, 0.15, 2.5, True)]),
    "histiocytosis": (0.07, "cords", [("histiocytes", 0.3, 0.8, 3.0, False), ("sinus", 0.0, 0.2, 3.5, True)]),
    "capsule": (0.12, "cortex", [("stroma", 0.3, 0.7, 1.6, False), ("fat", 0.0, 0.4, 1.6, False)]),
    "hilum": (0.11, "stroma", [("fat", 0.2, 0.6, 2.0, False), ("blood", 0.0, 0.12, 4.0, False)]),
    "fat": (0.16, "fat", [("stroma", 0.02, 0.2, 2.0, True), ("cortex", 0.0, 0.15, 3.0, False)]),
    "edge": (0.10, "stroma", [("fat", 0.0, 0.8, 1.6, False), ("cortex", 0.0, 0.6, 1.6, False)]),
    "vessel": (0.04, "cords", [("stroma", 0.2, 0.5, 2.5, False), ("blood", 0.1, 0.5, 2.5, False)]),
}


def field(base: Slide, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Draw a field of tissue.

    Parameters
    ----------
    base : Slide
        The slide that the field lies on.
    share : float
        Share of the field that is metastatic, from 0 (normal tissue) to 1.
    rng : numpy.random.Generator

    Returns
    -------
    pixels : ndarray of uint8, shape (384, 384, 3)
        Red, green, blue.
    tumour : ndarray of bool, shape (384, 384)
        Where the metastasis is: the outline that a pathologist would draw, with its stroma and the hollow of its
        glands.
    """
    weights, tumour = layout(base.growth, share, rng)
    grounds = defaultdict(lambda: np.zeros(HALF, np.float32))
    for kind, amount in weights.items():
        for name, strength in KINDS[kind].items():
            grounds[name] += np.float32(strength) * amount
    grounds["lymphocyte"] += base.growth.infiltrate * weights.get("epithelium", np.float32(0))

    solid = fat(weights["fat"], rng) if "fat" in weights else np.ones(HALF, np.float32)
    bundles, slope = fibres(rng)
    nuclei = np.zeros((SIDE + 2 * REACH, SIDE + 2 * REACH), np.float32)
    cells = np.zeros_like(nuclei)
    for kind, patterns in base.nuclei.items():
        spacing = SPACING.get(kind, base.growth.spacing)
        points = strew(rng, grounds[kind] * solid, SCALE, spacing)
        if kind == "spindle":  # lies along the fibres
            turns = slope[points[:, 1] // SCALE, points[:, 0] // SCALE] + rng.normal(0, 0.15, len(points))
            which = (np.rint(turns / np.pi * len(patterns)) % len(patterns)).astype(int)
        else:
            which = rng.integers(0, len(patterns), len(points))
        press(cells if kind == "red cell" else nuclei, patterns, points + (REACH - patterns.shape[1] // 2), which)
    inner = (slice(REACH, -REACH), slice(REACH, -REACH))
    nuclei, cells = nuclei[inner], cells[inner]

    eosin, haze, fibre, cleft = (enlarge(grounds[name]) for name in ("eosin", "haze", "fibre", "cleft"))
    eosin *= 1 + fibre * 0.45 * bundles + 0.16 * noise(rng, (SIDE, SIDE), 12, octaves=4, gain=0.8)
    haze *= 1 + 0.3 * noise(rng, (SIDE, SIDE), 40, octaves=2)
    gaps = cleft * ramp(noise(rng, (SIDE, SIDE), 22, octaves=3), 0.5, 0.9) + fibre * ramp(bundles, -1.6, -2.0)
    full = cv2.GaussianBlur(1 - np.minimum(gaps, 1), (0, 0), 0.8)
    full *= enlarge(solid)
    blue = nuclei * np.minimum(full + 0.5, 1) + haze * full
    pink = np.maximum(eosin, 0) * full * (1 - 0.6 * np.minimum(nuclei, 1))
    return develop(base, thickness(rng) * np.stack([blue, pink, cells]), rng), tumour


def enlarge(plane: np.ndarray) -> np.ndarray:
    """A plane of the layout at the size of the field."""
    return cv2.resize(plane, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)


def blobs(rng: np.random.Generator, patches: float, octaves: int) -> np.ndarray:
    """Noise at half size, turned by a random angle: the grid that it comes from would show in large patches."""
    turn = cv2.getRotationMatrix2D((HALF[1] / 2, HALF[0] / 2), rng.uniform(0, 90), 1.42)
    plane = noise(rng, HALF, 1.42 * patches, octaves=octaves, gain=0.42)
    return cv2.warpAffine(plane, turn, HALF[::-1], borderMode=cv2.BORDER_REFLECT)


def part(rng: np.random.Generator, share: float, patches: float, band: bool = False, soft: float = 0.1) -> np.ndarray:
    """Patches or bands that take a `share` of the field's area: amounts from 0 to 1 with soft edges, at half size."""
    plane = blobs(rng, patches, octaves=4)
    if band:
        plane = -np.abs(plane)
    level = float(np.quantile(plane[::4, ::4], 1 - share))
    return ramp(plane, level - soft, level + soft)


def layout(growth: Growth, share: float, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What tissue lies where: amounts by kind, at half size, adding up to 1, and the mask of the metastasis."""
    names = list(ARCHITECTURES)
    often = np.array([ARCHITECTURES[name][0] for name in names])
    name = names[rng.choice(len(names), p=often / often.sum())]
    _, ground, layers = ARCHITECTURES[name]
    weights = {ground: np.ones(HALF, np.float32)}

    def lay(kind: str, amount: np.ndarray) -> None:
        for plane in weights.values():
            plane *= 1 - amount
        weights[kind] = weights.get(kind, np.float32(0)) + amount

    for kind, least, most, patches, band in layers:
        area = rng.uniform(least, most)
        if area > 0.02:
            lay(kind, part(rng, area, patches * rng.uniform(0.7, 1.4), band))
    outline = np.full(HALF, share == 1, np.float32)
    if share:
        if share < 1:
            outline = part(rng, share, rng.uniform(1.5, 3.5), soft=0.05)
        nests = blobs(rng, growth.nest * rng.uniform(0.8, 1.25), octaves=3)
        low, high = np.quantile(nests[::4, ::4], (growth.stroma, 1 - growth.lumen))
        lay("reaction", outline)
        lay("epithelium", outline * (ramp(nests, low - 0.1, low + 0.1) if growth.stroma > 0.02 else 1))
        if growth.necrosis:
            lay("necrosis", outline * part(rng, growth.necrosis, 3))
        if growth.lumen:
            lay("lumen", outline * ramp(nests, high - 0.08, high + 0.08))
    if name == "edge":
        lay("glass", part(rng, rng.uniform(0.1, 0.4) if share else rng.uniform(0.3, 0.95), 1.3, soft=0.03))
    outline *= 1 - weights.get("glass", np.float32(0))
    return weights, enlarge(outline) > 0.2  # beyond this line hardly a tumour cell stands


def fibres(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Wavy bundles: their relief (full size, mean 0, deviation about 1) and their direction in radians (half size)."""
    y, x = np.mgrid[0 : HALF[0], 0 : HALF[1]].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    wave = rng.uniform(6, 16) * noise(rng, HALF, rng.uniform(2, 5), octaves=2, gain=0.4)
    across = math.cos(angle) * y - math.sin(angle) * x + wave
    along = math.cos(angle) * x + math.sin(angle) * y
    sheet = noise(rng, (256, 256), 100, octaves=2, gain=1.0)
    rows, columns = (enlarge(plane) for plane in (across * 0.45 + 128, along * 0.06 + 128))
    relief = cv2.remap(sheet, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    down, right = np.gradient(across)
    return relief, np.arctan2(-right, down)


def fat(amount: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share of tissue left (half size): 0 within the fat cells that lie where there is fat, 1 elsewhere."""
    spacing = rng.uniform(20, 32)  # at half size
    canvas = np.ones(HALF, np.uint8)
    points = strew(rng, np.ones(HALF, np.float32), 1, spacing)
    canvas[points[:, 1], points[:, 0]] = 0
    _, label = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    hollow = np.zeros(label.max() + 1, np.float32)
    hollow[label[points[:, 1], points[:, 0]]] = amount[points[:, 1], points[:, 0]] > 0.5
    same = (label[1:-1, 1:-1] == label[2:, 1:-1]) & (label[1:-1, 1:-1] == label[1:-1, 2:])
    walls = np.ones(HALF, np.uint8)
    walls[1:-1, 1:-1] = same
    depth = cv2.GaussianBlur(cv2.distanceTransform(walls, cv2.DIST_L2, 5), (0, 0), 1.5)
    wall = rng.uniform(1.0, 1.8)
    return 1 - hollow[label] * ramp(depth, wall - 0.5, wall + 0.5)


def thickness(rng: np.random.Generator) -> np.ndarray:
    """Thickness of the section relative to the usual one: slightly uneven, now and then with a fold."""
    plane = 1 + 0.06 * noise(rng, HALF, 3, octaves=2)
    if rng.random() < 0.05:
        ridge = np.abs(blobs(rng, 1.5, octaves=3))
        plane += rng.uniform(0.5, 4) * ramp(ridge, rng.uniform(0.1, 0.4), 0.05)
    return enlarge(plane)
