"""How good a model is: matrix, curves, calibration, coefficients."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from lesionbook.figures import style

_UNIT = np.linspace(0, 1, 6)


def confusion_matrix(matrix: pd.DataFrame, names: dict[str, str] | None = None) -> Figure:
    """Draw a confusion matrix: each cell holds the count and the share of its row, and is shaded by the share.

    Parameters
    ----------
    matrix : DataFrame of int, shape (C, C)
        Rows actual, columns predicted.
    names : dict, optional
        Class -> long name, for the rows.

    Returns
    -------
    Figure
        One axes with the shares as image; rows without images are masked.
    """
    counts = matrix.to_numpy()
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.ma.masked_invalid(np.divide(counts, totals, out=np.full(counts.shape, np.nan), where=totals > 0))
    size = len(matrix)
    labels = [textwrap.fill(style.long_name(key, names), 22, break_long_words=False) for key in matrix.index]
    margin = 0.9 + 0.085 * max(len(line) for label in labels for line in [*label.split("\n"), "n = 1,000"])
    cell = min(1.45, (style.WIDTH - margin) / size)
    figure = style.figure(cell * size + 0.85, width=cell * size + margin)
    axes = figure.subplots()
    shade = colormaps[style.SEQUENTIAL]
    axes.imshow(shares, cmap=shade, vmin=0, vmax=1)
    for row in range(size):
        for column in range(size):
            if totals[row, 0] == 0:
                axes.text(column, row, "–", ha="center", va="center", color=style.FAINT)
                continue
            cell_text = {"xy": (column, row), "textcoords": "offset points", "ha": "center"}
            cell_text["color"] = style.ink_on(shade(shares[row, column]))
            axes.annotate(f"{counts[row, column]:,}", xytext=(0, 0), va="bottom", fontsize=10.5, **cell_text)
            axes.annotate(f"{shares[row, column]:.0%}", xytext=(0, -2), va="top", fontsize=style.SMALL, **cell_text)
    axes.set_xticks(range(size), matrix.columns)
    rows = [f"{label}\nn = {n:,}" for label, n in zip(labels, totals[:, 0], strict=True)]
    axes.set_yticks(range(size), rows)
    axes.set(xlabel="predicted\n(images, and share of the actual class)", ylabel="actual")
    axes.set_xticks(np.arange(size + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(size + 1) - 0.5, minor=True)
    axes.grid(visible=False)
    axes.grid(visible=True, which="minor", color="white", lw=2)
    axes.tick_params(which="both", length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return figure


def _square() -> tuple[Figure, Axes, Axes]:
    """Lay out a unit square and, at its right, room for the legend."""
    figure = style.figure(4.0)
    axes, side = figure.subplots(1, 2, width_ratios=[4, 2.9])
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xticks=_UNIT, yticks=_UNIT, aspect="equal")
    side.set_axis_off()
    return figure, axes, side


def _legend(axes: Axes, side: Axes, title: str) -> None:
    """Put the legend of `axes` into the empty axes beside it."""
    handles, labels = axes.get_legend_handles_labels()
    side.legend(
        handles, labels, loc="center left", bbox_to_anchor=(0, 0.5), title=title, alignment="left", handlelength=2.4
    )


def _styles(per_class: pd.DataFrame) -> dict[str, dict]:
    """Colour and line of each class; the line helps where colours do not."""
    palette = style.class_palette(per_class.index)
    return {
        name: {"color": palette[name], "ls": style.LINES[number % len(style.LINES)]}
        for number, name in enumerate(per_class.index)
    }


def roc(curves: pd.DataFrame, per_class: pd.DataFrame, names: dict[str, str] | None = None) -> Figure:
    """Draw the receiver operating characteristic of every class against the rest.

    Parameters
    ----------
    curves : DataFrame
        From `metrics.roc_curves`.
    per_class : DataFrame
        From `metrics.per_class`; its ``auc`` stands in the legend.
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        Axes with one line per class and the diagonal of guessing; axes with the legend.
    """
    figure, axes, side = _square()
    axes.plot([0, 1], [0, 1], color=style.FAINT, lw=1, ls=(0, (2, 2)), label="_guessing")
    looks = _styles(per_class)
    for name, curve in curves.groupby("class", sort=False):
        label = f"{style.short_name(name, names, 22)}: {per_class.loc[name, 'auc']:.3f}"
        axes.plot(curve["false_positive_rate"], curve["true_positive_rate"], label=label, lw=1.7, **looks[name])
    axes.set(xlabel="false positive rate (1 − specificity)", ylabel="true positive rate (recall)")
    _legend(axes, side, "area under the curve")
    return figure


def precision_recall(curves: pd.DataFrame, per_class: pd.DataFrame, names: dict[str, str] | None = None) -> Figure:
    """Draw precision against recall of every class.

    Parameters
    ----------
    curves : DataFrame
        From `metrics.precision_recall_curves`.
    per_class : DataFrame
        From `metrics.per_class`; its ``average_precision`` stands in the legend, and its ``support`` gives the
        precision of guessing, a short dash at the right edge.
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        Axes with one line per class; axes with the legend.
    """
    figure, axes, side = _square()
    looks = _styles(per_class)
    shares = per_class["support"] / per_class["support"].sum()
    for name, curve in curves.groupby("class", sort=False):
        label = f"{style.short_name(name, names, 22)}: {per_class.loc[name, 'average_precision']:.3f}"
        axes.plot(curve["recall"], curve["precision"], label=label, lw=1.7, drawstyle="steps-pre", **looks[name])
        axes.plot([1.02, 1.06], [shares[name]] * 2, color=looks[name]["color"], lw=2.5, clip_on=False, label="_guess")
    axes.plot([], [], color=style.FAINT, lw=2.5, label="dash at the edge: guessing")
    axes.set(xlabel="recall", ylabel="precision")
    _legend(axes, side, "average precision")
    return figure


def reliability(table: pd.DataFrame) -> Figure:
    """Draw accuracy against confidence, above a histogram of the confidences.

    Parameters
    ----------
    table : DataFrame
        From `calibration.reliability`.

    Returns
    -------
    Figure
        Two axes over one scale of confidence: points with 95 % intervals beside the diagonal; images per bin.
    """
    filled = table[table["n"] > 0]
    figure = style.figure(4.3, width=5.2)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.2, 1])
    upper.plot([0, 1], [0, 1], color=style.FAINT, lw=1, ls=(0, (2, 2)), label="perfectly calibrated")
    reach = np.abs(filled[["low", "high"]].sub(filled["accuracy"], axis=0).to_numpy().T)
    upper.errorbar(
        filled["mean_confidence"],
        filled["accuracy"],
        yerr=reach,
        fmt="o",
        color=style.BAR_DARK,
        ms=5,
        lw=1.4,
        capsize=3,
        label="images of one bin, 95 % interval",
    )
    upper.set(xlim=(0, 1.01), ylim=(-0.02, 1.04), ylabel="accuracy", yticks=_UNIT, xticks=_UNIT)
    figure.legend(loc="outside upper left", ncols=2)
    width = table["bin_high"] - table["bin_low"]
    bars = lower.bar(table["bin_low"], table["n"], width=width, align="edge", color=style.BAR, edgecolor="white")
    lower.bar_label(bars, [f"{n:,}" if n else "" for n in table["n"]], padding=2, fontsize=style.SMALL)
    lower.margins(y=0.25)
    lower.set(xlabel="confidence: probability of the predicted class", ylabel="images")
    style.only_grid(lower, "y")
    return figure


def _signed(value: float) -> str:
    """Write two decimals with a sign, a true minus where it is negative."""
    return f"{value:+.2f}".replace("-", "−")


def coefficients(frame: pd.DataFrame, names: dict[str, str] | None = None, top: int = 25) -> Figure:
    """Draw the coefficients of a linear model: a heat map, or bars where there is one column.

    Parameters
    ----------
    frame : DataFrame of float, shape (features, classes)
        Coefficients of standardized features.
    names : dict, optional
        Class -> long name.
    top : int
        Most features to draw, those with the largest absolute coefficient.

    Returns
    -------
    Figure
        One axes (and a colour bar), features as rows in the order given.
    """
    kept = frame.abs().max(axis=1).nlargest(top).index
    frame = frame.loc[[name for name in frame.index if name in set(kept)]]
    reach = max(frame.abs().max(axis=None), 1e-9)
    figure = style.figure(1.0 + 0.34 * max(len(frame), 2))
    axes = figure.subplots()
    if frame.shape[1] == 1:
        values = frame.iloc[:, 0]
        bars = axes.barh(
            values.index.astype(str), values, color=np.where(values > 0, style.ACCENT, style.BAR), height=0.7
        )
        axes.bar_label(bars, [_signed(value) for value in values], padding=4, fontsize=9)
        axes.axvline(0, color=style.INK, lw=1)
        axes.set_ylim(len(values) - 0.4, -0.6)
        axes.set_xlim(-1.2 * reach, 1.2 * reach)
        axes.set_xlabel(f"coefficient for {style.long_name(frame.columns[0], names)}")
        style.only_grid(axes, "x")
        return figure
    image = axes.imshow(frame.to_numpy(), cmap=style.DIVERGING, norm=Normalize(-reach, reach), aspect="auto")
    for (row, column), value in np.ndenumerate(frame.to_numpy()):
        ink = style.ink_on(image.to_rgba(value)[:3])
        axes.text(column, row, _signed(value), ha="center", va="center", color=ink, fontsize=style.SMALL)
    labels = [(names or {}).get(key, str(key)) for key in frame.columns]
    turned = {"rotation": 30, "ha": "right", "rotation_mode": "anchor"} if max(map(len, labels)) > 8 else {}
    axes.set_xticks(range(frame.shape[1]), labels, **turned)
    axes.set_yticks(range(len(frame)), frame.index.astype(str))
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(image, ax=axes, aspect=25, pad=0.02)
    bar.set_label("coefficient")
    bar.outline.set_visible(False)
    return figure
