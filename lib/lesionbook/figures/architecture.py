"""A network drawn from top to bottom: one box per layer, or per block where there are too many layers."""

import re
import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from lesionbook.figures import style

# Words in the name of a layer's kind -> legend entry and colour; the first that fits counts.
_KINDS = [
    ("input", "input", "#bdbdbd"),
    ("conv", "convolution", "#0072b2"),
    ("pool", "pooling", "#d55e00"),
    ("norm", "normalization", "#8fbfdc"),
    ("dense", "dense", "#882255"),
    ("dropout", "dropout", "#cc79a7"),
    ("activation|relu|elu|softmax", "activation", "#e69f00"),
    ("^add|concat|multiply|merge", "merge", "#1b9e77"),
    ("", "other", "#8a8a8a"),
]
_COLOURS = {name: colour for _, name, colour in _KINDS}
# Inches: height of a row and of the head, and where the columns stand.
PITCH, TOP = 0.24, 0.3
NAME, CENTRE, HALF, SHAPE, PARAMETERS = 1.3, 4.15, 0.8, 6.05, style.WIDTH - 0.1


def family(kind: str) -> str:
    """Name the group of layers that a kind such as ``MaxPooling2D`` belongs to: pooling."""
    return next(name for words, name, _ in _KINDS if re.search(words, kind.lower()))


def sizes(output_shape: str) -> tuple[int, int]:
    """Read side and channels from a shape such as ``(None, 56, 56, 128)`` or ``56×56×128``; a vector has side 1."""
    numbers = [int(number) for number in re.findall(r"\d+", output_shape)]
    if len(numbers) >= 3:
        return numbers[-3], numbers[-1]
    return 1, numbers[-1] if numbers else 1


def _gather(table: pd.DataFrame, run: pd.Series) -> pd.DataFrame:
    """Make one row of each run of neighbours."""
    gathered = table.groupby(run, sort=False).agg(
        name=("name", "first"),
        kinds=("kinds", "sum"),
        output_shape=("output_shape", "last"),
        parameters=("parameters", "sum"),
        block=("block", "first"),
        times=("times", "sum"),
    )
    return gathered.reset_index(drop=True)


def rows(layers: pd.DataFrame, limit: int = 36) -> pd.DataFrame:
    """Choose what is drawn: every layer or, beyond `limit` layers, one row per block; then equal neighbours are joined.

    Parameters
    ----------
    layers : DataFrame
        ``name, kind, output_shape, parameters, block``, from input to output.
    limit : int
        Most rows to draw before layers are gathered.

    Returns
    -------
    DataFrame
        ``name, kinds`` (list of the kinds of the layers in one block), ``output_shape`` (of the last layer),
        ``parameters`` (sum), ``block`` and ``times`` (how many equal blocks the row stands for).
    """
    kinds = [[kind] for kind in layers["kind"]]
    table = layers[["name", "output_shape", "parameters", "block"]].assign(kinds=kinds, times=1).reset_index(drop=True)
    if len(table) > limit:
        table = _gather(table, (table["block"] != table["block"].shift()).cumsum()).assign(times=1)
    if len(table) > limit:
        alike = table.assign(kinds=table["kinds"].map(tuple))[["kinds", "output_shape", "parameters"]]
        run = (alike != alike.shift()).any(axis=1).cumsum()
        first = table["kinds"].groupby(run, sort=False).first()
        table = _gather(table, run).assign(kinds=first.to_list())
    return table


def _description(row: pd.Series) -> str:
    """Name a layer, or say what a block consists of."""
    if len(row["kinds"]) == 1:
        return row["name"] + (f" × {row['times']}" if row["times"] > 1 else "")
    convolutions = sum(family(kind) == "convolution" for kind in row["kinds"])
    times = f"{row['times']} × " if row["times"] > 1 else ""
    return f"{times}{len(row['kinds'])} layers" + (f", {convolutions} convolutions" if convolutions > 1 else "")


def drawing(layers: pd.DataFrame, limit: int = 36) -> Figure:
    """Draw a network from input (top) to output (bottom).

    The width of a box grows with the side of the feature map and its height with the channels, both on a logarithmic
    scale, so that the funnel of a convolutional network shows. A block drawn as one box has a stripe per layer.

    Parameters
    ----------
    layers : DataFrame
        ``name``, ``kind`` (class of the layer), ``output_shape`` (text such as ``56×56×128``), ``parameters`` (int)
        and ``block`` (text; neighbours with the same block share a band), from input to output.
    limit : int
        Most rows to draw before layers are gathered into their blocks.

    Returns
    -------
    Figure
        One axes in inches; per row a box, the name, the output shape and the number of parameters.
    """
    table = rows(layers, limit)
    height = PITCH * len(table) + TOP + 0.55
    figure = style.figure(height, layout="none")  # everything is placed in inches
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, style.WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    small = {"fontsize": style.SMALL, "va": "center"}
    for at, text, side in [(NAME, "layer", "left"), (CENTRE, "feature map", "center"), (SHAPE, "output", "right")]:
        axes.text(at, TOP / 2, text, ha=side, color=style.FAINT, **small)
    axes.text(PARAMETERS, TOP / 2, "parameters", ha="right", color=style.FAINT, **small)
    bands = (table["block"] != table["block"].shift()).cumsum()
    for number, band in enumerate(table.groupby(bands).groups.values()):
        start, stop = TOP + PITCH * band[0], TOP + PITCH * (band[-1] + 1)
        shade = "#f3f5f7" if number % 2 == 0 else "white"
        axes.add_patch(Rectangle((0, start), style.WIDTH, stop - start, color=shade, lw=0, zorder=0))
        text = textwrap.shorten(str(table.loc[band[0], "block"]), 16, placeholder="…")
        axes.text(0.08, (start + stop) / 2, text, fontweight="bold", **small)
    measured = np.log2(1 + np.array([sizes(shape) for shape in table["output_shape"]]))
    relative = measured / measured.max(axis=0)
    for place, row in table.iterrows():
        y = TOP + PITCH * (place + 0.5)
        width, tall = 2 * HALF * max(relative[place, 0], 0.05), PITCH * (0.3 + 0.55 * relative[place, 1])
        stripe = width / len(row["kinds"])
        for number, kind in enumerate(row["kinds"]):
            corner = (CENTRE - width / 2 + number * stripe, y - tall / 2)
            axes.add_patch(Rectangle(corner, stripe, tall, color=_COLOURS[family(kind)], lw=0, gid=row["name"]))
        axes.text(NAME, y, _description(row), **small)
        axes.text(SHAPE, y, row["output_shape"], ha="right", **small)
        axes.text(PARAMETERS, y, f"{row['parameters']:,}" if row["parameters"] else "–", ha="right", **small)
    used = {family(kind) for kinds in table["kinds"] for kind in kinds}
    handles = [Patch(color=colour, label=name) for name, colour in _COLOURS.items() if name in used]
    axes.legend(
        handles=handles,
        loc="lower center",
        ncols=len(handles) if len(handles) <= 6 else -(-len(handles) // 2),
        fontsize=style.SMALL,
        handlelength=1.1,
        columnspacing=1.2,
    )
    return figure
