import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from matplotlib.colors import to_hex

from lesionbook.figures import style, understanding

pytestmark = pytest.mark.filterwarnings("error")


def normal(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def drawn(figure):
    """The image of every axes that holds one."""
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


@pytest.mark.parametrize(("count", "side"), [(1, 3), (16, 3), (32, 3), (50, 7), (64, 7)])
def test_kernels_over_colours_are_tiles_about_grey(count, side):
    kernels = normal(count, side, side, 3)
    kernels[0] = 0
    kernels[0, 0, 0, 0], kernels[0, 0, 1, 2] = 4, -2
    figure = understanding.kernels(kernels)
    tiles = drawn(figure)
    assert len(tiles) == count
    assert tiles[0][0, 0].tolist() == [1, 0.5, 0.5]
    assert tiles[0][0, 1].tolist() == [0.5, 0.5, 0.25]
    assert tiles[0][1, 1].tolist() == [0.5, 0.5, 0.5]
    assert {1.0, 0.0} & {float(tiles[-1].max()), float(tiles[-1].min())}
    assert str(count) in shown_texts(figure)
    assert_legible(figure)


def test_a_dead_kernel_is_grey():
    (tile,) = drawn(understanding.kernels(np.zeros((1, 3, 3, 3))))
    assert (tile == 0.5).all()


def test_more_kernels_than_are_drawn_are_counted():
    figure = understanding.kernels(normal(96, 3, 3, 3))
    assert len(drawn(figure)) == 64
    assert any(text.startswith("the first 64 of 96 kernels") for text in shown_texts(figure))
    assert_legible(figure)


@pytest.mark.parametrize(
    ("shape", "rows", "columns"), [((6, 3, 3, 1), 6, 1), ((4, 5, 5, 6), 4, 6), ((32, 3, 3, 16), 8, 12)]
)
def test_kernels_over_maps_tell_the_sign_on_one_scale(shape, rows, columns):
    kernels = normal(*shape)
    figure = understanding.kernels(kernels)
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == rows * columns
    shown = kernels[:rows, :, :, :columns]
    assert (drawn(figure)[columns - 1] == shown[0, :, :, -1]).all()
    extreme = np.abs(shown).max()
    assert {panel.images[0].get_clim() for panel in panels} == {(-extreme, extreme)}
    assert {"kernel 1", f"kernel {rows}", "weight"} <= set(shown_texts(figure))
    complete = "channel of the input"
    assert (complete in shown_texts(figure)) == (shape != (32, 3, 3, 16))
    if shape == (32, 3, 3, 16):
        assert f"{complete} (12 of 16; 8 of 32 kernels)" in shown_texts(figure)
    assert_legible(figure)


@pytest.mark.parametrize(("count", "height", "scale"), [(16, 48, 1), (20, 36, 1e-4), (3, 48, -4e3), (5, 60, 0)])
def test_feature_maps(count, height, scale):
    image = np.zeros((height, 48, 3), dtype=np.uint8)
    maps = normal(height // 2, 24, count) * scale
    figure = understanding.feature_maps(image, maps)
    first, *others = drawn(figure)
    assert (first == image).all()
    assert len(others) == min(count, 16)
    assert all((other == maps[:, :, number]).all() for number, other in enumerate(others))
    assert figure.get_figheight() < 9
    assert_legible(figure)


def test_feature_maps_say_their_range_or_what_they_are_told():
    image, maps = np.zeros((8, 8, 3), dtype=np.uint8), np.zeros((8, 8, 2))
    maps[0, 0] = [-0.5, 3]
    assert {"map 1\n−0.5 to 0", "map 2\n0 to 3"} <= set(shown_texts(understanding.feature_maps(image, maps)))
    figure = understanding.feature_maps(image, maps, ["block1_convolution1, map 7", "red"])
    assert {"block1_convolution\n1, map 7", "red"} <= set(shown_texts(figure))
    assert_legible(figure)


NAMES = {
    "akiec": "Actinic keratoses",
    "bkl": "Benign keratosis-like lesions",
    "nv": "Melanocytic nevi",
    "mel": "Melanoma",
}


def test_embedding_tells_classes_apart_by_colour_and_marker():
    labels = ["nv"] * 30 + ["akiec"] * 4 + ["bkl"] * 9 + ["mel"] * 9
    columns = ["principal component 1 (61% of the variance)", "principal component 2 (20% of the variance)"]
    points = pd.DataFrame(normal(52, 2), columns=columns)
    figure = understanding.embedding(points, labels, NAMES)
    axes = figure.axes[0]
    assert [len(part.get_offsets()) for part in axes.collections] == [30, 9, 9, 4]  # rare ones on top
    assert np.allclose(axes.collections[3].get_offsets(), points[30:34])
    palette = style.class_palette(labels)
    colours = [to_hex(part.get_facecolor()[0]) for part in axes.collections]
    assert colours == [palette[name] for name in ("nv", "bkl", "mel", "akiec")]
    assert len({part.get_paths()[0].vertices.tobytes() for part in axes.collections}) == 4
    found = shown_texts(figure)
    assert {*columns, "Melanocytic nevi (nv), 30", "Benign keratosis-like\nlesions (bkl), 9"} <= set(found)
    assert_legible(figure)


def test_a_class_keeps_its_marker_whatever_the_order():
    points = pd.DataFrame(normal(8, 2), columns=["t-SNE, first axis", "t-SNE, second axis"])
    one = understanding.embedding(points, ["b"] * 6 + ["a"] * 2).axes[0].collections
    other = understanding.embedding(points, ["a"] * 6 + ["b"] * 2).axes[0].collections
    assert (one[0].get_paths()[0].vertices == other[1].get_paths()[0].vertices).all()
    assert to_hex(one[0].get_facecolor()[0]) == to_hex(other[1].get_facecolor()[0])


def test_embedding_of_ten_classes():
    labels = [f"class {number}" for number in range(10)] * 3
    figure = understanding.embedding(pd.DataFrame(normal(30, 2), columns=["x", "y"]), labels)
    looks = {
        (part.get_paths()[0].vertices.tobytes(), to_hex(part.get_facecolor()[0])) for part in figure.axes[0].collections
    }
    assert len(looks) == 10
    assert_legible(figure)
