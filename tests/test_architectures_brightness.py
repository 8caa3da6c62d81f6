"""The logistic regression on brightness: its feature, its numbers, its answers, and what is told of them."""

import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from small_store import CLASSES, small_store

from lesionbook import params, sources
from lesionbook.architectures import colour_statistics
from lesionbook.images import Rows
from lesionbook.paths import root

SCALE = pd.DataFrame({"brightness": np.linspace(0, 255, 511)})


def trained(means, spread=20.0, n=400, weights=None):
    """A model of classes with normal brightness, and the classes in their order."""
    classes = list(means)
    rng = np.random.default_rng(1)
    values = pd.DataFrame({"brightness": np.concatenate([rng.normal(mean, spread, n) for mean in means.values()])})
    model = colour_statistics.classifier(regularization=1e6, class_weights=weights or dict.fromkeys(classes, 1.0))
    return model.fit(values, np.repeat(classes, n)), classes


# The feature


def test_brightness_is_the_mean_over_pixels_and_colours_for_rows_in_any_order():
    store = small_store()
    positions = np.array([5, 0, 17])
    rows = Rows(store.index.iloc[positions], CLASSES, store.array, positions)
    found = colour_statistics.brightness(rows)
    assert list(found.columns) == ["brightness"]
    assert found["brightness"].tolist() == pytest.approx([store.array[place].mean() for place in positions])


def test_brightness_reads_few_images_at_once(monkeypatch):
    array = np.broadcast_to(np.arange(200, dtype=np.uint8)[:, None, None, None], (200, 64, 64, 3))
    rows = Rows(pd.DataFrame({"label": ["a"] * 200}), ["a"], array, np.arange(200))
    monkeypatch.setattr(colour_statistics, "BATCH", 8)
    tracemalloc.start()
    found = colour_statistics.brightness(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found["brightness"].tolist() == list(range(200))
    assert peak < 4 * 8 * 64 * 64 * 3  # all images would be 200 of them


# The numbers


def test_two_classes_make_one_coefficient_and_one_intercept_and_more_classes_one_of_each():
    for means, numbers in (({"a": 100, "b": 150}, 1), ({"a": 80, "b": 120, "c": 160}, 3)):
        model, classes = trained(means)
        assert (model[-1].coef_.size, model[-1].intercept_.size) == (numbers, numbers)
        assert colour_statistics.lines(model, classes).shape == (numbers, 2)


@pytest.mark.parametrize("classes", [("normal", "metastasis"), ("benign", "malignant")])
def test_the_line_of_two_classes_is_that_of_the_second_whatever_the_alphabet_says(classes):
    model, order = trained(dict(zip(classes, (150, 120), strict=True)))
    numbers = colour_statistics.lines(model, order)
    assert list(numbers.index) == [classes[1]]
    # Normal distributions of equal spread: the log-odds are a line with this slope, 0 half-way between the means.
    assert numbers["coefficient"].iloc[0] == pytest.approx((120 - 150) / 20**2, rel=0.1)
    assert -numbers["intercept"].iloc[0] / numbers["coefficient"].iloc[0] == pytest.approx(135, abs=1.5)
    scores = SCALE["brightness"] * numbers["coefficient"].iloc[0] + numbers["intercept"].iloc[0]
    expected = colour_statistics.probabilities(model, SCALE, order)[:, 1]
    assert np.allclose(1 / (1 + np.exp(-scores)), expected)


def test_the_lines_of_several_classes_give_the_probabilities():
    model, classes = trained({"c": 160, "a": 80, "b": 120})
    numbers = colour_statistics.lines(model, classes)
    assert list(numbers.index) == classes
    scores = np.exp(np.outer(SCALE, numbers["coefficient"]) + numbers["intercept"].to_numpy())
    expected = colour_statistics.probabilities(model, SCALE, classes)
    assert np.allclose(scores / scores.sum(axis=1, keepdims=True), expected)


# The answers


@pytest.mark.parametrize("means", [{"b": 150, "a": 120}, {"c": 160, "a": 80, "b": 120}])
def test_intervals_are_where_a_class_is_most_probable(means):
    model, classes = trained(means)
    found = colour_statistics.intervals(colour_statistics.lines(model, classes), classes)
    assert (found["low"].iloc[0], found["high"].iloc[-1]) == (0, 255)
    assert found["high"].tolist()[:-1] == found["low"].tolist()[1:]
    assert found["class"].tolist() == sorted(classes, key=means.get)
    winners = np.array(classes)[colour_statistics.probabilities(model, SCALE, classes).argmax(axis=1)]
    place = np.searchsorted(found["low"].to_numpy(), SCALE["brightness"], side="right") - 1
    assert (winners == found["class"].to_numpy()[place]).all()


def test_a_class_that_is_never_the_most_probable_has_no_interval():
    numbers = pd.DataFrame({"coefficient": [-1.0, 0.0, 1.0], "intercept": [100.0, -5.0, -100.0]}, index=list("xyz"))
    found = colour_statistics.intervals(numbers, list("xyz"))
    assert found.to_dict("list") == {"class": ["x", "z"], "low": [0, 100], "high": [100, 255]}


def test_a_threshold_beyond_the_scale_and_a_flat_line_leave_one_answer():
    for slope, height, answer in ((0.01, 1.0, "b"), (0.0, -1.0, "a")):
        numbers = pd.DataFrame({"coefficient": [slope], "intercept": [height]}, index=["b"])
        found = colour_statistics.intervals(numbers, ["a", "b"])
        assert found.to_dict("list") == {"class": [answer], "low": [0], "high": [255]}


# What the notebook says of two normal distributions with the published means and variances


def test_the_percentages_told_of_the_published_distributions():
    stated = params.load("metastasis-baselines", "paper").published["deterministic"]["brightness"]
    tumour, other = (norm(one["mean"], one["variance"] ** 0.5) for one in (stated["metastasis"], stated["normal"]))
    x = np.linspace(-150, 500, 65001)
    one_threshold = (tumour.cdf(x) + other.sf(x)).max() / 2
    low, high = x[np.flatnonzero(np.diff(tumour.pdf(x) > other.pdf(x)))]
    inside = [one.cdf(high) - one.cdf(low) for one in (tumour, other)]
    # Half a million quantiles stand for the whole distributions.
    steps = (np.arange(250_000) + 0.5) / 250_000
    values = pd.DataFrame({"x": np.concatenate([other.ppf(steps), tumour.ppf(steps)])})
    weights = {"normal": 1.0, "metastasis": 1.0}
    model = colour_statistics.classifier(regularization=1.0, class_weights=weights)
    model.fit(values, np.repeat(list(weights), len(steps)))
    (coefficient, intercept), *_ = colour_statistics.lines(model, list(weights)).to_numpy()
    threshold = -intercept / coefficient
    regression = (tumour.cdf(threshold) + other.sf(threshold)) / 2
    two_thresholds = (inside[0] + 1 - inside[1]) / 2
    text = " ".join(cell.text for cell in sources.cells(root() / "notebooks" / "10-brightness.ipynb"))
    sentence = re.search(r"For two normal distributions.+?61\.8 %", text, re.DOTALL).group()
    assert re.findall(r"[\d.]+ %", sentence) == [
        f"{100 * one:.1f} %" for one in (regression, one_threshold, two_thresholds)
    ]
    assert re.search(r"at (\d+) and (\d+)", sentence).groups() == (f"{low:.0f}", f"{high:.0f}")
