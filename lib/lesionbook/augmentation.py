"""Random variants of training images, each a pure function of (seed, epoch, image id).

No state is carried from one image to the next: the order of the batches, the number of threads and a resumed run cannot
change what an image looks like in an epoch, and two epochs never show the same variant. Colour is changed on the 0-255
scale that the images are stored in, before any scaling inside a model.
"""

import zlib
from collections.abc import Sequence

import cv2
import numpy as np

from lesionbook.recipes import Augmentation


def keys(image_ids: Sequence[str]) -> np.ndarray:
    """A number per image id that does not depend on the other images: CRC-32, uint32 of shape (N,)."""
    return np.array([zlib.crc32(image_id.encode()) for image_id in image_ids], dtype=np.uint32)


def augment(image: np.ndarray, settings: Augmentation, *, seed: int, epoch: int, key: int) -> np.ndarray:
    """One random variant of an image.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB, 0 to 255.
    settings : Augmentation
        How far it may be changed.
    seed, epoch, key : int
        The variant is a function of these three (and of the settings) alone; see `keys`.

    Returns
    -------
    ndarray of uint8, shape (H, W, 3)
        What lies beyond the edge is filled by reflection, since a black corner would be a feature of its own.
    """
    draw = np.random.default_rng([seed, epoch, int(key)]).uniform(-1, 1, size=12)
    warped = cv2.warpAffine(
        image,
        _geometry(image.shape[0], image.shape[1], settings, draw[:7]),
        (image.shape[1], image.shape[0]),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return cv2.transform(warped, _colour(warped, settings, draw[7:]))


def variants(image: np.ndarray, settings: Augmentation, *, seed: int, key: int, count: int) -> np.ndarray:
    """Variants of an image in the first epochs, uint8 of shape (count, H, W, 3)."""
    return np.stack([augment(image, settings, seed=seed, epoch=epoch, key=key) for epoch in range(count)])


def _geometry(height: int, width: int, settings: Augmentation, draw: np.ndarray) -> np.ndarray:
    """Flip, zoom, shear, rotation about the centre, then shift, as one 2×3 matrix: a single interpolation."""
    angle = np.deg2rad(settings.rotation_degrees * draw[0])
    scale = 1 + settings.zoom * draw[1]
    shear = settings.shear * draw[2]
    mirror_x = -1.0 if settings.horizontal_flip and draw[5] > 0 else 1.0
    mirror_y = -1.0 if settings.vertical_flip and draw[6] > 0 else 1.0
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ np.array([[scale, scale * shear], [0, scale]]) @ np.diag([mirror_x, mirror_y])
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    moved = centre + settings.shift * draw[3:5] * [width, height] - linear @ centre
    return np.column_stack([linear, moved])


def _colour(image: np.ndarray, settings: Augmentation, draw: np.ndarray) -> np.ndarray:
    """Hue, saturation, contrast and brightness as one 3×4 matrix on RGB, clipped once at the end."""
    grey = np.array([0.299, 0.587, 0.114])
    angle = 2 * np.pi * settings.hue * draw[0]
    third, root = (1 - np.cos(angle)) / 3, np.sin(angle) / np.sqrt(3)
    # A turn about the grey axis (1, 1, 1), by Rodrigues' formula.
    turn = np.cos(angle) * np.eye(3) + third + root * np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])
    saturation = 1 + settings.saturation * draw[1]
    contrast = 1 + settings.contrast * draw[2]
    matrix = contrast * (saturation * np.eye(3) + (1 - saturation) * np.outer(np.ones(3), grey)) @ turn
    mean = cv2.mean(image)[:3] @ grey
    offset = (1 - contrast) * mean + 255 * settings.brightness * draw[3]
    return np.column_stack([matrix, np.full(3, offset)])
