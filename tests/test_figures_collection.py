import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts

from lesionbook.figures import collection

pytestmark = pytest.mark.filterwarnings("error")


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes if axes.axison]


def bars(axes):
    return np.array([bar.get_height() for bar in axes.patches])


def test_brightness_histograms():
    measured = pd.DataFrame({"label": list("bbbbaa"), "brightness": [1.0, 2.0, 5.0, 254.0, 100.0, np.nan]})
    figure = collection.brightness_histograms(measured, {"b": "Second", "a": "First"})
    assert titles(figure) == ["Second (b)\n4 images, mean 65.5", "First (a)\n1 images, mean 100.0"]
    left, right = figure.axes
    assert len(bars(left)) == len(bars(right)) == 64
    edges = [bar.get_x() for bar in left.patches]
    assert edges[:2] == [0, 255 / 64]
    # 255/64 is nearly 4: the first bin holds 1 and 2, the second 5, the last 254
    assert bars(left)[[0, 1, 63]].tolist() == [0.5, 0.25, 0.25]
    assert bars(left).sum() == bars(right).sum() == 1
    assert left.lines[0].get_xdata()[0] == 65.5
    assert left.get_ylim() == right.get_ylim()
    assert_legible(figure)


@pytest.mark.parametrize("classes", [1, 2, 3, 7])
def test_brightness_histograms_wrap(classes):
    rng = np.random.default_rng(0)
    names = {f"c{n}": f"Actinic keratosis or intraepithelial carcinoma {n}" for n in range(classes)}
    measured = pd.DataFrame({"label": list(names) * 40, "brightness": rng.normal(160, 20, 40 * classes)})
    figure = collection.brightness_histograms(measured, names)
    assert len(titles(figure)) == classes
    lowest = [axes for axes in figure.axes if axes.axison and axes.xaxis.get_tick_params()["labelbottom"]]
    assert len(lowest) == min(classes, 3), "every column has its scale, also above an empty place"
    assert_legible(figure)


def test_few_sizes_are_bars():
    measured = pd.DataFrame({"width": [600] * 3 + [1024, np.nan], "height": [450] * 3 + [768, np.nan]})
    figure = collection.image_sizes(measured)
    assert [bar.get_width() for bar in figure.axes[0].patches] == [3, 1]
    assert {"600 × 450", "1,024 × 768", "3 (75.0%)"} <= set(shown_texts(figure))
    assert_legible(figure)
    assert_legible(collection.image_sizes(pd.DataFrame({"width": [96] * 9, "height": [96] * 9})))


def test_many_sizes_are_discs():
    width = np.geomspace(540, 6700, 400).astype(int)
    measured = pd.DataFrame({"width": [*width, *[1022] * 500], "height": [*(width * 2 // 3), *[767] * 500]})
    figure = collection.image_sizes(measured)
    axes = figure.axes[0]
    drawn = axes.collections[0]
    assert len(drawn.get_offsets()) == 401
    assert drawn.get_offsets()[0].tolist() == [1022, 767], "the largest disc lies below"
    assert drawn.get_sizes()[0] == drawn.get_sizes().max() > drawn.get_sizes()[1:].max()
    assert "900 images in 401 sizes" in shown_texts(figure)
    assert {"1 image", "500 images", "4 : 3"} <= {text.get_text() for text in figure.legends[0].get_texts()}
    low, high = axes.get_xlim()
    assert low < 540 < 6700 < high
    assert [line.get_xdata()[0] / line.get_ydata()[0] for line in axes.lines] == pytest.approx([1, 4 / 3, 3 / 2])
    assert_legible(figure)


def test_sizes_within_a_narrow_range_have_a_scale():
    measured = pd.DataFrame({"width": np.arange(90, 120), "height": 100 + np.arange(30) % 7})
    figure = collection.image_sizes(measured)
    low, high = figure.axes[0].get_ylim()
    assert sum(low <= tick <= high for tick in figure.axes[0].get_yticks()) >= 3
    assert_legible(figure)


def listing(rows):
    names = ["first_image_id", "second_image_id", "first_label", "second_label", "first_split", "second_split", "view"]
    return pd.DataFrame(rows, columns=names)


def test_pairs():
    images = np.random.default_rng(0).integers(0, 256, (3, 2, 24, 24, 3), dtype=np.uint8)
    rows = [
        ["p", "q", "nv", "nv", "train", "train", "turned by 180°"],
        ["r", "s", "nv", "mel", "train", "train", "as it is"],
        ["t", "u", "nv", "nv", "train", "test", "as it is"],
    ]
    figure = collection.pairs(images, listing(rows))
    shown = [axes for axes in figure.axes if axes.images]
    assert all(
        (axes.images[0].get_array() == image).all()
        for axes, image in zip(shown, images.reshape(6, 24, 24, 3), strict=True)
    )
    assert [axes.get_title() for axes in shown[2:4]] == ["r\nnv, train", "s\nmel, train"]
    assert [axes.get_xlabel().replace("\n", " ") for axes in shown] == [
        "",
        "matches when turned by 180°",
        "",
        "",
        "",
        "",
    ]
    assert [axes.spines["left"].get_visible() for axes in shown] == [False, False, True, True, True, True]
    assert_legible(figure)


def test_pairs_with_long_names_are_wrapped():
    rows = [
        ["a1" * 20, "seborrheic_keratosis/of the left arm (copy).JPG"]
        + ["seborrheic_keratosis"] * 2
        + ["train", "val", "mirrored along the falling diagonal"]
    ] * 5
    figure = collection.pairs(np.zeros((5, 2, 48, 48, 3), np.uint8), listing(rows))
    assert_legible(figure)


def test_one_pair_before_the_split():
    rows = listing([["p", "q", "nv", "nv", "", "", "as it is"]]).drop(columns=["first_split", "second_split"])
    figure = collection.pairs(np.zeros((1, 2, 48, 48, 3), np.uint8), rows)
    assert shown_texts(figure) == ["p\nnv", "q\nnv"]
    assert figure.get_figwidth() < 4
    assert_legible(figure)


@pytest.mark.parametrize(("side", "box", "expected"), [(96, 32, (31.5, 63.5)), (50, 10, (19.5, 29.5))])
@pytest.mark.parametrize("count", [1, 2])
def test_images_with_centre(count, side, box, expected):
    pictures = np.random.default_rng(0).integers(0, 256, (count, side, side, 3), dtype=np.uint8)
    titles = ["metastasis", "normal"][:count]
    figure = collection.images_with_centre(list(pictures), titles, box)
    for axes, picture in zip(figure.axes, pictures, strict=True):
        assert (axes.images[0].get_array() == picture).all()
        assert axes.patches
        for square in axes.patches:
            # pixel k covers k - 0.5 to k + 0.5: pixels 32 to 63 of 96
            assert (square.get_x(), square.get_x() + square.get_width()) == expected
            assert (square.get_y(), square.get_y() + square.get_height()) == expected
    assert shown_texts(figure) == titles
    assert_legible(figure)
