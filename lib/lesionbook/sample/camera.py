"""The photograph: lesion on skin through a dermatoscope, with hair, gel bubbles, ruler, vignette, blur and noise."""

from dataclasses import dataclass

import cv2
import numpy as np

from lesionbook.sample.fields import curve, noise, ramp, stroke
from lesionbook.sample.lesion import RADIUS, SIDE
from lesionbook.sample.skin import SIZE, Skin, density

HEIGHT, WIDTH = SIZE
DOUBLE = (2 * HEIGHT, 2 * WIDTH)  # thin things are drawn at twice the size, so that they can be thinner than a pixel


@dataclass(frozen=True)
class Device:
    """What the photographs of one lesion share; `hair` and `fibres` from 0 to 1, `vignette` none, soft or round."""

    hair: float
    hair_tone: tuple[float, float, float]
    vignette: str
    ruler: bool
    gel: bool
    fibres: float


def device(rng: np.random.Generator) -> Device:
    """Draw the circumstances under which one lesion is photographed."""
    dark = np.array([38, 26, 24]) + rng.uniform(0, 1) ** 2 * np.array([90, 66, 44])
    return Device(
        hair=float(rng.uniform(0.03, 1) ** 1.5 if rng.random() < 0.5 else 0),
        hair_tone=tuple(dark),
        vignette=str(rng.choice(["none", "soft", "round"], p=[0.66, 0.21, 0.13])),
        ruler=bool(rng.random() < 0.1),
        gel=bool(rng.random() < 0.16),
        fibres=float(rng.uniform(0.2, 1) if rng.random() < 0.35 else 0),
    )


def photograph(lesion: np.ndarray, diameter: float, skin: Skin, tools: Device, rng: np.random.Generator) -> np.ndarray:
    """Take one photograph of a lesion, each time from another angle and distance, in other light.

    Parameters
    ----------
    lesion : ndarray of float32, shape (4, 480, 480)
        From `lesionbook.sample.lesion.plate`.
    diameter : float
        Diameter of the lesion in pixels of the photograph at the usual distance.
    skin : Skin
    tools : Device
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint8, shape (450, 600, 3)
        Red, green, blue.
    """
    zoom = float(np.exp(rng.normal(0, 0.10)))
    scale = zoom * diameter / (2 * RADIUS)
    matrix = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), float(rng.uniform(0, 360)), scale)
    matrix[:, 2] += np.array([WIDTH, HEIGHT]) / 2 - SIDE / 2 + rng.normal(0, (28, 22))
    # A plate that is shrunk much is blurred first, or fine structures would turn into stray pixels.
    planes = [cv2.GaussianBlur(plane, (0, 0), 0.35 / scale) if scale < 0.8 else plane for plane in lesion]
    *body, white = (cv2.warpAffine(plane, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR) for plane in planes)
    image = density(skin, rng, zoom)
    for plane, absorbed in zip(image, body, strict=True):
        plane += absorbed
    np.exp(np.negative(image, out=image), out=image)
    image = cover(image, white, np.array([0.91, 0.83, 0.82]) * np.mean(skin.tone) / 185)
    if tools.hair:
        image = hairs(image, tools, rng)
    if tools.fibres:
        image = fibres(image, tools.fibres, rng)
    focus = float(rng.uniform(0.5, 1.2))
    for plane in image:
        cv2.GaussianBlur(plane, (0, 0), focus, dst=plane)
    if tools.gel:
        image = bubbles(image, rng)
    if tools.ruler:
        image = ruler(image, rng)
    image = light(image, tools.vignette, rng)
    grain = cv2.resize(rng.standard_normal((300, 400), dtype=np.float32), (WIDTH, HEIGHT))
    image += np.float32(rng.uniform(0.004, 0.012)) * grain
    return cv2.merge([cv2.convertScaleAbs(plane, alpha=255) for plane in np.maximum(image, 0)])


