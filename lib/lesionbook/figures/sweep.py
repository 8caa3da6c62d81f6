"""A sweep: the response to what is varied, how each training went, and training beside validation."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from lesionbook import tables
from lesionbook.figures import style
from lesionbook.tuning.space import text

TRAINING, VALIDATION = style.BAR, style.ACCENT


def response(
    settings: pd.DataFrame,
    frame: pd.DataFrame,
    score: str,
    *,
    label: str,
    scale: str = "linear",
    published: pd.DataFrame | None = None,
) -> Figure:
    """Draw a score against what was varied: every seed a dot, their means joined.

    Parameters
    ----------
    settings : DataFrame
        ``x`` and ``series`` of each setting, from `lesionbook.tuning.settings.points`.
    frame : DataFrame
        A row per run with ``position`` and the score, from `lesionbook.tuning.sweep.table`; runs that failed (NaN) are
        crosses at the lower edge.
    score : str
        Column of `frame`.
    label : str
        What was varied, for the axis.
    scale : {"linear", "log"}
        Of the axis; names and lists stand side by side.
    published : DataFrame, optional
        ``x, series, estimate, low, high`` of the published study: a second panel with the same height.

    Returns
    -------
    Figure
        One axes, or two that share their height.
    """
    beside = published is not None and not published.empty
    figure = style.figure(3.6, width=style.WIDTH if beside else 5.2)
    panels = figure.subplots(1, 2 if beside else 1, sharey=True, squeeze=False)[0]
    named = not pd.api.types.is_numeric_dtype(settings["x"]) or settings["x"].dtype == bool
    ticks = list(dict.fromkeys(settings["x"].astype(str) if named else settings["x"]))
    for number, series in enumerate(dict.fromkeys(settings["series"])):
        part = settings[settings["series"] == series]
        look = {"color": style.CLASS_COLOURS[number], "marker": style.MARKERS[number]}
        where = _places(part["x"], ticks, named)
        runs = [frame.loc[frame["position"] == position, score] for position in part.index]
        for x, values in zip(where, runs, strict=True):
            known = values.dropna()
            panels[0].plot([x] * len(known), known, ls="", ms=4, alpha=0.55, mec="none", label="_seed", **look)
            if values.isna().any():
                crosses = {"transform": panels[0].get_xaxis_transform(), "clip_on": False, "label": "_failed"}
                panels[0].plot(x, 0.0, "x", color=look["color"], ms=8, mew=2, in_layout=False, **crosses)
        means = [values.mean() for values in runs]
        line = "" if named else style.LINES[number % len(style.LINES)]
        panels[0].plot(where, means, ls=line, lw=1.6, ms=7, mec="white", label=series or "_mean", **look)
        if beside:
            theirs = published[published["series"] == series]
            at, centre = _places(theirs["x"], ticks, named), theirs["estimate"]
            reach = [centre - theirs["low"], theirs["high"] - centre]
            panels[1].errorbar(at, centre, reach, ls=line, lw=1.6, elinewidth=1, ms=6, mec="white", **look)
    for axes in panels:
        _scale(axes, ticks, named, scale)
        axes.set_xlabel(label)
    panels[0].set_ylabel(style.score_name(score.removeprefix("val_")) + ", validation")
    if beside:
        panels[0].set_title("here: seeds and their mean")
        panels[1].set_title("published, 95 % interval")
    if settings["series"].ne("").any():
        figure.legend(loc="outside upper center", ncols=3)
    return figure


def _places(values: pd.Series, ticks: Sequence[object], named: bool) -> list[float]:
    return [ticks.index(str(value)) for value in values] if named else values.astype(float).tolist()


def _scale(axes: Axes, ticks: Sequence[object], named: bool, scale: str) -> None:
    if named:
        axes.set_xticks(range(len(ticks)), [textwrap.fill(tables.name(str(tick)), 9) for tick in ticks])
        axes.set_xlim(-0.6, len(ticks) - 0.4)
        style.only_grid(axes, "y")
        return
    axes.set_xscale(scale)
    if scale == "linear":
        axes.xaxis.set_major_locator(MaxNLocator(5))
        return
    axes.xaxis.set_minor_formatter(NullFormatter())
    if max(ticks) <= 100 * min(ticks) or all(tick == int(tick) for tick in ticks):  # better than powers of ten
        axes.set_xticks(ticks, [text(tick) for tick in ticks])


def curves(titles: Sequence[str], histories: Sequence[Sequence[pd.DataFrame]]) -> Figure:
    """Draw the accuracy of every training epoch by epoch, a small panel per setting.

    Parameters
    ----------
    titles : sequence of str
        Of the settings.
    histories : sequence of sequences of DataFrame
        Of each setting the histories of its seeds.

    Returns
    -------
    Figure
        An axes per setting; training and validation of each seed as thin lines.
    """
    columns = min(4, len(titles))
    rows = -(-len(titles) // columns)
    wrapped = [textwrap.fill(title, 22) for title in titles]
    lines = max(title.count("\n") + 1 for title in wrapped)
    figure = style.figure(0.7 + rows * (1.15 + 0.16 * lines), width=max(4.0, style.WIDTH * columns / 4))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes in panels[len(titles) :]:
        axes.set_visible(False)
    few = max((len(history) for group in histories for history in group), default=0) <= 12
    look = {"lw": 1.1, "marker": "o" if few else None, "ms": 2.5, "alpha": 0.8}
    for axes, title, group in zip(panels, wrapped, histories, strict=False):
        for history in group:
            axes.plot(history["epoch"], history["accuracy"], color=TRAINING, label="_training", **look)
            axes.plot(history["epoch"], history["val_accuracy"], color=VALIDATION, label="_validation", **look)
        axes.set_title(title, fontsize=style.SMALL, pad=3)
        axes.set_ylim(0, 1.03)
        axes.set_yticks([0, 0.5, 1])
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for axes in panels[max(0, len(titles) - columns) : len(titles)]:
        axes.set_xlabel("epoch")
        axes.tick_params(labelbottom=True)
    panels[0].plot([], [], color=TRAINING, label="training accuracy")
    panels[0].plot([], [], color=VALIDATION, label="validation accuracy")
    figure.legend(loc="outside upper left", ncols=2)
    return figure


def gaps(titles: Sequence[str], gathered: pd.DataFrame) -> Figure:
    """Draw the accuracy on training and on validation images of each setting, and the gap between them.

    Parameters
    ----------
    titles : sequence of str
        Of the settings.
    gathered : DataFrame
        From `lesionbook.tuning.sweep.summary`, by position: means over the seeds, of the epochs that were kept.

    Returns
    -------
    Figure
        One axes, a row per setting, the gap in numbers at the right.
    """
    figure = style.figure(1.0 + 0.29 * len(titles))
    axes = figure.subplots()
    for row, position in enumerate(gathered.index):
        ends = gathered.loc[position, ["accuracy", "val_accuracy"]].to_numpy(dtype=float)
        if np.isnan(ends).any():
            axes.text(0.5, row, "failed", va="center", ha="center", fontsize=style.SMALL, color=style.FAINT)
            continue
        axes.plot(ends, [row, row], color=style.MISSING, lw=2.5, zorder=1, label="_gap")
        axes.plot(ends[0], row, "s", color=TRAINING, ms=6, label="_training")
        axes.plot(ends[1], row, "o", color=VALIDATION, ms=6, label="_validation")
        number = f"{ends[0] - ends[1]:+.2f}".replace("-", "−")
        axes.text(1.02, row, number, va="center", fontsize=style.SMALL, transform=axes.get_yaxis_transform())
    axes.plot([], [], "s", color=TRAINING, ms=6, label="training")
    axes.plot([], [], "o", color=VALIDATION, ms=6, label="validation")
    axes.set_yticks(range(len(titles)), [textwrap.shorten(title, 52, placeholder=" …") for title in titles])
    axes.set_ylim(len(titles) - 0.4, -0.6)
    axes.set_xlim(min(0.4, axes.get_xlim()[0]), 1.0)
    axes.set_xlabel("accuracy; at the right: training minus validation")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    style.only_grid(axes, "x")
    figure.legend(loc="outside upper right", ncols=2)
    return figure
