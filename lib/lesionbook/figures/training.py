"""How a training went, epoch by epoch."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lesionbook.figures import style

# Column of the history -> name in the legend, colour, line.
_LOSS = {"loss": ("training", style.BAR, "-"), "val_loss": ("validation", style.ACCENT, "-")}
_ACCURACY = {
    "accuracy": ("training", style.BAR, "-"),
    "val_accuracy": ("validation", style.ACCENT, "-"),
    "val_auc": ("validation, macro AUC", style.CLASS_COLOURS[2], (0, (1, 1.2))),
    "val_balanced_accuracy": ("validation, balanced", style.CLASS_COLOURS[4], (0, (4, 1.5))),
}

STEPS = 6  # a learning rate of more values than that follows a schedule


def best_epoch(history: pd.DataFrame, monitor: str = "val_loss") -> int:
    """Find the epoch with the lowest loss, or the highest value of any other column (the first at a tie)."""
    values = history[monitor]
    return int(history.loc[values.idxmin() if monitor.endswith("loss") else values.idxmax(), "epoch"])


def _lines(axes: Axes, history: pd.DataFrame, columns: dict[str, tuple]) -> None:
    """Draw the columns that the history has; points are marked while they are few."""
    marker = "o" if len(history) <= 12 else None
    for column, (name, colour, line) in columns.items():
        if column in history:
            axes.plot(history["epoch"], history[column], ls=line, color=colour, marker=marker, ms=4, label=name)


def _rate_axis(axes: Axes, rates: pd.Series) -> None:
    """Scale few steps of the learning rate by powers of ten and label their ends; label a schedule by its peak."""
    taken = sorted(rates[rates > 0].unique())
    if not taken:
        return
    if len(taken) > STEPS:
        axes.set_ylim(0, taken[-1] * 1.15)
        axes.set_yticks([0, taken[-1]], ["0", f"{taken[-1]:.2g}"])
        return
    axes.set_yscale("log")
    axes.set_ylim(taken[0] / 2.5, taken[-1] * 2.5)
    shown = [taken[0], taken[-1]] if taken[-1] > 1.7 * taken[0] else taken[-1:]  # closer labels would touch
    axes.set_yticks(shown, [f"{rate:g}" for rate in shown])
    axes.minorticks_off()


def _phases(history: pd.DataFrame) -> list[int]:
    """First epochs of the phases after the first."""
    if "phase" not in history:
        return []
    return history.groupby("phase")["epoch"].min().iloc[1:].tolist()


def curves(history: pd.DataFrame, monitor: str = "val_loss", best: int | None = None) -> Figure:
    """Draw loss, accuracy and learning rate against the epoch, with the best epoch and the phases marked.

    Parameters
    ----------
    history : DataFrame
        One row per epoch: ``epoch, learning_rate, loss, accuracy, val_loss, val_accuracy, val_balanced_accuracy``;
        accuracies 0..1; ``phase`` where there are several. Columns that are missing are left out.
    monitor : str
        The column that chose the best epoch.
    best : int, optional
        The epoch whose weights were kept, where it is known otherwise.

    Returns
    -------
    Figure
        Three axes: loss, accuracy, learning rate.
    """
    best = best_epoch(history, monitor) if best is None else best
    figure = style.figure(4.6)
    axes = figure.subplot_mosaic([["loss", "accuracy"], ["rate", "rate"]], height_ratios=[4, 1.2])
    _lines(axes["loss"], history, _LOSS)
    _lines(axes["accuracy"], history, _ACCURACY)
    if "learning_rate" in history:
        axes["rate"].step(history["epoch"], history["learning_rate"], where="mid", color=style.INK, lw=1.5)
        if len(history) == 1:
            axes["rate"].plot(history["epoch"], history["learning_rate"], "o", color=style.INK, ms=4)
    low, high = axes["loss"].get_ylim()
    axes["loss"].set_ylim(max(0, low) if history.filter(like="loss").min(axis=None) >= 0 else low, high)
    axes["accuracy"].set_ylim(0, 1.02)
    axes["loss"].set_title("loss")
    axes["accuracy"].set_title("accuracy and AUC")
    axes["rate"].set_ylabel("learning\nrate")
    if "learning_rate" in history:
        _rate_axis(axes["rate"], history["learning_rate"])
    for name, panel in axes.items():
        mark = panel.axvline(best, color=style.FAINT, lw=1.2, ls=(0, (3, 2)), zorder=1)
        mark.set_label(f"best epoch ({best})" if name == "accuracy" else "_best")
        for start in _phases(history):
            line = panel.axvline(start - 0.5, color=style.INK, lw=1.0, ls=":", zorder=1)
            line.set_label("next phase" if name == "accuracy" else "_phase")
        if len(history) < 8:
            panel.set_xticks(history["epoch"])
        else:
            panel.xaxis.set_major_locator(MaxNLocator(10 if name == "rate" else 6, integer=True))
        panel.set_xlim(history["epoch"].min() - 0.5, history["epoch"].max() + 0.5)
    axes["rate"].set_xlabel("epoch")
    handles, labels = axes["accuracy"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure
