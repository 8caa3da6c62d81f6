"""How much better a model looks when test images were known."""

import pandas as pd
from matplotlib.figure import Figure

from lesionbook.figures import style


def reuse(found: pd.DataFrame) -> Figure:
    """Draw the score of the chosen setting where it was chosen and on test images.

    Parameters
    ----------
    found : DataFrame
        As `lesionbook.reused_validation.optimism` returns it.

    Returns
    -------
    Figure
        Two axes: both scores, and their difference with its interval.
    """
    figure = style.figure(3.0)
    left, right = figure.subplots(1, 2)
    sizes = found["size"]
    left.plot(sizes, found["validation"], "o-", color=style.ACCENT, label="images that chose")
    left.plot(sizes, found["test"], "s--", color=style.BAR, label="test images")
    left.set_ylabel("accuracy of the chosen setting")
    left.legend()
    reach = [found["difference"] - found["low"], found["high"] - found["difference"]]
    right.axhline(0, color=style.FAINT, lw=1)
    right.errorbar(sizes, found["difference"], yerr=reach, fmt="o", color=style.INK, capsize=3)
    right.set_ylabel("too good by")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.minorticks_off()
        axes.set_xlabel("images to choose by")
    return figure
