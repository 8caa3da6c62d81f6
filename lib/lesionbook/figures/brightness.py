"""A model of one number: its answers above the distributions of the classes, and the piece of the sigmoid it uses."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from lesionbook.figures import style

BINS = np.linspace(0, 256, 33)  # eight grey levels each
TICKS = [0, 64, 128, 192, 255]
MARGIN = 26  # characters of a class name beside its histogram


def curves(
    measured: pd.DataFrame,
    probabilities: pd.DataFrame,
    intervals: pd.DataFrame,
    names: dict[str, str] | None = None,
) -> Figure:
    """Draw what a model of brightness answers, above how bright the images of each class are.

    Parameters
    ----------
    measured : DataFrame of N images
        ``label`` and ``brightness``, the mean of the image (0 to 255).
    probabilities : DataFrame of float
        Probability (0 to 1) of each class to draw, by brightness (index, increasing).
    intervals : DataFrame
        ``class``, ``low``, ``high``: the brightness for which each class is the answer; see
        `lesionbook.architectures.colour_statistics.intervals`.
    names : dict, optional
        Class -> long name; their order is that of the histograms.

    Returns
    -------
    Figure
        Axes over one scale of brightness: the probabilities; a strip with the answer; for each class the shares of its
        images in 32 bins, its mean marked. Dashed lines run through all of them where the answer changes.
    """
    groups = dict(list(measured.groupby("label")["brightness"]))
    order = [*[key for key in names or {} if key in groups], *[key for key in groups if key not in (names or {})]]
    palette = style.class_palette([*order, *intervals["class"]])
    row = 0.95 if len(order) <= 3 else 0.62  # inches with the space below
    figure = style.figure(3.3 + row * len(order))
    heights = [2.2, 0.16, *[row - 0.2] * len(order)]
    upper, strip, *rows = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    for number, name in enumerate(probabilities.columns):
        line = style.LINES[number % len(style.LINES)]
        upper.plot(probabilities.index, probabilities[name], color=palette[name], ls=line, lw=2.2, label=f"_{name}")
    if probabilities.shape[1] == 1:
        upper.axhline(0.5, color=style.FAINT, lw=1, ls=(0, (1, 2)))
        upper.set_ylabel(textwrap.fill(f"probability of {style.short_name(probabilities.columns[0], names, 60)}", 26))
    else:
        upper.set_ylabel("probability\nof each class")
    upper.set(ylim=(-0.02, 1.02), yticks=np.linspace(0, 1, 5), xlim=(0, 255))
    for one in intervals.itertuples():
        strip.axvspan(one.low, one.high, color=palette[one._1], lw=0)
    strip.set(yticks=[], ylim=(0, 1))
    _beside(strip, "the answer")
    for panel, key in zip(rows, order, strict=True):
        values = groups[key]
        panel.hist(values, bins=BINS, weights=np.full(len(values), 1 / len(values)), color=palette[key])
        panel.axvline(values.mean(), color=style.INK, lw=1.6)
        panel.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        panel.set_ylabel("share")
        _beside(panel, f"{style.short_name(key, names, MARGIN)}\nn = {len(values):,}")
    top = max(panel.get_ylim()[1] for panel in rows)
    for panel in rows:
        panel.set(ylim=(0, top))
        panel.locator_params(axis="y", nbins=3)
    for panel in figure.axes:
        panel.tick_params(labelbottom=panel is figure.axes[-1])
        style.only_grid(panel, "" if panel is strip else "y")
        for threshold in intervals["low"].iloc[1:]:
            panel.axvline(threshold, color=style.INK, lw=1.1, ls=(0, (4, 2)), gid="threshold")
    figure.axes[-1].set(xticks=TICKS, xlabel="mean brightness of an image")
    return figure


def _beside(axes: Axes, text: str) -> None:
    """Write at the right of an axes."""
    axes.annotate(text, (1, 0.5), (8, 0), "axes fraction", "offset points", va="center", fontsize=style.SMALL + 0.5)


def sigmoid(scores: pd.Series, name: str) -> Figure:
    """Draw the sigmoid, and the piece of it between the least and the greatest score.

    Parameters
    ----------
    scores : Series of N floats
        Log-odds of the images.
    name : str
        What the probability is of.

    Returns
    -------
    Figure
        One axes: the curve from -6 to 6 or as far as the scores reach, and over it the piece in use.
    """
    ends = np.array([scores.min(), scores.max()])
    reach = max(6.0, 1.1 * np.abs(ends).max())
    figure = style.figure(2.9, width=5.6)
    axes = figure.subplots()
    for x, look in (
        (np.linspace(-reach, reach, 241), {"color": style.FAINT, "lw": 1.6, "label": "the sigmoid"}),
        (
            np.linspace(*ends, 121),
            {"color": style.ACCENT, "lw": 5, "label": "the piece in use", "solid_capstyle": "round"},
        ),
    ):
        axes.plot(x, 1 / (1 + np.exp(-x)), **look)
    axes.set(xlim=(-reach, reach), ylim=(-0.02, 1.02), yticks=np.linspace(0, 1, 5), xlabel="score z")
    axes.set_ylabel(textwrap.fill(f"probability of {name}", 24))
    axes.legend(loc="upper left")
    return figure
