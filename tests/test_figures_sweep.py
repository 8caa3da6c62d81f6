import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts

from lesionbook.figures import sweep as figures
from lesionbook.tuning import settings

pytestmark = pytest.mark.filterwarnings("error")

RATES = [
    {"recipe": {"learning_rate": rate, "schedule": schedule}}
    for rate in (0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01)
    for schedule in ("plateau", "constant")
]
POINTS = settings.points(RATES, "learning_rate")


def runs(count, seeds=3):
    rng = np.random.default_rng(2)
    rows = [(position, seed) for position in range(count) for seed in range(seeds)]
    frame = pd.DataFrame(rows, columns=["position", "seed"])
    return frame.assign(val_accuracy=rng.uniform(0.4, 0.8, len(frame)))


def history(epochs):
    rng = np.random.default_rng(epochs)
    scores = {name: rng.uniform(0.3, 0.9, epochs) for name in ("accuracy", "val_accuracy")}
    return pd.DataFrame(scores | {"epoch": np.arange(1, epochs + 1)})


def drawn(axes, label):
    return [line for line in axes.lines if line.get_label() == label]


def test_every_seed_and_every_mean_is_drawn_by_series():
    frame = runs(14)
    figure = figures.response(POINTS, frame, "val_accuracy", label="learning rate", scale="log")
    (axes,) = figure.axes
    dots = [value for line in drawn(axes, "_seed") for value in line.get_ydata()]
    assert sorted(dots) == sorted(frame["val_accuracy"])
    means = frame.groupby("position")["val_accuracy"].mean()
    for series, first in (("schedule plateau", 0), ("schedule constant", 1)):
        (line,) = drawn(axes, series)
        assert list(line.get_xdata()) == POINTS["x"].iloc[first::2].tolist()
        assert list(line.get_ydata()) == pytest.approx(means.iloc[first::2].tolist())
    assert axes.get_xscale() == "log"
    assert_legible(figure)


def test_a_failed_training_is_a_cross():
    frame = runs(14)
    frame.loc[4, "val_accuracy"] = np.nan
    figure = figures.response(POINTS, frame, "val_accuracy", label="learning rate", scale="log")
    (cross,) = drawn(figure.axes[0], "_failed")
    assert cross.get_xdata()[0] == POINTS["x"][1]


def test_the_published_sweep_stands_beside_at_the_same_height():
    theirs = POINTS[["x", "series"]].assign(estimate=0.6, low=0.53, high=0.66).iloc[:5]
    figure = figures.response(POINTS, runs(14), "val_accuracy", label="learning rate", scale="log", published=theirs)
    ours, published = figure.axes
    assert ours.get_ylim() == published.get_ylim()
    assert {"published, 95 % interval", "here: seeds and their mean"} <= set(shown_texts(figure))
    assert_legible(figure)


@pytest.mark.parametrize(
    "changes",
    [
        [{"activation": name} for name in ("relu", "leaky_relu", "sigmoid", "tanh")],
        [{"filters": [8, 8, 8]}, {"filters": [16, 16, 16]}],
        [{"recipe": {"batch_size": size}} for size in (1, 2, 8, 256)],
    ],
)
def test_names_lists_and_numbers_have_their_place(changes):
    axis = next(iter(settings.space.flat(changes[0])))
    points = settings.points(changes, axis)
    figure = figures.response(points, runs(len(changes)), "val_accuracy", label="this", published=pd.DataFrame())
    assert len(figure.axes) == 1
    if axis == "activation":
        assert {"ReLU", "leaky\nReLU", "tanh"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_a_short_logarithmic_axis_names_its_values():
    points = settings.points([{"sample_size": size} for size in (40, 200, 1000, 2000)], "sample_size")
    figure = figures.response(points, runs(4), "val_accuracy", label="sample size", scale="log")
    assert {"40", "200", "1000", "2000"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_a_logarithmic_axis_of_counts_names_them():
    sizes = (1, 2, 8, 16, 32, 64, 128, 256)
    points = settings.points([{"recipe": {"batch_size": size}} for size in sizes], "batch_size")
    theirs = pd.DataFrame({"x": sizes, "series": "", "estimate": 0.6, "low": 0.5, "high": 0.7})
    figure = figures.response(points, runs(8), "val_accuracy", label="batch size", scale="log", published=theirs)
    assert {str(size) for size in sizes} <= set(shown_texts(figure))
    assert_legible(figure)


@pytest.mark.parametrize(("count", "epochs"), [(14, 3), (4, 40), (1, 1)])
def test_curves_of_every_seed_in_a_panel_per_setting(count, epochs):
    titles = [f"{0.00001 * (k + 1):.5f}, plateau" for k in range(count)]
    figure = figures.curves(titles, [[history(epochs), history(epochs + 1)]] * count)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == titles
    for axes in panels:
        lengths = [len(line.get_xdata()) for line in drawn(axes, "_training")]
        assert lengths == [epochs, epochs + 1]
    assert_legible(figure)


def test_a_setting_without_an_epoch_has_an_empty_panel():
    assert_legible(figures.curves(["a", "b"], [[history(3)], [history(3).head(0)]]))


def test_gaps_say_training_minus_validation():
    gathered = pd.DataFrame({"accuracy": [0.9, 0.5, np.nan], "val_accuracy": [0.6, 0.55, np.nan]})
    figure = figures.gaps(["alpha 0.1", "alpha 0.3", "alpha 9"], gathered)
    found = shown_texts(figure)
    assert {"+0.30", "−0.05", "failed", "alpha 0.3"} <= set(found)
    assert len(drawn(figure.axes[0], "_gap")) == 2
    assert_legible(figure)
