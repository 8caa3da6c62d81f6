"""Models beside each other: estimates with their intervals, and the published figure where there is one."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lesionbook.figures import style


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    """Take the column, or the index of that name, or empty texts."""
    if name in frame:
        return frame[name].astype(str)
    if name in frame.index.names:
        return pd.Series(frame.index.get_level_values(name).astype(str), index=frame.index)
    return pd.Series("", index=frame.index)


def _colours(models: Sequence[str]) -> dict[str, str]:
    """Colour of each model, in the order of appearance."""
    return dict(zip(dict.fromkeys(models), style.CLASS_COLOURS * 4, strict=False))


def _whisker(axes: Axes, row: pd.Series, y: float, colour: str, marker: str) -> None:
    """Draw one estimate with its interval."""
    axes.plot([row["low"], row["high"]], [y, y], color=colour, lw=1.8, solid_capstyle="butt", label="_interval")
    axes.plot(row["estimate"], y, marker, color=colour, ms=6.5, label="_estimate")


def intervals(
    frame: pd.DataFrame,
    zero: float | None = None,
    xlabel: str = "estimate and 95 % interval",
    beside: pd.DataFrame | None = None,
) -> Figure:
    """Draw a forest plot: one row per model and score.

    Parameters
    ----------
    frame : DataFrame
        ``estimate, low, high`` and, as columns or as name of the index, ``score`` and ``model`` (either may be
        missing); optional ``published``, drawn as a hollow diamond where it is a number.
    zero : float, optional
        Where to draw a line of no effect; intervals that hold it are grey.
    xlabel : str
        What is drawn.
    beside : DataFrame, optional
        ``model, score, estimate`` of further trainings, drawn as hollow points below the interval of their row.

    Returns
    -------
    Figure
        One axes; rows from the top in the order of the table, gathered by score; the numbers at the right.
    """
    frame = frame.assign(score=_column(frame, "score"), model=_column(frame, "model")).reset_index(drop=True)
    colours = _colours(frame["model"])
    headed = frame["score"].ne("").any() and frame["model"].ne("").any()
    ticks, labels, y = [], [], 0.0
    figure = style.figure(1.1 + 0.3 * (len(frame) + (1.15 * frame["score"].nunique() if headed else 0)))
    axes = figure.subplots()
    for score, part in frame.groupby("score", sort=False):
        if headed:
            axes.text(
                0, y, style.score_name(score), fontweight="bold", va="center", transform=axes.get_yaxis_transform()
            )
            y += 1
        for _, row in part.iterrows():
            colour = colours[row["model"]]
            if zero is not None:
                colour = style.FAINT if row["low"] <= zero <= row["high"] else style.BAR_DARK
            _whisker(axes, row, y, colour, "o")
            if beside is not None:
                others = beside.loc[(beside["model"] == row["model"]) & (beside["score"] == score), "estimate"]
                axes.plot(others, [y + 0.32] * len(others), "o", mfc="white", mec=colour, ms=4.5, label="_seed")
            if pd.notna(row.get("published")):
                axes.plot(row["published"], y, "D", mfc="white", mec=style.INK, ms=6, label="published")
            numbers = f"{row['estimate']:.3f} ({row['low']:.3f}–{row['high']:.3f})"
            if zero is not None:
                numbers = f"{row['estimate']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})".replace("-", "−")
            axes.text(1.02, y, numbers, va="center", fontsize=9, transform=axes.get_yaxis_transform())
            ticks.append(y)
            labels.append(row["model"] or style.score_name(score))
            y += 1
        y += 0.35 if headed else 0
    axes.set_yticks(ticks, labels)
    axes.set_ylim(y - (0.65 if headed else 0.3), -0.7)
    axes.margins(x=0.06)
    axes.set_xlabel(xlabel)
    if zero is not None:
        axes.axvline(zero, color=style.INK, lw=1, ls=(0, (3, 2)), zorder=0)
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles[:1], names[:1], loc="lower right", bbox_to_anchor=(1, 1), borderpad=0)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    style.only_grid(axes, "x")
    return figure


def differences(frame: pd.DataFrame) -> Figure:
    """Draw the differences between models as a forest plot around zero.

    Parameters
    ----------
    frame : DataFrame
        From `statistics.paired_differences`.

    Returns
    -------
    Figure
        As `intervals`, a row per pair and score.
    """
    pairs = frame["model"] + " − " + frame["reference"]
    table = frame.assign(model=pairs, estimate=frame["difference"])
    return intervals(table, zero=0.0, xlabel="difference and 95 % interval")
