import cv2
import numpy as np
import pytest

from lesionbook import alignment

SIDE = 120


@pytest.fixture
def picture():
    """Blots of all sizes, as RGB."""
    rng = np.random.default_rng(3)
    coarse = [
        cv2.resize(rng.random((n, n)).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for n in (8, 30)
    ]
    grey = (np.clip(sum(coarse) / 2, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def correlation(first, second, enough=0.99):
    return alignment.correlation(alignment.small(first), alignment.small(second), enough)


def test_an_image_is_itself(picture):
    assert correlation(picture, picture) == pytest.approx(1)
    assert correlation(picture, 255 - picture, enough=-1) == pytest.approx(-1, abs=1e-3)


def test_a_brighter_and_flatter_copy_is_the_same(picture):
    assert correlation(picture, (picture * 0.6 + 80).astype(np.uint8), enough=0.9) > 0.9


def test_a_shifted_copy_is_found_by_alignment_alone(picture):
    moved = np.roll(picture, (4, 3), axis=(0, 1))
    assert correlation(picture, moved, enough=-1) < 0.5  # enough as it is: not aligned
    assert correlation(picture, moved) > 0.8


def test_another_picture_stays_another(picture):
    other = np.random.default_rng(9).permutation(picture.reshape(-1, 3)).reshape(picture.shape)
    assert abs(correlation(picture, other)) < 0.3


def test_nothing_correlates_with_an_empty_image(picture):
    assert correlation(np.full_like(picture, 200), picture) == 0


def test_only_large_images_are_reduced(picture):
    assert alignment.small(picture).shape == (alignment.PIXELS, alignment.PIXELS)
    assert alignment.small(picture[:40, :40]).shape == (40, 40)
    assert alignment.small(picture).dtype == np.float32
