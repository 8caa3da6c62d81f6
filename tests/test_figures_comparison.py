import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from made_predictions import made

from lesionbook import statistics
from lesionbook.figures import comparison, style

pytestmark = pytest.mark.filterwarnings("error")
MODELS = {"vgg16": made(seed=0), "resnet50v2": made(seed=1, strength=2), "resnet50v2 augmented": made(seed=2)}


def whiskers(figure):
    return [line for line in figure.axes[0].lines if line.get_label() == "_interval"]


def test_intervals_of_one_model():
    table = statistics.bootstrap_scores(MODELS["vgg16"], repeats=30, seed=0)
    figure = comparison.intervals(table)
    assert [tuple(line.get_xdata()) for line in whiskers(figure)] == list(zip(table["low"], table["high"], strict=True))
    row = table.loc["accuracy"]
    assert f"{row['estimate']:.3f} ({row['low']:.3f}–{row['high']:.3f})" in shown_texts(figure)
    assert_legible(figure)


def test_intervals_of_several_models_with_published_figures():
    parts = [
        statistics.bootstrap_scores(frame, repeats=30, seed=0).loc[["accuracy", "macro_auc"]].assign(model=name)
        for name, frame in MODELS.items()
    ]
    table = pd.concat(parts).reset_index()
    table["published"] = np.where(table["score"] == "accuracy", 0.5, np.nan)
    figure = comparison.intervals(table)
    found = shown_texts(figure)
    assert [found.count(heading) for heading in ["accuracy", "macro AUC", "published"]] == [1, 1, 1]
    assert found.count("vgg16") == 2
    assert len(whiskers(figure)) == 6
    assert [line.get_label() for line in figure.axes[0].lines].count("published") == 3
    colours = [line.get_color() for line in whiskers(figure)]
    assert colours[:3] == colours[3:]
    assert len(set(colours)) == 3
    assert_legible(figure)


def test_differences_that_may_be_none_are_grey():
    frames = {"a": MODELS["vgg16"], "twin": MODELS["vgg16"], "better": MODELS["resnet50v2"]}
    table = statistics.paired_differences(frames, reference="a", repeats=50, seed=0)
    figure = comparison.differences(table)
    colours = {round(float(np.mean(line.get_xdata())), 6): line.get_color() for line in whiskers(figure)}
    assert colours[0.0] == style.FAINT
    sure = table[table["low"] > 0].iloc[0]
    assert colours[round((sure["low"] + sure["high"]) / 2, 6)] == style.BAR_DARK
    assert "twin − a" in shown_texts(figure)
    assert_legible(figure)


def test_further_trainings_are_hollow_points_below_their_interval():
    table = pd.concat(
        [statistics.bootstrap_scores(frame, repeats=30, seed=0).assign(model=name) for name, frame in MODELS.items()]
    ).reset_index()
    table = table[table["score"].isin(["accuracy", "macro_auc"])]
    beside = pd.DataFrame(
        {"model": ["vgg16"] * 3, "score": ["accuracy", "accuracy", "macro_auc"], "estimate": [0.6, 0.7, 0.8]}
    )
    figure = comparison.intervals(table, beside=beside)
    lines = figure.axes[0].lines
    drawn = [line for line in lines if line.get_label() == "_seed" and len(line.get_xdata())]
    assert [list(line.get_xdata()) for line in drawn] == [[0.6, 0.7], [0.8]]
    first = next(line for line in lines if line.get_label() == "_estimate")
    assert 0 < drawn[0].get_ydata()[0] - first.get_ydata()[0] < 0.5
    assert drawn[0].get_markerfacecolor() == "white"
    assert_legible(figure)
