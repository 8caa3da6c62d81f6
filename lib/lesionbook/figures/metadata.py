"""What a data set holds: ages, classes, places, gaps, and how many images stand for one lesion."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from lesionbook.figures import style

NOT_RECORDED = "not recorded"
_THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")


def _tally(values: pd.Series, order: list | None = None) -> pd.Series:
    """Count each value, gaps as "not recorded"; the most frequent first unless `order` says otherwise."""
    filled = values.astype(object).where(values.notna(), NOT_RECORDED)
    tally = filled.value_counts(sort=False).sort_index(key=lambda keys: keys.astype(str))
    tally = tally.sort_values(ascending=False, kind="stable")
    if order is not None:
        tally = tally.reindex([*order, *[key for key in tally.index if key not in order]], fill_value=0)
    return tally


def age_distribution(ages: pd.Series) -> Figure:
    """Draw ages as a box plot above a histogram with its density.

    Parameters
    ----------
    ages : Series of float
        Years; gaps are left out and counted in the title.

    Returns
    -------
    Figure
        Two axes over one scale of years: the box plot, the histogram in bins of five years.
    """
    known = ages.dropna().astype(float)
    figure = style.figure(4.2)
    box, histogram = figure.subplots(2, 1, sharex=True, height_ratios=[1, 5])
    style.boxes(box, [known.to_numpy()], [style.BAR])
    box.set(yticks=[])
    box.tick_params(axis="x", length=0)
    box.spines["left"].set_visible(False)
    box.set_title(f"{len(known):,} ages known, {int(ages.isna().sum()):,} not recorded")
    edges = np.arange(5 * np.floor(known.min() / 5) - 2.5, known.max() + 5, 5) if len(known) else "auto"
    smooth = known.min() < known.max()  # a density needs two different values
    sns.histplot(x=known, bins=edges, kde=smooth, ax=histogram, color=style.BAR, edgecolor="white", line_kws={"lw": 2})
    for line in histogram.lines:
        line.set_color(style.BAR_DARK)
    if len(known):
        histogram.axvline(known.mean(), color=style.ACCENT, lw=1.6, ls=(0, (4, 2)), label=f"mean {known.mean():.1f}")
        histogram.axvline(
            known.median(), color=style.INK, lw=1.6, ls=(0, (1, 1.5)), label=f"median {known.median():.0f}"
        )
        histogram.legend(loc="upper left")
    histogram.set(xlabel="age in years", ylabel="images")
    histogram.yaxis.set_major_formatter(_THOUSANDS)
    for axes in (box, histogram):
        style.only_grid(axes, "y" if axes is histogram else "")
    return figure


def counts(
    series: pd.Series,
    order: list | None = None,
    percent: bool = True,
    names: dict[str, str] | None = None,
    horizontal: bool | None = None,
) -> Figure:
    """Draw how often each value of a column occurs.

    Parameters
    ----------
    series : Series of N values
        The column itself; gaps become a grey bar "not recorded".
    order : list, optional
        Values from first to last; by frequency where not given.
    percent : bool
        Whether to write the share of all rows beside the count.
    names : dict, optional
        Value -> long name.
    horizontal : bool, optional
        Bars to the right; where not given, for more than four values or for long names.

    Returns
    -------
    Figure
        One axes; the bars' lengths are the counts.
    """
    tally = _tally(series, order)
    labels = [style.long_name(key, names) for key in tally.index]
    texts = [f"{n:,}" + (f" ({n / max(len(series), 1):.1%})" if percent else "") for n in tally]
    colours = [style.MISSING if key == NOT_RECORDED else style.BAR for key in tally.index]
    if horizontal is None:
        horizontal = len(tally) > 4 or max(map(len, labels), default=0) > 16
    if horizontal:
        figure = style.figure(0.8 + 0.34 * max(len(tally), 2))
        axes = figure.subplots()
        bars = axes.barh(labels, tally.to_numpy(), color=colours, height=0.72)
        axes.set_ylim(len(tally) - 0.4, -0.6)
        axes.margins(x=0.2)
        axes.set_xlabel("images")
        axes.xaxis.set_major_formatter(_THOUSANDS)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    else:
        figure = style.figure(3.4, width=min(style.WIDTH, 1.6 + 1.4 * len(tally)))
        axes = figure.subplots()
        bars = axes.bar(labels, tally.to_numpy(), color=colours, width=0.66)
        axes.margins(y=0.12)
        axes.set_ylabel("images")
        axes.yaxis.set_major_formatter(_THOUSANDS)
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.bar_label(bars, texts, padding=4, fontsize=style.SMALL + 0.5)
    style.only_grid(axes, "x" if horizontal else "y")
    return figure


def counts_by(frame: pd.DataFrame, x: str, hue: str, names: dict[str, str] | None = None) -> Figure:
    """Draw how often each value of column `x` occurs, split by the values of column `hue`.

    Parameters
    ----------
    frame : DataFrame of N rows
    x, hue : str
        Column names; gaps become "not recorded".
    names : dict, optional
        Value of `x` -> long name.

    Returns
    -------
    Figure
        One axes; a group of bars per value of `x`, the most frequent first.
    """
    outer, inner = _tally(frame[x]).index, _tally(frame[hue]).index
    filled = frame[[x, hue]].astype(object).where(frame[[x, hue]].notna(), NOT_RECORDED)
    table = pd.crosstab(filled[x], filled[hue]).reindex(index=outer, columns=inner)
    colours = dict(
        zip(inner, [style.BAR, style.CLASS_COLOURS[1], style.BAR_DARK, *style.CLASS_COLOURS[2:]], strict=False)
    )
    colours |= dict.fromkeys([key for key in inner if key in (NOT_RECORDED, "unknown")], style.MISSING)
    figure = style.figure(0.9 + len(outer) * (0.16 + 0.2 * len(inner)))
    axes = figure.subplots()
    thickness = 0.84 / max(len(inner), 1)
    for place, key in enumerate(inner):
        at = np.arange(len(outer)) + (place - (len(inner) - 1) / 2) * thickness
        bars = axes.barh(at, table[key], height=thickness * 0.9, color=colours[key], label=str(key))
        axes.bar_label(bars, [f"{n:,}" for n in table[key]], padding=3, fontsize=style.SMALL)
    axes.set_yticks(range(len(outer)), [style.long_name(key, names) for key in outer])
    axes.set_ylim(len(outer) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.set_xlabel("images")
    axes.xaxis.set_major_formatter(_THOUSANDS)
    axes.legend(title=hue, loc="lower right")
    axes.tick_params(axis="y", length=0)
    style.only_grid(axes, "x")
    return figure


def share_pie(counts: pd.Series, names: dict[str, str] | None = None) -> Figure:
    """Draw shares as a pie, the largest first, with all names and numbers in a legend beside it.

    Parameters
    ----------
    counts : Series of int
        Images per class, the class names as index.
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        Axes with a wedge per class and axes with the legend; wedges of at least 6 % carry their share.
    """
    counts = counts.sort_values(ascending=False, kind="stable")
    palette = style.class_palette(counts.index)
    figure = style.figure(3.2)
    axes, side = figure.subplots(1, 2, width_ratios=[3.2, 4])
    wedges, _, texts = axes.pie(
        counts.to_numpy(),
        colors=list(palette.values()),
        startangle=90,
        counterclock=False,
        autopct=lambda share: f"{share:.1f}%" if share >= 6 else "",
        pctdistance=0.72,
        wedgeprops={"edgecolor": "white", "linewidth": 1.2},
        textprops={"fontsize": style.NORMAL, "fontweight": "bold"},
    )
    for text, colour in zip(texts, palette.values(), strict=True):
        text.set_color(style.ink_on(colour))
    shares = counts / counts.sum()
    lines = [f"{style.short_name(key, names, 34)}: {counts[key]:,} ({shares[key]:.1%})" for key in counts.index]
    side.set_axis_off()
    side.legend(wedges, lines, loc="center left", bbox_to_anchor=(0, 0.5), handlelength=1.2)
    return figure


def images_and_groups(frame: pd.DataFrame, group_name: str = "lesion", names: dict[str, str] | None = None) -> Figure:
    """Draw images against lesions per class, and how many images a lesion has.

    Parameters
    ----------
    frame : DataFrame of N images
        With the columns ``label`` and ``group``.
    group_name : str
        What a group is, in the singular: lesion, slide, patient.
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        Two axes: bars of images and of groups per class; number of groups by number of images in them.
    """
    plural = f"{group_name}s"
    per_class = frame.groupby("label").agg(images=("group", "size"), groups=("group", "nunique"))
    per_class = per_class.sort_values("images", ascending=False, kind="stable")
    sizes = frame.groupby("group").size().value_counts().sort_index()
    figure = style.figure(5.4)
    left, right = figure.subplots(2, 1, height_ratios=[max(3, len(per_class)), 4])
    at = np.arange(len(per_class))
    for shift, column, colour in [(-0.2, "images", style.BAR), (0.2, "groups", style.CLASS_COLOURS[1])]:
        name = plural if column == "groups" else "images"
        bars = left.barh(at + shift, per_class[column], height=0.38, color=colour, label=name)
        left.bar_label(bars, [f"{n:,}" for n in per_class[column]], padding=3, fontsize=style.SMALL)
    left.set_yticks(at, [style.long_name(key, names) for key in per_class.index])
    left.set_ylim(len(at) - 0.5, -0.5)
    left.margins(x=0.1)
    left.legend(loc="lower right")
    left.set_title(f"{len(frame):,} images of {frame['group'].nunique():,} {plural}")
    bars = right.bar(sizes.index.astype(str), sizes.to_numpy(), color=style.CLASS_COLOURS[1], width=0.66)
    right.bar_label(bars, [f"{n:,}" for n in sizes], padding=3, fontsize=style.SMALL)
    right.margins(y=0.15)
    right.set(xlabel=f"images of one {group_name}", ylabel=plural)
    left.xaxis.set_major_formatter(_THOUSANDS)
    right.yaxis.set_major_formatter(_THOUSANDS)
    style.only_grid(left, "x")
    style.only_grid(right, "y")
    return figure


def age_by_class(frame: pd.DataFrame, names: dict[str, str] | None = None) -> Figure:
    """Draw a box plot of the ages per class, the youngest class first.

    Parameters
    ----------
    frame : DataFrame
        With the columns ``label`` and ``age`` (years; gaps are left out).
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        One axes with a box per class that has ages.
    """
    known = frame.dropna(subset=["age"])
    order = known.groupby("label")["age"].agg(["median", "mean"]).sort_values(["median", "mean"]).index
    sizes = known["label"].value_counts()
    figure = style.figure(0.9 + 0.45 * max(len(order), 2))
    axes = figure.subplots()
    palette = style.class_palette(frame["label"])
    ages = known.groupby("label")["age"]
    style.boxes(axes, [ages.get_group(name).to_numpy() for name in order], [palette[name] for name in order])
    axes.set_yticks(range(len(order)), [f"{style.long_name(key, names)}\nn = {sizes[key]:,}" for key in order])
    axes.set_xlabel("age in years")
    style.only_grid(axes, "x")
    return figure