def at_size(image: np.ndarray, width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Show a photograph as a sensor of another size would have taken it.

    Parameters
    ----------
    image : ndarray of uint8, shape (450, 600, 3)
    width, height : int
        Pixels of the result; where their proportions differ, the edges of the photograph are cut off.
    rng : numpy.random.Generator
        For the detail that a larger sensor would see, and its noise.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    rows, columns = image.shape[:2]
    scale = max(width / columns, height / rows)
    if scale > 1:
        # Enlarging alone looks out of focus: edges are frayed by up to a pixel, and surfaces get a finer grain.
        x, y = (cv2.resize(0.25 * noise(rng, DOUBLE, 110, octaves=3), (width, height)) for _ in range(2))
        x += (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / scale + columns / 2 - 0.5
        y += ((np.arange(height, dtype=np.float32) + 0.5 - height / 2) / scale + rows / 2 - 0.5)[:, None]
        shown = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        del x, y  # a large image takes a few hundred megabytes on its way
        result = shown * np.exp(0.02 * noise(rng, (height, width), 300, octaves=4, gain=0.8))[..., None]
    else:
        size = (max(width, round(columns * scale)), max(height, round(rows * scale)))
        whole = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        left, top = (size[0] - width) // 2, (size[1] - height) // 2
        result = whole[top : top + height, left : left + width].astype(np.float32)
    result += np.float32(rng.uniform(1.2, 2.4)) * rng.standard_normal((height, width, 1), dtype=np.float32)
    return cv2.convertScaleAbs(np.maximum(result, 0, out=result))


def light(image: np.ndarray, vignette: str, rng: np.random.Generator) -> np.ndarray:
    """Exposure, white balance, uneven light and the dark corners of the lens; `image` is (3, 450, 600)."""
    balance = np.exp(rng.normal(0, 0.05) + rng.normal(0, 0.014, 3)).astype(np.float32)
    y, x = np.mgrid[0:113, 0:150].astype(np.float32)
    x, y = (x - 75) / 75, (y - 56) / 75
    shift = rng.normal(0, 0.06, 2)
    radius = np.hypot(x - shift[0], y - shift[1])
    field = 1 + rng.normal(0, 0.05) * x + rng.normal(0, 0.05) * y - rng.uniform(0.0, 0.10) * radius**2
    if vignette == "soft":
        field = field * ramp(radius, rng.uniform(1.25, 1.5), rng.uniform(0.7, 0.95))
    elif vignette == "round":
        edge = rng.uniform(0.94, 1.1)
        field = field * (1 - 0.25 * radius**2) * ramp(radius, edge + rng.uniform(0.03, 0.12), edge)
    field = np.maximum(cv2.resize(field, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), 0.03)
    image *= field
    image *= balance[:, None, None]
    return image


def mix(image: np.ndarray, canvas: np.ndarray, tone: np.ndarray | tuple, alpha: float, blur: float) -> np.ndarray:
    """Lay `tone` (0-1) over the image where the double-size canvas is drawn."""
    share = cv2.GaussianBlur(cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA), (0, 0), blur)
    return cover(image, share.astype(np.float32) * np.float32(alpha / 255), tone)


def cover(image: np.ndarray, share: np.ndarray, tone: np.ndarray | tuple) -> np.ndarray:
    """Replace the `share` (450, 600) of each pixel of the image by `tone` (red, green, blue in 0-1), in place."""
    for plane, value in zip(image, tone, strict=True):
        plane += share * (np.float32(value) - plane)
    return image


def hairs(image: np.ndarray, tools: Device, rng: np.random.Generator) -> np.ndarray:
    """Hairs that share a direction, bend, taper and are partly out of focus; sometimes shaved to stubble."""
    canvas = np.zeros(DOUBLE, np.uint8)
    along = rng.uniform(0, 2 * np.pi)
    stubble = rng.random() < 0.3
    for _ in range(1 + int(26 * tools.hair * rng.uniform(0.6, 1.3))):
        start = rng.uniform((-60, -60), (2 * WIDTH + 60, 2 * HEIGHT + 60))
        angle = along + rng.normal(0, 0.6)
        length = rng.uniform(25, 80) if stubble else rng.uniform(150, 900)
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        width = rng.uniform(1.2, 3.6)
        path = curve(start, end, rng.normal(0, 0.2), 7 if stubble else 16)
        stroke(canvas, path, np.linspace(width, 0.35 * width, len(path) - 1), int(rng.uniform(150, 255)))
    return mix(image, canvas, np.array(tools.hair_tone) / 255, rng.uniform(0.65, 0.95), rng.uniform(0.4, 1.1))


def fibres(image: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Fine pale hairs and scratches that polarized light makes glint."""
    canvas = np.zeros(DOUBLE, np.uint8)
    along = rng.uniform(0, 2 * np.pi)
    for _ in range(int(45 * strength)):
        start = rng.uniform((0, 0), (2 * WIDTH, 2 * HEIGHT))
        angle = along + rng.normal(0, 0.6)
        end = start + rng.uniform(20, 180) * np.array([np.cos(angle), np.sin(angle)])
        stroke(canvas, curve(start, end, rng.normal(0, 0.12), 8), [2] * 7, int(rng.uniform(60, 255)))
    return mix(image, canvas, np.minimum(image.mean(axis=(1, 2)) * 1.35, 1), 0.4, 0.6)


def bubbles(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Air in the gel: bright rims, and small glints beside them."""
    canvas = np.zeros(DOUBLE, np.uint8)
    home = rng.uniform((0, 0), (2 * WIDTH, 2 * HEIGHT))
    for _ in range(int(rng.integers(2, 14))):
        x, y = np.rint(home + rng.normal(0, 160, 2)).astype(int).tolist()
        radius = int(rng.uniform(5, 18) if rng.random() < 0.8 else rng.uniform(25, 70))
        first = rng.uniform(0, 360)
        cv2.ellipse(canvas, (x, y), (radius, radius), 0, first, first + rng.uniform(120, 360), 140, 2, cv2.LINE_AA)
        cv2.ellipse(canvas, (x, y), (radius, radius), 0, first, first + rng.uniform(30, 80), 255, 3, cv2.LINE_AA)
        tip = rng.normal(0, 0.4, 2) * radius
        cv2.circle(canvas, (x + int(tip[0]), y + int(tip[1])), max(2, radius // 8), 255, cv2.FILLED, cv2.LINE_AA)
    return mix(image, canvas, (1, 0.98, 0.98), 0.75, 0.6)


def ruler(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black ticks of the scale on the glass, in one corner."""
    canvas = np.zeros(DOUBLE, np.uint8)
    corner = np.array([rng.choice([40, 2 * WIDTH - 40]), rng.choice([30, 2 * HEIGHT - 30])], float)
    along = np.array([2 * WIDTH, 2 * HEIGHT]) / 2 - corner
    slope = np.array([np.sign(along[0]), -np.sign(along[1])]) / 2**0.5
    across = np.array([np.sign(along[0]), np.sign(along[1])]) / 2**0.5
    gap = rng.uniform(42, 60)
    for tick in range(-6, 7):
        start = corner + across * rng.uniform(20, 22) + slope * gap * tick
        stroke(canvas, np.stack([start, start + across * (44 if tick % 5 == 0 else 28)]), [4])
    return mix(image, canvas, (0.08, 0.07, 0.08), 0.85, 0.7)
