import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from matplotlib.colors import to_rgba

from lesionbook.figures import brightness, style

pytestmark = pytest.mark.filterwarnings("error")
LONG = "Actinic keratosis or intraepithelial carcinoma"


def made(classes):
    names = {f"c{n}": f"{LONG} {n}" for n in range(classes)}
    rng = np.random.default_rng(0)
    measured = pd.DataFrame({"label": list(names) * 40, "brightness": rng.uniform(20, 250, 40 * classes)})
    scale = np.linspace(0, 255, 52)
    shares = np.linspace(0.1, 0.9, classes)[None] * np.ones((52, 1))
    curves = pd.DataFrame(shares, index=scale, columns=list(names))
    edges = np.linspace(0, 255, classes + 1)
    return measured, curves, pd.DataFrame({"class": list(names), "low": edges[:-1], "high": edges[1:]}), names


def thresholds(axes):
    return [line.get_xdata()[0] for line in axes.lines if line.get_gid() == "threshold"]


def test_one_curve_for_two_classes_above_their_distributions():
    measured = pd.DataFrame({"label": list("bbbbaa"), "brightness": [4.0, 4.0, 4.0, 252.0, 100.0, 101.0]})
    curve = pd.DataFrame({"a": [0.2, 0.6, 0.9]}, index=[0.0, 120.0, 255.0])
    answers = pd.DataFrame({"class": ["b", "a"], "low": [0.0, 90.5], "high": [90.5, 255.0]})
    figure = brightness.curves(measured, curve, answers, {"b": "Second", "a": "First"})
    upper, strip, first, second = figure.axes
    assert upper.lines[0].get_xydata().tolist() == [[0, 0.2], [120, 0.6], [255, 0.9]]
    assert upper.get_ylabel() == "probability of First"
    palette = style.class_palette(["a", "b"])
    assert [patch.get_facecolor() for patch in strip.patches] == [to_rgba(palette["b"]), to_rgba(palette["a"])]
    assert [patch.get_x() for patch in strip.patches] == [0, 90.5]
    assert [thresholds(axes) for axes in figure.axes] == [[90.5]] * 4
    shares = [[bar.get_height() for bar in panel.patches] for panel in (first, second)]  # in the order of the names
    assert [sum(one) for one in shares] == [1, 1]
    assert (shares[0][0], shares[0][31], shares[1][12]) == (0.75, 0.25, 1)
    assert [panel.lines[0].get_xdata()[0] for panel in (first, second)] == [66, 100.5]
    assert first.get_ylim() == second.get_ylim()
    assert {"Second\nn = 4", "First\nn = 2", "the answer"} <= set(shown_texts(figure))
    assert_legible(figure)


@pytest.mark.parametrize("classes", [2, 3, 7, 9])
def test_one_curve_for_each_class(classes):
    measured, curves, answers, names = made(classes)
    figure = brightness.curves(measured, curves, answers, names)
    assert len(figure.axes) == classes + 2
    drawn = [line for line in figure.axes[0].lines if line.get_gid() != "threshold"]
    assert [line.get_ydata()[0] for line in drawn] == pytest.approx(curves.iloc[0].tolist())
    assert thresholds(figure.axes[0]) == answers["low"].tolist()[1:]
    assert_legible(figure)


def test_one_answer_has_no_threshold():
    measured, curves, answers, names = made(2)
    figure = brightness.curves(measured, curves[["c1"]], answers[:1].assign(high=255.0), names)
    assert [thresholds(axes) for axes in figure.axes] == [[]] * 4
    assert_legible(figure)


@pytest.mark.parametrize(("ends", "reach"), [((-0.5, 0.25), 6), ((-10.0, 2.0), 11)])
def test_sigmoid_and_the_piece_in_use(ends, reach):
    figure = brightness.sigmoid(pd.Series([0.0, *ends]), LONG)
    whole, piece = figure.axes[0].lines
    assert (whole.get_xdata()[0], whole.get_xdata()[-1]) == pytest.approx((-reach, reach))
    assert (piece.get_xdata()[0], piece.get_xdata()[-1]) == ends
    for line in (whole, piece):
        values = line.get_ydata()
        assert np.log(values / (1 - values)) == pytest.approx(line.get_xdata(), abs=1e-6)
    assert_legible(figure)
