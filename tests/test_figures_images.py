import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts

from lesionbook.figures import images

pytestmark = pytest.mark.filterwarnings("error")


def pictures(n, height=24, width=32):
    return np.random.default_rng(n).integers(0, 256, size=(n, height, width, 3), dtype=np.uint8)


def drawn(figure):
    """The image of every axes that holds one."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_grid():
    stack = pictures(7)
    figure = images.grid(stack, [f"actual mel, predicted nv\np = 0.{n}" for n in range(7)], columns=5)
    assert len(figure.axes) == 10
    assert all((one == other).all() for one, other in zip(drawn(figure), stack, strict=True))
    assert not figure.axes[9].axison
    assert_legible(figure)


def test_grid_wraps_long_titles_and_narrows_for_few():
    figure = images.grid(pictures(2), ["actual Benign keratosis-like lesions, predicted Basal cell carcinoma"] * 2)
    assert figure.get_figwidth() < 5
    assert_legible(figure)


def test_class_grid():
    figure = images.class_grid({"mel": pictures(3), "nv": pictures(2)}, {"mel": "Melanoma"})
    assert len(drawn(figure)) == 5
    assert shown_texts(figure) == ["Melanoma (mel)", "nv"]
    assert_legible(figure)


def test_mean_images_are_rounded_and_clipped():
    figure = images.mean_images({"a": np.full((8, 8, 3), 99.6), "b": np.full((8, 8, 3), 260.0)})
    assert [image.max() for image in drawn(figure)] == [100, 255]
    assert {"a", "b"} <= set(shown_texts(figure))


def test_colour_by_class():
    frame = pd.DataFrame({"label": ["b", "a"] * 5, "red": 200.0, "green": np.arange(10.0), "blue": 50.0})
    figure = images.colour_by_class(frame)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["red", "green", "blue"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    medians = [line.get_xdata()[0] for line in figure.axes[1].lines if line.get_linewidth() == 1.8]
    assert medians == [5, 4]
    assert_legible(figure)


def test_before_and_after_states_both_sizes():
    originals = [*pictures(1, 45, 60), *pictures(1, 60, 60)]
    figure = images.before_and_after(originals, pictures(2, 24, 24))
    assert {"60 × 45", "60 × 60", "24 × 24"} <= set(shown_texts(figure))
    assert [image.shape[:2] for image in drawn(figure)] == [(45, 60), (60, 60), (24, 24), (24, 24)]
    assert_legible(figure)


def test_augmentations_start_with_the_original():
    original, variants = pictures(1)[0], pictures(6)
    figure = images.augmentations(original, variants)
    assert (drawn(figure)[0] == original).all()
    assert len(drawn(figure)) == 7
    assert "original" in shown_texts(figure)
    assert_legible(figure)


def test_overlays():
    stack, heat = pictures(5), np.random.default_rng(0).random((5, 7, 7)) * 1.5 - 0.2
    figure = images.overlays(stack, heat, ["predicted mel (0.91)"] * 5, columns=4)
    maps = [axes.images[1] for axes in figure.axes if len(axes.images) == 2]
    assert len(maps) == 5
    values = np.stack([np.asarray(one.get_array()) for one in maps])
    assert (values == np.clip(heat, 0, 1)).all()
    assert maps[0].get_extent() == [-0.5, 31.5, 23.5, -0.5]
    below = [axes for axes in figure.axes if len(axes.images) == 2]
    assert (np.asarray(below[4].images[0].get_array()) == stack[4]).all()
    assert_legible(figure)
