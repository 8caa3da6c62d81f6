"""Reliability of many models before and after temperature scaling."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lesionbook.figures import style

COLUMNS = 3
LOOKS = {"before": (style.BAR_DARK, "o", -0.006), "after": (style.ACCENT, "s", 0.006)}


def reliabilities(table: pd.DataFrame) -> Figure:
    """Draw accuracy against confidence of every model, one small panel each.

    Parameters
    ----------
    table : DataFrame
        ``model, when`` (before, after), ``n, mean_confidence, accuracy, low, high``, as from
        `calibration.reliability_by_group`; bins without images are left out.

    Returns
    -------
    Figure
        One axes per model with the diagonal of perfect calibration; points and lines grow with the images of the bin.
    """
    models = list(dict.fromkeys(table["model"]))
    columns = min(COLUMNS, len(models))
    rows = -(-len(models) // columns)
    figure = style.figure(0.75 + 2.35 * rows, width=min(style.WIDTH, 0.5 + 2.3 * columns) if columns > 1 else 3.4)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for number, axes in enumerate(panels.flat):
        if number >= len(models):
            axes.set_axis_off()
            continue
        axes.set_box_aspect(1)
        axes.plot([0, 1], [0, 1], color=style.FAINT, lw=1, ls=(0, (2, 2)), label="_perfect")
        for when, (colour, marker, aside) in LOOKS.items():
            part = table[(table["model"] == models[number]) & (table["when"] == when) & (table["n"] > 0)]
            x = part["mean_confidence"] + aside
            shares = part["n"] / part["n"].sum()
            # Bins of few images have the longest intervals; drawn thin, they do not carry the picture.
            widths = 0.5 + 1.5 * np.sqrt(shares)
            axes.vlines(x, part["low"], part["high"], color=colour, lw=widths, alpha=0.75, label="_interval")
            sizes = 8 + 60 * shares
            axes.scatter(x, part["accuracy"], s=sizes, color=colour, marker=marker, label=when, zorder=3, lw=0)
        axes.set_title(textwrap.fill(models[number], 26, break_long_words=False), fontsize=style.NORMAL - 0.5)
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03), xticks=np.linspace(0, 1, 3), yticks=np.linspace(0, 1, 3))
    figure.supxlabel("confidence: probability of the predicted class", fontsize=style.NORMAL)
    figure.supylabel("accuracy", fontsize=style.NORMAL)
    handles, labels = panels.flat[0].get_legend_handles_labels()
    figure.legend(handles, [f"{label} scaling" for label in labels], loc="outside upper right", ncols=2)
    return figure
