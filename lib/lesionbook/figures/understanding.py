"""What a network learned, drawn: its kernels, its feature maps, and how its features lay out the images."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from lesionbook.figures import style
from lesionbook.figures.operations import brief, inches, picture


def kernels(kernels: np.ndarray, limit: int = 64) -> Figure:
    """Draw the kernels of a convolution.

    Parameters
    ----------
    kernels : ndarray of float, shape (K, h, w, C)
        As `lesionbook.explain.kernels` gives it.
    limit : int
        Most kernels drawn; over other inputs than colour images, an eighth of it, with 12 of their channels at most.

    Returns
    -------
    Figure
        For C = 3 a coloured tile per kernel: grey where the weight is 0, lighter in a colour where that colour raises
        the answer and darker where it lowers it; each tile has its own scale. Else a row per kernel and a column per
        channel, in colours that tell the sign, all on one scale.
    """
    if kernels.shape[-1] == 3:
        return _coloured_kernels(kernels[:limit], len(kernels))
    return _signed_kernels(kernels[: max(1, limit // 8), :, :, :12], kernels.shape)


def _coloured_kernels(kernels: np.ndarray, total: int) -> Figure:
    columns = min(len(kernels), 8 if len(kernels) <= 32 else 16)
    rows = -(-len(kernels) // columns)
    cell = min(1.1, style.WIDTH / columns)
    figure = style.figure(rows * (cell + 0.12) + 0.35, layout="compressed")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    extremes = np.maximum(np.abs(kernels).max(axis=(1, 2, 3), keepdims=True), 1e-12)
    for number, (panel, tile) in enumerate(zip(axes, 0.5 + 0.5 * kernels / extremes, strict=False), start=1):
        picture(panel, tile, str(number))
    for panel in axes[len(kernels) :]:
        panel.set_axis_off()
    key = "grey: weight 0; lighter in a colour: that colour raises the answer; darker: it lowers it"
    if total > len(kernels):
        key = f"the first {len(kernels)} of {total} kernels; {key}"
    figure.supxlabel(textwrap.fill(key, 95), fontsize=style.SMALL)
    return figure


def _signed_kernels(kernels: np.ndarray, shape: tuple[int, ...]) -> Figure:
    count, channels = len(kernels), kernels.shape[-1]
    cell = min(0.8, (style.WIDTH - 1.6) / channels)
    figure = style.figure(count * (cell + 0.04) + 0.7, layout="compressed")
    axes = figure.subplots(count, channels, squeeze=False)
    extreme = max(np.abs(kernels).max(), 1e-12)
    for number, (row, kernel) in enumerate(zip(axes, kernels, strict=True), start=1):
        for channel, panel in enumerate(row):
            drawn = picture(panel, kernel[:, :, channel], cmap=style.DIVERGING, vmin=-extreme, vmax=extreme)
        row[0].set_ylabel(f"kernel {number}", rotation=0, ha="right", va="center", fontsize=style.SMALL)
    for channel, panel in enumerate(axes[0], start=1):
        panel.set_title(str(channel), fontsize=style.SMALL, pad=3, loc="center")
    bar = figure.colorbar(drawn, ax=axes, aspect=25, pad=0.02)
    bar.set_label("weight")
    bar.outline.set_visible(False)
    shown = f"channel of the input ({channels} of {shape[-1]}; {count} of {shape[0]} kernels)"
    figure.supxlabel(shown if kernels.shape != shape else "channel of the input", fontsize=style.SMALL)
    return figure


def feature_maps(image: np.ndarray, maps: np.ndarray, titles: Sequence[str] | None = None, limit: int = 16) -> Figure:
    """Draw an image beside what the kernels of a layer answer to it.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    maps : ndarray of float, shape (h, w, K)
        One image's row of what `lesionbook.explain.feature_maps` gives.
    titles : sequence of str, optional
        Text above each map; by default its number and its lowest and highest value.
    limit : int
        Most maps drawn.

    Returns
    -------
    Figure
        The image at the left, maps in rows of four; each map from its lowest value (dark) to its highest (light).
    """
    count = min(limit, maps.shape[-1])
    columns, rows = min(4, count), -(-count // 4)
    ratio, across = image.shape[0] / image.shape[1], 1.28
    pitch, left = (across - 0.1) * ratio + 0.38, 2.05
    height = max(rows * pitch, 1.88 * ratio + 1.05)
    figure, axes = inches(left + columns * across, height)
    panels = [(0.02, 0.34, 1.88, image, "the image")]
    for number in range(count):
        row, column = divmod(number, 4)
        values = maps[:, :, number]
        span = " to ".join(brief(end) for end in (values.min(), values.max()))
        title = textwrap.fill(titles[number], 18) if titles is not None else f"map {number + 1}\n{span}"
        panels.append((left + column * across, row * pitch + 0.34, across - 0.1, values, title))
    key = "Black is the lowest value of a map, white its highest."
    axes.text(0.02, 0.5 + 1.88 * ratio, textwrap.fill(key, 27), fontsize=style.SMALL, va="top", linespacing=1.3)
    for x, y, side, values, title in panels:
        size = figure.get_size_inches()
        panel = figure.add_axes((x / size[0], 1 - (y + side * ratio) / size[1], side / size[0], side * ratio / size[1]))
        picture(panel, values, title, cmap="gray")
    return figure


def embedding(points: pd.DataFrame, labels: Sequence[str], names: dict[str, str] | None = None) -> Figure:
    """Draw images as points, so that those the network holds alike lie together.

    Parameters
    ----------
    points : DataFrame of float, N rows, 2 columns
        As `lesionbook.explain.embedding` gives it; the names of the columns become those of the axes.
    labels : sequence of N str
        Class of each image.
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        One axes; a colour and a marker per class, frequent classes below rare ones.
    """
    labels = pd.Series(list(labels))
    counts = labels.value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    palette = style.class_palette(counts.index)
    markers = {name: style.MARKERS[place % len(style.MARKERS)] for place, name in enumerate(sorted(counts.index))}
    figure = style.figure(4.9)
    axes = figure.subplots()
    area = float(np.clip(16000 / len(labels), 10, 60))
    for name, count in counts.items():
        x, y = points[(labels == name).to_numpy()].to_numpy().T
        label = f"{textwrap.fill(style.long_name(name, names), 22)}, {count}"
        axes.scatter(
            x, y, s=area, marker=markers[name], color=palette[name], edgecolor="white", linewidth=0.4, label=label
        )
    axes.set(xlabel=points.columns[0], ylabel=points.columns[1])
    legend = figure.legend(loc="outside right center", title="class, images", labelspacing=0.8)
    for handle in legend.legend_handles:
        handle.set_sizes([45])
    return figure
