"""What answers look like that are paired with the labels of other images."""

import pandas as pd
from matplotlib.figure import Figure

from lesionbook.figures import style


def pairings(simulated: pd.DataFrame, *, images: int, observed: int, stated: float) -> Figure:
    """Draw how often each number of right answers came out, in order and shuffled, beside the printed one.

    Parameters
    ----------
    simulated : DataFrame
        As `lesionbook.pairing.simulate` returns it.
    images, observed : int
        Images of the matrix, and the sum of its diagonal.
    stated : float
        Accuracy that the model is said to have.

    Returns
    -------
    Figure
        One axes with a histogram for each pairing and a line at the printed diagonal.
    """
    figure = style.figure(3.2)
    axes = figure.subplots()
    shown = {"shuffled": ("labels of other images", style.ACCENT), "in order": ("labels of the same images", style.BAR)}
    for name, (label, colour) in shown.items():
        axes.hist(simulated[name], bins=30, color=colour, alpha=0.85, label=label)
    axes.axvline(observed, color=style.INK, lw=2)
    axes.annotate(
        f"printed: {observed}",
        (observed, 1),
        xycoords=("data", "axes fraction"),
        xytext=(6, -4),
        textcoords="offset points",
        va="top",
    )
    axes.set_xlim(0, images)
    axes.set_xlabel(f"right answers among {images:,} images, of a model with accuracy {stated:.2f}")
    axes.set_ylabel("simulations")
    axes.margins(y=0.16)
    axes.legend(loc="upper left")
    style.only_grid(axes, "y")
    return figure
