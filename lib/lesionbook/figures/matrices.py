"""Many models on one page: every pair of them, and every class of each."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from lesionbook import tables
from lesionbook.figures import style

# Background of a verdict on the model of the row; the word stands in the cell as well.
VERDICTS = {"better": "#a9cbe6", "worse": "#f3c6a5", "not told apart": "#eeeeee"}
SHORT = {"better": "better", "worse": "worse", "not told apart": "?"}
_LABEL_WIDTH = 26  # characters of a model's name in a line


def pairs(table: pd.DataFrame) -> Figure:
    """Draw the verdict on every pair of models as a triangle: the model of the row against that of the column.

    Parameters
    ----------
    table : DataFrame
        ``model, reference, difference, verdict`` (better, worse, not told apart), one row per pair and each later
        model against the earlier ones, as from `lesionbook.pairwise`.

    Returns
    -------
    Figure
        One axes; each cell holds the difference and the verdict, which also decides its colour. Columns bear the
        numbers that stand before the names of the rows.
    """
    names = list(dict.fromkeys([*table["reference"], *table["model"]]))
    labels = [_wrapped(f"{number}  {name}") for number, name in enumerate(names, start=1)]
    figure, axes = _board(labels[1:], len(names) - 1, cell=(0.62, 0.5), above=0.75)
    for row in table.itertuples():
        x, y = names.index(row.reference), names.index(row.model) - 1
        axes.add_patch(_tile(x, y, VERDICTS[row.verdict]))
        text = f"{tables.signed(row.difference)}\n{SHORT[row.verdict]}"
        axes.text(x, y, text, ha="center", va="center", fontsize=style.SMALL, linespacing=1.25)
    axes.set_xticks(range(len(names) - 1), [str(number) for number in range(1, len(names))])
    axes.set_yticks(range(len(names) - 1), labels[1:])
    axes.set_xlabel(textwrap.fill(f"columns are numbered as the rows; 1 is {names[0]}", 64))
    handles = [Patch(color=colour, label=f"row {verdict}") for verdict, colour in VERDICTS.items()]
    handles[-1].set_label("? not told apart")
    figure.legend(handles=handles, loc="outside upper right", ncols=3)
    return figure


def classes(table: pd.DataFrame, names: dict[str, str] | None = None, score: str = "recall") -> Figure:
    """Draw a score of every class and model, shaded by its size, with its interval in small print below.

    Parameters
    ----------
    table : DataFrame
        ``model, class, score, estimate, low, high, n_images``; rows of other scores are left out.
    names : dict, optional
        Class -> long name.
    score : str
        Which score to draw.

    Returns
    -------
    Figure
        One axes; models as rows, classes as columns with their number of images; a dash where there is no score.
    """
    table = table[table["score"] == score]
    models, keys = list(dict.fromkeys(table["model"])), list(dict.fromkeys(table["class"]))
    width = min(1.3, (style.WIDTH - 2.3) / len(keys))
    figure, axes = _board([_wrapped(name, 24) for name in models], len(keys), cell=(width, 0.46), above=0.95)
    shade = colormaps[style.SEQUENTIAL]
    for row in table.itertuples():
        x, y = keys.index(row[table.columns.get_loc("class") + 1]), models.index(row.model)
        colour = shade(0.85 * row.estimate) if np.isfinite(row.estimate) else (1.0, 1.0, 1.0)
        axes.add_patch(_tile(x, y, colour))
        ink = {"ha": "center", "color": style.ink_on(colour[:3])}
        if not np.isfinite(row.estimate):
            axes.text(x, y, "–", va="center", **ink)
            continue
        axes.text(x, y - 0.03, f"{row.estimate:.2f}", va="bottom", fontsize=style.NORMAL, **ink)
        ends = f"{row.low:.2f}–{row.high:.2f}" if np.isfinite(row.low) else "no interval"
        axes.text(x, y + 0.06, ends, va="top", fontsize=8, **ink)
    sizes = table.groupby("class", sort=False)["n_images"].first()
    # Where there are many columns, only keys fit; the table of classes has the names.
    heads = [style.short_name(key, names if len(keys) < 4 else None, 16) for key in keys]
    axes.set_xticks(range(len(keys)), [f"{head}\nn = {sizes[key]:,}" for head, key in zip(heads, keys, strict=True)])
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(models)), [_wrapped(name, 24) for name in models])
    return figure


def _wrapped(name: str, width: int = _LABEL_WIDTH) -> str:
    return textwrap.fill(name, width, break_long_words=False)


def _board(labels: list[str], columns: int, *, cell: tuple[float, float], above: float) -> tuple[Figure, Axes]:
    """Lay out a board of tiles, rows labelled at the left; sizes of a tile and above the board in inches."""
    longest = max(len(line) for label in labels for line in label.split("\n"))
    width = min(style.WIDTH, 0.35 + 0.078 * longest + cell[0] * columns)
    figure = style.figure(above + cell[1] * len(labels), width=max(width, 4.6))
    axes = figure.subplots()
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(len(labels) - 0.5, -0.5))
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure, axes


def _tile(x: float, y: float, colour: object) -> Patch:
    return Rectangle((x - 0.48, y - 0.47), 0.96, 0.94, facecolor=colour, edgecolor="none")
