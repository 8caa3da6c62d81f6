import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts

from lesionbook.figures import training

pytestmark = pytest.mark.filterwarnings("error")


def history(epochs):
    falling = np.exp(-np.arange(epochs) / 5)
    return pd.DataFrame(
        {
            "epoch": np.arange(1, epochs + 1),
            "learning_rate": np.where(np.arange(epochs) < 10, 1e-3, 1e-5),
            "loss": falling,
            "accuracy": 0.9 - 0.5 * falling,
            "val_loss": falling + 0.02 * np.arange(epochs),
            "val_accuracy": 0.8 - 0.5 * falling,
            "val_balanced_accuracy": 0.7 - 0.5 * falling,
            "val_auc": 0.9,
        }
    )


def test_best_epoch_is_lowest_loss_or_highest_score():
    table = history(30)
    assert training.best_epoch(table) == 1 + table["val_loss"].argmin()
    assert training.best_epoch(table, "val_accuracy") == 30
    assert training.best_epoch(table, "val_auc") == 1


def test_curves_hold_the_history():
    table = history(30)
    figure = training.curves(table, best=7)
    loss, accuracy, rate = figure.axes
    lines = {line.get_label(): line for line in accuracy.lines}
    assert (lines["training"].get_ydata() == table["accuracy"]).all()
    assert (lines["validation"].get_ydata() == table["val_accuracy"]).all()
    assert (lines["validation, balanced"].get_ydata() == table["val_balanced_accuracy"]).all()
    assert [line.get_label() for line in loss.lines] == ["training", "validation", "_best"]
    assert all(7 in axes.lines[-1].get_xdata() for axes in figure.axes)
    assert (rate.lines[0].get_ydata() == table["learning_rate"]).all()
    assert {"0.001", "1e-05", "best epoch (7)"} <= set(shown_texts(figure))
    assert_legible(figure)


@pytest.mark.parametrize("epochs", [1, 2, 9])
def test_short_trainings(epochs):
    figure = training.curves(history(epochs))
    ticks = [float(tick) for tick in figure.axes[0].get_xticks()]
    assert all(tick == round(tick) for tick in ticks)
    assert_legible(figure)


def test_missing_columns_are_left_out():
    figure = training.curves(history(5)[["epoch", "loss", "val_loss", "accuracy"]])
    assert [line.get_label() for line in figure.axes[1].lines][:-1] == ["training"]
