import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts

from lesionbook.figures import operations

pytestmark = pytest.mark.filterwarnings("error")

EDGE = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])


def patch():
    return np.random.default_rng(1).integers(0, 256, size=(6, 6), dtype=np.uint8)


def frames(axes):
    """Place and size of the outlines, in cells from the top left of the page."""
    outlines = [box for box in axes.patches if not box.get_fill() and box.get_linewidth() == 2.5]
    return [
        tuple(
            round(number, 2)
            for number in (*box.get_xy(), box.get_width() / operations.CELL, box.get_height() / operations.CELL)
        )
        for box in outlines
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (34, "34"),
        (-2.0, "−2"),
        (1 / 9, "1/9"),
        (-1 / 16, "−1/16"),
        (0.25, "0.25"),
        (700 / 9, "77.8"),
        (159.4, "159"),
        (0, "0"),
        (np.float32(-0.0151), "−0.015"),
        (3.2e-5, "3e−5"),
        (-2e-12, "−2e−12"),
    ],
)
def test_brief(value, text):
    assert operations.brief(value) == text


def test_activation_functions():
    x = np.linspace(-3, 3, 7)
    names = [name for family in operations._FAMILIES.values() for name in family]
    curves = pd.concat(
        [pd.DataFrame({"function": name, "x": x, "value": x / n, "slope": 1 / n}) for n, name in enumerate(names, 1)]
    )
    figure = operations.activation_functions(curves)
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 3, 3, 3, 3, 2, 2]
    drawn = [line for axes in figure.axes[::2] for line in axes.lines]
    for n, line in enumerate(drawn, start=1):
        assert line.get_ydata() == pytest.approx(x / n)
    slopes = [line for axes in figure.axes[1::2] for line in axes.lines]
    assert [line.get_ydata()[0] for line in slopes] == pytest.approx([1 / n for n in range(1, 11)])
    assert {"ReLU", "leaky ReLU", "sigmoid of sigmoid", "tanh five times", "first", "slope"} <= set(shown_texts(figure))
    assert len({str(line._dash_pattern) for line in figure.axes[2].lines}) == 3  # not told apart by colour alone
    assert_legible(figure)


def test_convolution_prints_all_numbers_and_works_one_out():
    grey = np.arange(36).reshape(6, 6)
    result = np.full((4, 4), 8)
    result[1, 2] = 77
    figure = operations.convolution(grey, EDGE, result, (1, 2))
    printed = shown_texts(figure)
    assert printed.count("8") == 16  # 15 in the result, one in the patch
    sentence = next(text for text in printed if text.startswith("outlined")).replace("\N{NO-BREAK SPACE}", " ")
    assert sentence == "outlined: − 1·8 + 1·10 − 2·14 + 2·16 − 1·20 + 1·22 = 77"
    left, right = frames(figure.axes[0])
    assert left == (0.97, 0.81, 3, 3)  # two cells from the left margin, one below the title
    assert right[2:] == (1, 1)
    assert_legible(figure)


@pytest.mark.parametrize("kernel", [np.full((3, 3), 1 / 9), np.full((2, 2), -0.237), np.zeros((3, 3))])
def test_convolution_with_other_kernels(kernel):
    side = 7 - len(kernel)
    figure = operations.convolution(patch(), kernel, np.full((side, side), -1234.5))
    assert "−1234" in shown_texts(figure)
    assert_legible(figure)


def test_pooling_marks_windows_and_their_largest_numbers():
    grey = np.arange(25).reshape(5, 5)
    figure = operations.pooling(grey, np.array([[6, 8], [16, 18]]))
    texts = [text for text in figure.axes[0].texts if text.get_fontweight() == "bold"]
    assert [text.get_text() for text in texts] == ["6", "8", "16", "18"]
    assert [frame[2:] for frame in frames(figure.axes[0])] == [(2, 2)] * 4 + [(1, 1)] * 4
    assert_legible(figure)


@pytest.mark.parametrize("shape", [(48, 48), (30, 40)])
def test_filters(shape):
    image = np.random.default_rng(0).integers(0, 256, size=(*shape, 3), dtype=np.uint8)
    kernels = {"blur": np.full((3, 3), 1 / 9), "vertical edges (Sobel)": EDGE}
    results = {"blur": np.full(shape, 300.0), "vertical edges (Sobel)": np.linspace(-50, 20, image[..., 0].size)}
    results["vertical edges (Sobel)"] = results["vertical edges (Sobel)"].reshape(shape)
    figure = operations.filters(image, results, kernels)
    first, blurred, edges = (axes.images[0] for axes in figure.axes)
    assert (np.asarray(first.get_array()) == image).all()
    assert blurred.get_clim() == (0, 255)
    assert edges.get_clim() == (-50, 50)  # 0 is grey
    assert "vertical edges (Sobel)" in shown_texts(figure)
    assert figure.axes[2].get_xlabel().split() == ["−1", "0", "1", "−2", "0", "2", "−1", "0", "1"]
    assert_legible(figure)
