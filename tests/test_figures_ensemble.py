import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from made_predictions import made

from lesionbook import ensemble
from lesionbook.figures import ensemble as figures

pytestmark = pytest.mark.filterwarnings("error")

FRAMES = {
    name: pd.concat([made(n=60, seed=seed), made(n=60, seed=seed + 9).assign(split="val")])
    for seed, name in enumerate(["VGG16, frozen", "ResNet50V2, frozen, augmented", "ensemble"])
}
SCORES = ensemble.scores(FRAMES)


def points(axes, label):
    return [(float(line.get_xdata()[0]), line) for line in axes.lines if line.get_label() == label]


def test_every_score_of_every_model_is_drawn_on_both_sides():
    figure = figures.scores(SCORES, SCORES.iloc[:2])
    assert len(figure.axes) == 4
    for axes, score in zip(figure.axes, SCORES.columns, strict=True):
        assert [value for value, _ in points(axes, "_after")] == SCORES[score].tolist()
        rows = [round(float(line.get_ydata()[0])) for _, line in points(axes, "_after")]
        assert rows == [0, 0, 1, 1, 2, 2]
    assert {*FRAMES, "validation", "test", "accuracy", "balanced\naccuracy", "log loss"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_what_was_before_is_hollow_and_joined_to_what_became_of_it():
    before = SCORES.iloc[2:4] - 0.1
    axes = figures.scores(SCORES, before).axes[0]
    earlier = points(axes, "_before")
    assert [value for value, _ in earlier] == before["accuracy"].tolist()
    assert {line.get_markerfacecolor() for _, line in earlier} == {"white"}
    joined = [tuple(line.get_xdata()) for line in axes.lines if line.get_label() == "_change"]
    assert joined == list(zip(before["accuracy"], SCORES["accuracy"].iloc[2:4], strict=True))


def test_agreement_says_shares_and_shades_by_correlation():
    rows = [
        ("a", "b", 0.5, 0.4, 0.35, 0.2, 0.6),
        ("a", "c", 0.5, 0.0, 0.0, 0.0, np.nan),
        ("b", "c", 0.4, 0, 0, 0, np.nan),
    ]
    columns = ["model", "other", "wrong", "other_wrong", "both_wrong", "if_independent", "correlation"]
    figure = figures.agreement(pd.DataFrame(rows, columns=columns))
    found = shown_texts(figure)
    assert {"a (1)", "c (3)", "(3)"} <= set(found)
    assert [found.count(text) for text in ("50%", "40%", "35%\n(20%)", "0%\n(0%)", "0%")] == [1, 1, 1, 2, 1]
    shades = figure.axes[0].images[0].get_array()
    assert shades[1, 0] == 0.6
    assert shades.mask.sum() == 8
    assert_legible(figure)


def test_agreement_of_many_models_with_long_names_fits_a_page():
    frames = {f"ResNet50V2, frozen, number {k}": made(n=60, seed=k) for k in range(7)}
    figure = figures.agreement(ensemble.agreement(frames))
    assert_legible(figure)
