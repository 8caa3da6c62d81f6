"""Net benefit of models by threshold."""

import textwrap

import pandas as pd
from matplotlib.figure import Figure

from lesionbook.figures import style


def net_benefit(curves: pd.DataFrame, chosen: str, mark: float | None = None, act: str = "treat") -> Figure:
    """Draw decision curves: the net benefit of acting on each model, on everyone, and on no one.

    Parameters
    ----------
    curves : DataFrame
        ``model, threshold, net_benefit, low, high, treat_all``, as from `decision.curve`.
    chosen : str
        Model drawn thick, with its interval as a band.
    mark : float, optional
        Threshold marked by a vertical line.
    act : str
        What one does, as a verb.

    Returns
    -------
    Figure
        Axes with one line per model and the two defaults; axes with the legend.
    """
    models = list(dict.fromkeys(curves["model"]))
    figure = style.figure(max(4.2, 1.6 + 0.34 * len(models)))
    axes, side = figure.subplots(1, 2, width_ratios=[4.4, 2.6])
    for number, (model, curve) in enumerate(curves.groupby("model", sort=False)):
        colour = style.CLASS_COLOURS[number % len(style.CLASS_COLOURS)]
        first = model == chosen
        if first:
            axes.fill_between(curve["threshold"], curve["low"], curve["high"], color=colour, alpha=0.16, lw=0)
        axes.plot(
            curve["threshold"],
            curve["net_benefit"],
            color=colour,
            ls=style.LINES[number % len(style.LINES)],
            lw=2.6 if first else 1.2,
            zorder=4 if first else 3,
            label=textwrap.fill(model, 25, break_long_words=False),
        )
    one = curves[curves["model"] == models[0]]
    axes.plot(one["threshold"], one["treat_all"], color=style.FAINT, lw=1.6, label=f"{act} all")
    axes.axhline(0, color=style.INK, lw=1.2, label=f"{act} none")
    if mark is not None:
        axes.axvline(mark, color=style.FAINT, lw=1, ls=(0, (2, 2)), label="_mark")
    top = max(curves["high"].max(), one["treat_all"].max())
    axes.set_ylim(-0.3 * top, 1.06 * top)
    axes.set_xlim(0, curves["threshold"].max())
    axes.set(xlabel="threshold: probability from which on one acts", ylabel="net benefit per image")
    side.set_axis_off()
    handles, labels = axes.get_legend_handles_labels()
    side.legend(handles, labels, loc="center left", bbox_to_anchor=(0, 0.5), handlelength=2.4)
    return figure
