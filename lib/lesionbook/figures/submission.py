"""Answers for images without labels beside those for labelled ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lesionbook.figures import style

BINS = np.linspace(0, 1, 21)


def probabilities(sides: Mapping[str, pd.Series], xlabel: str) -> Figure:
    """Draw histograms of probabilities above each other, each in shares of its own images.

    Parameters
    ----------
    sides : mapping of str to Series of float
        What the images are, and their probabilities (0..1).
    xlabel : str
        What the probability is of.

    Returns
    -------
    Figure
        One axes per entry, of one scale; the titles give the number of images.
    """
    figure = style.figure(0.6 + 1.6 * len(sides), width=5.6)
    panels = figure.subplots(len(sides), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axes, (name, values), colour in zip(
        panels, sides.items(), (style.BAR, style.ACCENT) * len(sides), strict=False
    ):
        axes.hist(values, BINS, weights=np.full(len(values), 1 / len(values)), color=colour, edgecolor="white")
        axes.set_title(f"{name} (n = {len(values):,})", fontsize=style.NORMAL)
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.yaxis.set_major_locator(MaxNLocator(4))
        style.only_grid(axes, "y")
    panels[0].set_xlim(0, 1)
    panels[-1].set_xlabel(xlabel)
    figure.supylabel("share of the images", fontsize=style.NORMAL)
    return figure
