"""A search: how the best improved, every trial, which knobs mattered, and where good settings lie."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from lesionbook import tables
from lesionbook.figures import style
from lesionbook.tuning.space import text

COMPLETE, PRUNED = "complete", "pruned"
_BELOW = {PRUNED: ("|", style.FAINT, "pruned"), "": ("x", style.CLASS_COLOURS[4], "failed")}


def best_so_far(found: pd.DataFrame, score: str) -> Figure:
    """Draw the best score that each search had found against the epochs that it had spent.

    Parameters
    ----------
    found : DataFrame
        Trials with ``search, seed, spent, best``, from `lesionbook.tuning.trials.gathered`.
    score : str
        What is searched for.

    Returns
    -------
    Figure
        One axes; a thin step line per seed, the mean over seeds thick from where all have found something.
    """
    figure = style.figure(3.5, width=6.2)
    axes = figure.subplots()
    end = found["spent"].max()
    for number, search in enumerate(dict.fromkeys(found["search"])):
        colour, line = style.CLASS_COLOURS[number], style.LINES[number % len(style.LINES)]
        at = np.arange(end + 1)
        levels = []
        for _, part in found[found["search"] == search].groupby("seed"):
            reached = part.set_index("spent")["best"].reindex(at).ffill()
            levels.append(reached)
            axes.step(at, reached, where="post", color=colour, lw=0.8, alpha=0.6, label="_seed")
        mean = pd.concat(levels, axis=1).mean(axis=1, skipna=False)
        axes.step(at, mean, where="post", color=colour, lw=2.2, ls=line, label=search)
    axes.set_xlabel("epochs trained")
    axes.set_ylabel(f"best {style.score_name(score.removeprefix('val_'))} so far,\nvalidation")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_xlim(0, end)
    figure.legend(loc="outside upper left", ncols=3)
    return figure


def history(found: pd.DataFrame, score: str) -> Figure:
    """Draw the score of every trial, with those that were stopped or failed at the lower edge.

    Parameters
    ----------
    found : DataFrame
        Trials with ``search, seed, number, state, score``.
    score : str
        What is searched for.

    Returns
    -------
    Figure
        An axes per search, one colour per seed.
    """
    searches = list(dict.fromkeys(found["search"]))
    figure = style.figure(2.9, width=max(4.6, style.WIDTH * min(len(searches), 3) / 3))
    panels = figure.subplots(1, len(searches), sharey=True, squeeze=False)[0]
    for axes, search in zip(panels, searches, strict=True):
        mine = found[found["search"] == search]
        for number, (_, part) in enumerate(mine.groupby("seed")):
            colour = style.CLASS_COLOURS[number % len(style.CLASS_COLOURS)]
            whole = part[part["state"] == COMPLETE]
            axes.plot(whole["number"], whole["score"], "o", color=colour, ms=4.5, alpha=0.85, label="_trial")
        edge = {"ls": "", "transform": axes.get_xaxis_transform(), "clip_on": False}
        for state, (marker, colour, _) in _BELOW.items():
            there = mine["state"] == state if state else ~mine["state"].isin([COMPLETE, PRUNED])
            numbers = mine.loc[there, "number"]
            (marks,) = axes.plot(numbers, [0.0] * len(numbers), marker, color=colour, ms=7, mew=1.6, **edge)
            marks.set(label="_below", in_layout=False)  # unclipped and maybe empty: no measure for the layout
        axes.set_title(textwrap.fill(search, 26), fontsize=style.NORMAL)
        axes.set_xlabel("trial")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    panels[0].set_ylabel(f"{style.score_name(score.removeprefix('val_'))}, validation")
    panels[0].plot([], [], "o", color=style.INK, ms=4.5, label="complete, a colour per seed")
    for marker, colour, name in _BELOW.values():
        panels[0].plot([], [], marker, ls="", color=colour, ms=7, mew=1.6, label=name)
    figure.legend(loc="outside upper left", ncols=3, handletextpad=0.2, columnspacing=1.2)
    return figure


def importance(shares: pd.DataFrame) -> Figure:
    """Draw how much of the variation of the score each knob explains.

    Parameters
    ----------
    shares : DataFrame
        Index: what was tried; a column per search, 0 to 1, NaN where it was not searched or cannot be told.

    Returns
    -------
    Figure
        An axes per search with bars.
    """
    figure = style.figure(0.9 + 0.3 * len(shares))
    panels = figure.subplots(1, shares.shape[1], sharey=True, sharex=True, squeeze=False)[0]
    for axes, search in zip(panels, shares.columns, strict=True):
        values = shares[search]
        axes.barh(range(len(shares)), values.fillna(0), color=style.BAR, height=0.62)
        for row, value in enumerate(values):
            text = "–" if np.isnan(value) else f"{value:.0%}"
            axes.text(0 if np.isnan(value) else value, row, f" {text}", va="center", fontsize=style.SMALL)
        axes.set_title(textwrap.fill(search, 24), fontsize=style.NORMAL)
        axes.set_xlim(0, min(1.0, np.nanmax([*shares.to_numpy().ravel(), 0.2])) * 1.25)
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.xaxis.set_major_formatter("{x:.0%}")
        axes.tick_params(axis="y", length=0)
        style.only_grid(axes, "x")
    panels[0].set_yticks(range(len(shares)), [named(name) for name in shares.index])
    panels[0].set_ylim(len(shares) - 0.5, -0.5)
    return figure


def named(tried: str) -> str:
    """Name of a tried number without the groups above it: ``recipe.learning_rate`` becomes ``learning rate``."""
    return tables.name(tried.rpartition(".")[2])


def parallel(found: pd.DataFrame, tried: Sequence[str], logarithmic: Sequence[str], score: str) -> Figure:
    """Draw each complete trial as a line through what it tried, coloured by its score.

    Parameters
    ----------
    found : DataFrame
        Trials with a column per tried number; values that are no numbers are spread out evenly.
    tried : sequence of str
        Which columns, from left to right.
    logarithmic : sequence of str
        Those that are spread by powers of ten.
    score : str
        What is searched for.

    Returns
    -------
    Figure
        One axes with its colour bar; the ends of each range stand at its axis.
    """
    whole = found[found["state"] == COMPLETE].sort_values("score", ascending=not score.endswith("loss"))
    figure = style.figure(3.5)
    axes = figure.subplots()
    heights, ends = [], []
    for name in tried:
        spread, marks = _spread(whole[name], name in logarithmic)
        heights.append(spread)
        ends.append(marks)
    reach = Normalize(whole["score"].min(), whole["score"].max())
    shade = colormaps[style.HEAT if not score.endswith("loss") else f"{style.HEAT}_r"]
    for row in range(len(whole)):
        values = [height.iloc[row] for height in heights]
        axes.plot(range(len(tried)), values, color=shade(reach(whole["score"].iloc[row])), lw=1.3, alpha=0.85)
    for place, marks in enumerate(ends):
        axes.axvline(place, color=style.FAINT, lw=0.8, zorder=0)
        for height, word in marks.items():
            at, align = {0: (-0.04, "top"), 1: (1.04, "bottom")}.get(height, (height, "center"))
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85}
            axes.text(place, at, word, ha="center", va=align, fontsize=style.SMALL, bbox=box)
    axes.set_xticks(
        range(len(tried)),
        [textwrap.fill(named(name), 10, break_long_words=False) for name in tried],
        fontsize=style.SMALL,
    )
    axes.tick_params(axis="x", length=0, pad=20)
    axes.set_yticks([])
    axes.set_ylim(0, 1)
    axes.set_xlim(-0.3, len(tried) - 0.7)
    axes.spines[["left", "bottom"]].set_visible(False)
    style.only_grid(axes, "")
    bar = figure.colorbar(ScalarMappable(reach, shade), ax=axes, pad=0.02, aspect=28)
    bar.set_label(f"{style.score_name(score.removeprefix('val_'))}, validation")
    return figure


def _spread(values: pd.Series, logarithmic: bool) -> tuple[pd.Series, dict[float, str]]:
    """Heights 0 to 1, and what stands at some of them: at the ends of numbers, at every name."""
    if not pd.api.types.is_numeric_dtype(values) or values.dtype == bool:
        known = sorted(values.astype(str).unique())
        marks = {place / max(1, len(known) - 1): _word(one) for place, one in enumerate(known)}
        return values.astype(str).map(dict(zip(known, marks, strict=True))), marks
    scaled = np.log10(values.astype(float)) if logarithmic else values.astype(float)
    width = scaled.max() - scaled.min()
    low, high = (text(float(f"{end:.2g}") if end < 1 else end) for end in (values.min(), values.max()))
    return (scaled - scaled.min()) / (width or 1), {0: low, 1: high}


def _word(value: str) -> str:
    return {"True": "yes", "False": "no"}.get(value, tables.name(value))


def slices(found: pd.DataFrame, tried: Sequence[str], logarithmic: Sequence[str], score: str) -> Figure:
    """Draw the score of the complete trials against each tried number by itself; later trials are darker.

    Parameters
    ----------
    found, tried, logarithmic, score
        As for `parallel`.

    Returns
    -------
    Figure
        An axes per tried number, sharing their height.
    """
    whole = found[found["state"] == COMPLETE]
    columns = min(4, len(tried))
    rows = -(-len(tried) // columns)
    figure = style.figure(0.4 + 1.75 * rows, width=style.WIDTH * max(columns, 2) / 4)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    shade, reach = colormaps[style.SEQUENTIAL], Normalize(-0.4 * whole["number"].max(), whole["number"].max())
    for axes in panels[len(tried) :]:
        axes.set_visible(False)
    for axes, name in zip(panels, tried, strict=False):
        part = whole.dropna(subset=[name])
        values = part[name].infer_objects()
        if not pd.api.types.is_numeric_dtype(values) or values.dtype == bool:
            known = sorted(values.astype(str).unique())
            few = len(known) <= 3
            words = [textwrap.fill(_word(one), 6 if few else 12, break_long_words=False) for one in known]
            axes.set_xticks(range(len(known)), words, rotation=0 if few else 90)
            axes.set_xlim(-0.6, len(known) - 0.4)
            values = values.astype(str).map(known.index)
        else:
            axes.xaxis.set_major_locator(MaxNLocator(3))
        if name in logarithmic:
            axes.set_xscale("log")
            axes.xaxis.set_minor_formatter(NullFormatter())
            if (values == values.astype(int)).all() or values.max() < 100 * values.min():  # better than powers of ten
                known = sorted(values.unique())
                marks = sorted({known[0], known[len(known) // 2], known[-1]})
                axes.set_xticks(marks, [text(float(f"{mark:.2g}") if mark < 1 else mark) for mark in marks])
        axes.scatter(values.astype(float), part["score"], c=shade(reach(part["number"])), s=20, lw=0.4, ec=style.INK)
        axes.set_title(named(name), fontsize=style.NORMAL, pad=4)
    for axes in panels[: len(tried) : columns]:
        axes.set_ylabel(style.score_name(score.removeprefix("val_")))
    return figure
