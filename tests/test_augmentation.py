import cv2
import numpy as np
import pytest

from lesionbook import augmentation
from lesionbook.augmentation import augment
from lesionbook.recipes import Augmentation

EVERYTHING = Augmentation(
    rotation_degrees=180,
    zoom=0.2,
    shear=0.1,
    shift=0.1,
    horizontal_flip=True,
    vertical_flip=True,
    brightness=0.1,
    contrast=0.2,
    saturation=0.2,
    hue=0.05,
)


@pytest.fixture(scope="module")
def image():
    """Smooth coloured noise, wider than high."""
    noise = np.random.default_rng(0).normal(size=(24, 32, 3))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + 250 * smooth, 0, 255).astype(np.uint8)


def flat(value, size=16):
    return np.full((size, size, 3), value, dtype=np.uint8)


def drawn(image, settings, draws=40):
    return [augment(image, settings, seed=1, epoch=epoch, key=9) for epoch in range(draws)]


def test_a_variant_depends_on_seed_epoch_and_key_alone(image):
    def first():
        return augment(image, EVERYTHING, seed=1, epoch=2, key=3)

    before = first()
    drawn(image, EVERYTHING, 5)
    np.random.random(7)  # noqa: NPY002 - the global generator must play no part
    assert np.array_equal(before, first())
    for other in ({"seed": 2}, {"epoch": 3}, {"key": 4}):
        changed = augment(image, EVERYTHING, **({"seed": 1, "epoch": 2, "key": 3} | other))
        assert not np.array_equal(before, changed), other


def test_epochs_never_repeat_a_variant(image):
    seen = {variant.tobytes() for variant in augmentation.variants(image, EVERYTHING, seed=1, key=3, count=30)}
    assert len(seen) == 30


def test_variants_are_those_of_the_first_epochs(image):
    shown = augmentation.variants(image, EVERYTHING, seed=1, key=3, count=3)
    assert np.array_equal(shown[2], augment(image, EVERYTHING, seed=1, epoch=2, key=3))


def test_shape_type_and_original_are_kept(image):
    before = image.copy()
    for variant in drawn(image, EVERYTHING, 5):
        assert variant.shape == image.shape
        assert variant.dtype == np.uint8
    assert np.array_equal(image, before)


def test_nothing_asked_changes_nothing(image):
    noise = np.random.default_rng(1).integers(0, 256, size=(24, 32, 3), dtype=np.uint8)
    for original in (image, noise):
        assert all(np.array_equal(variant, original) for variant in drawn(original, Augmentation(), 10))


@pytest.mark.parametrize(
    ("settings", "mirrored"),
    [
        (Augmentation(horizontal_flip=True), lambda image: image[:, ::-1]),
        (Augmentation(vertical_flip=True), lambda image: image[::-1]),
    ],
)
def test_flips_are_exact_and_happen_about_every_other_time(image, settings, mirrored):
    flipped = [np.array_equal(variant, mirrored(image)) for variant in drawn(image, settings)]
    kept = [np.array_equal(variant, image) for variant in drawn(image, settings)]
    assert all(one != other for one, other in zip(flipped, kept, strict=True))
    assert 10 <= sum(flipped) <= 30


def test_the_two_flips_are_drawn_apart(image):
    both = Augmentation(horizontal_flip=True, vertical_flip=True)
    ways = {way.tobytes() for way in (image, image[:, ::-1], image[::-1], image[::-1, ::-1])}
    assert {variant.tobytes() for variant in drawn(image, both)} == ways


def test_rotation_turns_but_keeps_the_mean_colour(image):
    square = image[:, :24]
    for variant in drawn(square, Augmentation(rotation_degrees=180), 10):
        assert np.abs(variant.mean(axis=(0, 1)) - square.mean(axis=(0, 1))).max() < 12
        assert np.abs(variant.astype(int) - square).mean() > 3


def test_no_black_corners():
    moved = Augmentation(rotation_degrees=180, zoom=0.3, shear=0.2, shift=0.2)
    assert all((variant == 200).all() for variant in drawn(flat(200), moved))


def test_zoom_goes_both_ways_about_the_centre():
    disc = cv2.circle(flat(0, 65), (32, 32), 12, (255, 255, 255), -1)
    areas = [(variant[:, :, 0] > 127).sum() for variant in drawn(disc, Augmentation(zoom=0.3))]
    full = (disc[:, :, 0] > 127).sum()
    assert 0.4 * full < min(areas) < 0.8 * full
    assert 1.25 * full < max(areas) < 1.8 * full
    rows, columns = np.nonzero(drawn(disc, Augmentation(zoom=0.3), 1)[0][:, :, 0] > 127)
    assert abs(rows.mean() - 32) < 0.5
    assert abs(columns.mean() - 32) < 0.5


def test_shift_moves_by_a_share_of_each_side():
    dot = np.zeros((40, 80, 3), dtype=np.uint8)
    dot[20, 40] = 255
    places = [
        np.argwhere(v[:, :, 0] == v[:, :, 0].max())[0] - [20, 40] for v in drawn(dot, Augmentation(shift=0.25), 60)
    ]
    down, right = np.abs(places).max(axis=0)
    assert 7 <= down <= 10
    assert 15 <= right <= 20


@pytest.mark.parametrize("value", [5, 250])
def test_brightness_is_clipped_at_the_ends_of_the_scale(value):
    levels = [int(variant.max()) for variant in drawn(flat(value), Augmentation(brightness=0.3))]
    assert all(abs(level - value) <= 0.3 * 255 + 1 for level in levels)  # a wrap would jump across the scale
    assert {5: 0, 250: 255}[value] in levels


def test_colour_changes_within_the_asked_range():
    grey = [variant[0, 0].astype(int) for variant in drawn(flat(120), Augmentation(saturation=0.5, hue=0.2))]
    assert all(np.abs(pixel - 120).max() <= 1 for pixel in grey)
    two = np.concatenate([flat(100), flat(140)])
    spreads = [int(v.max()) - int(v.min()) for v in drawn(two, Augmentation(contrast=0.5))]
    assert 20 <= min(spreads) < 32
    assert 48 < max(spreads) <= 60
    assert all(abs(v.mean() - 120) < 1 for v in drawn(two, Augmentation(contrast=0.5)))


def test_hue_turns_the_colour_and_keeps_the_mean_of_the_channels():
    red = flat(60)
    red[:, :, 0] = 180
    turned = [variant[0, 0].astype(int) for variant in drawn(red, Augmentation(hue=0.1))]
    assert all(abs(pixel.sum() - 300) <= 2 for pixel in turned)
    assert max(pixel[1] for pixel in turned) > 100
    assert max(pixel[2] for pixel in turned) > 100


def test_a_key_depends_on_its_own_image_id_only():
    together, alone = augmentation.keys(["a", "b", "c"]), augmentation.keys(["b"])
    assert together.dtype == np.uint32
    assert together[1] == alone[0]
    assert len(set(together)) == 3
