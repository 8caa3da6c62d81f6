"""Images side by side: examples, class means, before and after, augmentations, heat maps."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lesionbook.figures import style

# Faint where the network looked away, so that the image shows there; strong where it looked.
_STEPS = np.linspace(0, 1, 256)
HEAT = ListedColormap(
    np.column_stack([colormaps[style.HEAT](0.2 + 0.8 * _STEPS)[:, :3], 0.1 + 0.6 * _STEPS]), name="heat"
)


def _show(axes: Axes, image: np.ndarray, title: str = "", width: float = 1.5) -> None:
    """Put an image on bare axes; titles are wrapped to the `width` in inches."""
    axes.imshow(image, aspect="equal", interpolation="nearest" if image.shape[1] >= 48 else "antialiased")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if title:
        lines = [textwrap.fill(part, max(8, int(width * 14)), break_on_hyphens=False) for part in title.split("\n")]
        axes.set_title("\n".join(lines), fontsize=style.SMALL, pad=3, loc="center", linespacing=1.15)


def _panels(
    rows: int, columns: int, ratio: float, extra: float, width: float = style.WIDTH
) -> tuple[Figure, np.ndarray]:
    """Axes for images of height/width `ratio` in cells as wide as the page allows, at most 2.2 inches."""
    cell = min(2.2, width / columns)
    figure = style.figure(rows * (cell * ratio + extra), width=min(width, cell * columns), layout="compressed")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.01, hspace=0.01)
    return figure, figure.subplots(rows, columns, squeeze=False)


def _blank(axes: np.ndarray) -> None:
    """Hide cells that hold no image."""
    for cell in axes.ravel():
        if not cell.has_data():
            cell.set_axis_off()


def grid(images: np.ndarray, titles: Sequence[str] | None = None, columns: int = 5) -> Figure:
    """Draw images in rows.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W, 3)
    titles : sequence of N str, optional
        Text above each image; long lines are wrapped.
    columns : int
        Images in a row.

    Returns
    -------
    Figure
        One axes per image, and empty ones up to the end of the last row.
    """
    columns = max(1, min(columns, len(images)))
    rows = -(-len(images) // columns)
    longest = max((title.count("\n") + 1 + len(title) // 22 for title in titles or []), default=0)
    figure, axes = _panels(rows, columns, images.shape[1] / images.shape[2], 0.08 + 0.15 * longest)
    cell = figure.get_figwidth() / columns
    for number, image in enumerate(images):
        _show(axes.flat[number], image, titles[number] if titles is not None else "", cell)
    _blank(axes)
    return figure


def class_grid(images_by_class: dict[str, np.ndarray], names: dict[str, str] | None = None) -> Figure:
    """Draw one row of images per class, with the class at its left.

    Parameters
    ----------
    images_by_class : dict of ndarray of uint8, shape (n, H, W, 3)
        Images of each class; rows may differ in length.
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        A grid of axes, one row per class.
    """
    columns = max(len(images) for images in images_by_class.values())
    first = next(iter(images_by_class.values()))
    label_width = 1.15
    cell = min(1.7, (style.WIDTH - label_width) / columns)
    ratio = first.shape[1] / first.shape[2]
    figure = style.figure(
        len(images_by_class) * (cell * ratio + 0.06), width=cell * columns + label_width, layout="compressed"
    )
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0.01, hspace=0.01)
    axes = figure.subplots(len(images_by_class), columns, squeeze=False)
    for row, (name, images) in zip(axes, images_by_class.items(), strict=True):
        for panel, image in zip(row, images, strict=False):
            _show(panel, image)
        text = textwrap.fill(style.long_name(name, names), 15, break_long_words=False)
        row[0].set_ylabel(text, rotation=0, ha="right", va="center", fontsize=style.SMALL + 0.5, labelpad=5)
    _blank(axes)
    return figure


def mean_images(means: dict[str, np.ndarray], names: dict[str, str] | None = None) -> Figure:
    """Draw the mean image of each class.

    Parameters
    ----------
    means : dict of ndarray, shape (H, W, 3)
        Values 0..255.
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        One axes per class, four in a row.
    """
    images = np.stack([np.clip(np.rint(mean), 0, 255).astype(np.uint8) for mean in means.values()])
    return grid(images, [style.long_name(name, names) for name in means], columns=4)


def colour_by_class(frame: pd.DataFrame, names: dict[str, str] | None = None) -> Figure:
    """Draw the mean red, green and blue of the images of each class as box plots.

    Parameters
    ----------
    frame : DataFrame of N images
        ``label`` and ``red, green, blue``, the mean of the image in each channel (0..255).
    names : dict, optional
        Class -> long name.

    Returns
    -------
    Figure
        Three axes, one per channel, sharing the rows of the classes.
    """
    order = sorted(frame["label"].unique())
    means = frame.groupby("label")
    figure = style.figure(1.1 + 0.38 * max(len(order), 2))
    axes = figure.subplots(1, 3, sharey=True, sharex=True)
    for panel, (channel, colour) in zip(
        axes, {"red": "#d9534f", "green": "#4f9d5b", "blue": "#4a7fb0"}.items(), strict=True
    ):
        style.boxes(panel, [means.get_group(name)[channel].to_numpy() for name in order], [colour] * len(order))
        panel.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        panel.set_title(channel)
        style.only_grid(panel, "x")
    axes[0].set_yticks(range(len(order)), [style.long_name(key, names) for key in order])
    axes[1].set_xlabel("mean of the channel over an image, 0 to 255")
    return figure


def before_and_after(originals: Sequence[np.ndarray], resized: np.ndarray) -> Figure:
    """Draw images as found above the same images as the models see them.

    Parameters
    ----------
    originals : sequence of n ndarray of uint8, shape (h, w, 3)
        May differ in size.
    resized : ndarray of uint8, shape (n, H, W, 3)

    Returns
    -------
    Figure
        Two rows of n axes; the titles give width × height in pixels.
    """
    cell = min(2.2, (style.WIDTH - 0.3) / len(originals))
    ratios = [max(image.shape[0] / image.shape[1] for image in row) for row in (originals, resized)]
    figure = style.figure(cell * sum(ratios) + 0.6, width=cell * len(originals) + 0.3, layout="compressed")
    axes = figure.subplots(2, len(originals), squeeze=False, height_ratios=ratios)
    for column, pair in enumerate(zip(originals, resized, strict=True)):
        for row, image in enumerate(pair):
            _show(axes[row, column], image, f"{image.shape[1]} × {image.shape[0]}")
    for row, text in enumerate(["as found", "as stored"]):
        axes[row, 0].set_ylabel(text, fontsize=style.NORMAL)
    return figure


def augmentations(original: np.ndarray, variants: np.ndarray, columns: int = 5) -> Figure:
    """Draw an image and what augmentation makes of it.

    Parameters
    ----------
    original : ndarray of uint8, shape (H, W, 3)
    variants : ndarray of uint8, shape (n, H, W, 3)
    columns : int
        Images in a row, the original included.

    Returns
    -------
    Figure
        One axes per image, the original first.
    """
    titles = ["original", *[f"variant {number}" for number in range(1, len(variants) + 1)]]
    figure = grid(np.concatenate([original[None], variants]), titles, columns)
    for spine in figure.axes[0].spines.values():
        spine.set(visible=True, color=style.ACCENT, linewidth=2)
    figure.axes[0].title.set(color=style.ACCENT, fontweight="bold")
    return figure


def overlays(images: np.ndarray, heatmaps: np.ndarray, titles: Sequence[str] | None = None, columns: int = 4) -> Figure:
    """Draw images above the same images with a heat map laid over them, as for Grad-CAM.

    Parameters
    ----------
    images : ndarray of uint8, shape (N, H, W, 3)
    heatmaps : ndarray of float, shape (N, h, w)
        0..1; coarser maps are interpolated to the size of the image.
    titles : sequence of N str, optional
        Text above each image.
    columns : int
        Images in a row.

    Returns
    -------
    Figure
        Per row of images two rows of axes, and a colour bar.
    """
    columns = max(1, min(columns, len(images)))
    blocks = -(-len(images) // columns)
    height, width = images.shape[1:3]
    lines = max((title.count("\n") + 1 + len(title) // 22 for title in titles or []), default=0)
    figure, axes = _panels(2 * blocks, columns, height / width, 0.05 + 0.08 * lines, width=style.WIDTH - 0.5)
    cell = figure.get_figwidth() / columns
    drawn = None
    for number, (image, heat) in enumerate(zip(images, heatmaps, strict=True)):
        block, column = divmod(number, columns)
        _show(axes[2 * block, column], image, titles[number] if titles is not None else "", cell)
        below = axes[2 * block + 1, column]
        _show(below, image)
        heat = np.clip(heat, 0, 1)
        drawn = below.imshow(
            heat,
            cmap=HEAT,
            vmin=0,
            vmax=1,
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            interpolation="bicubic",
        )
    _blank(axes)
    if drawn is not None:
        figure.set_figwidth(figure.get_figwidth() + 0.5)
        bar = figure.colorbar(drawn, ax=axes, shrink=1 / blocks, anchor=(0, 1), aspect=22, pad=0.02)
        bar.set_label("relative contribution")
        bar.set_ticks([0, 0.5, 1])
        bar.outline.set_visible(False)
    return figure
