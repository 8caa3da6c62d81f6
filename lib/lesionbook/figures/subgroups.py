"""Scores of subgroups beside those of all images."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lesionbook.figures import style


def scores(table: pd.DataFrame, titles: dict[str, str] | None = None) -> Figure:
    """Draw the scores of subgroups with their intervals, a panel per score.

    Parameters
    ----------
    table : DataFrame
        ``attribute, value, score, estimate, low, high, n_images``, as from `subgroups.scores`; rows with the attribute
        "all" become the dashed line.
    titles : dict, optional
        Score -> what stands below its panel.

    Returns
    -------
    Figure
        One axes per score over the same rows, gathered by attribute; rows without a score hold no point.
    """
    keys = list(dict.fromkeys(table["score"]))
    rows = table[(table["attribute"] != "all") & (table["score"] == keys[0])].reset_index(drop=True)
    places, y = [], 0.0
    headings = {}
    for attribute, part in rows.groupby("attribute", sort=False):
        headings[attribute] = y
        places += [y + 1 + step for step in range(len(part))]
        y += len(part) + 1.4
    figure = style.figure(0.9 + 0.27 * y)
    panels = figure.subplots(1, len(keys), sharey=True, squeeze=False)[0]
    for axes, key in zip(panels, keys, strict=True):
        part = table[table["score"] == key].set_index(["attribute", "value"])
        axes.axvline(part["estimate"].loc["all"].iloc[0], color=style.ACCENT, lw=1.3, ls=(0, (4, 2)), label="_all")
        for place, row in zip(places, rows.itertuples(), strict=True):
            one = part.loc[(row.attribute, row.value)]
            if np.isfinite(one["estimate"]):
                axes.plot([one["low"], one["high"]], [place] * 2, color=style.BAR_DARK, lw=1.7, label="_interval")
                axes.plot(one["estimate"], place, "o", color=style.BAR_DARK, ms=5.5, label="_estimate")
        axes.set_xlabel((titles or {}).get(key, style.score_name(key)))
        axes.set(xlim=(-0.02, 1.02), xticks=[0, 0.25, 0.5, 0.75, 1], xticklabels=["0", "0.25", "0.5", "0.75", "1"])
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        style.only_grid(axes, "x")
    for attribute, place in headings.items():
        panels[0].text(0, place, attribute, fontweight="bold", va="center", transform=panels[0].get_yaxis_transform())
    panels[0].set_yticks(places, [f"{row.value} (n = {row.n_images:,})" for row in rows.itertuples()])
    panels[0].set_ylim(y - 0.6, -0.6)
    return figure
