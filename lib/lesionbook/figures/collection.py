"""A collection of images: how bright and how large they are, which show the same, and where the label is decided."""

import textwrap
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator, PercentFormatter

from lesionbook import near_duplicates
from lesionbook.figures import metadata, style

BINS = np.linspace(0, 255, 65)  # as in the published study of PatchCamelyon
FEW_SIZES = 12
PROPORTIONS = {"square": 1, "4 : 3": 4 / 3, "3 : 2": 3 / 2}
PAIR_TEXT = 23  # characters of a line above an image of a pair
_THOUSANDS = FuncFormatter(lambda value, _: f"{value:,.0f}")


def brightness_histograms(measured: pd.DataFrame, names: dict[str, str] | None = None, columns: int = 3) -> Figure:
    """Draw the distribution of the mean brightness of the images, one panel per class.

    Parameters
    ----------
    measured : DataFrame of N images
        ``label`` and ``brightness``, the mean of the image (0 to 255); gaps are left out.
    names : dict, optional
        Class -> long name.
    columns : int
        Panels in a row.

    Returns
    -------
    Figure
        One axes per class, in the order of `names` and then of the keys, all with the same scales: 64 bins from 0 to
        255 and shares of the images of the class. A line marks the mean.
    """
    known = measured.dropna(subset=["brightness"])
    groups = dict(list(known.groupby("label")["brightness"]))
    order = [*[key for key in names or {} if key in groups], *[key for key in groups if key not in (names or {})]]
    columns = max(1, min(columns, len(order)))
    rows = -(-len(order) // columns)
    figure = style.figure(0.5 + 1.95 * rows if columns > 1 else 3.0 * rows)
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel, key in zip(axes.flat, order, strict=False):
        values = groups[key]
        panel.hist(values, bins=BINS, weights=np.full(len(values), 1 / len(values)), color=style.BAR)
        panel.axvline(values.mean(), color=style.ACCENT, lw=1.6, ls=(0, (4, 2)))
        name = textwrap.fill(style.long_name(key, names), 72 // columns, break_long_words=False)
        panel.set_title(f"{name}\n{len(values):,} images, mean {values.mean():.1f}", fontsize=style.NORMAL - 0.5)
        panel.set(xlim=(0, 255), xticks=[0, 64, 128, 192, 255])
        style.only_grid(panel, "y")
    for panel in axes.flat[len(order) :]:
        panel.set_axis_off()
    for panel in axes.flat[max(0, len(order) - columns) : len(order)]:  # the lowest of each column
        panel.tick_params(labelbottom=True)
    axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    figure.supxlabel("mean brightness of an image", fontsize=style.NORMAL)
    figure.supylabel("share of the images of the class", fontsize=style.NORMAL)
    return figure


def image_sizes(measured: pd.DataFrame) -> Figure:
    """Draw how large the images are.

    Parameters
    ----------
    measured : DataFrame of N images
        ``width`` and ``height`` in pixels; gaps are left out.

    Returns
    -------
    Figure
        One axes. Up to twelve different sizes: a bar for each, the most common first. More: a disc for each at its
        width and height, on logarithmic scales, its area growing with the number of images, and lines of equal
        proportions.
    """
    known = measured[["width", "height"]].dropna().astype(int)
    sizes = known.value_counts(sort=False).rename("images").reset_index()
    if len(sizes) <= FEW_SIZES:
        return metadata.counts(
            known["width"].map("{:,}".format) + " × " + known["height"].map("{:,}".format), horizontal=True
        )
    sizes = sizes.sort_values("images", ascending=False, kind="stable")  # small discs lie on large ones
    most = int(sizes["images"].max())
    figure = style.figure(4.4)
    axes = figure.subplots()
    xlim, ylim = [(sizes[name].min() / 1.2, sizes[name].max() * 1.2) for name in ("width", "height")]
    axes.set(xscale="log", yscale="log", xlim=xlim, ylim=ylim, xlabel="width in pixels", ylabel="height in pixels")
    for axis, ends in ((axes.xaxis, xlim), (axes.yaxis, ylim)):
        axis.set(major_locator=FixedLocator(_ticks(*ends)), minor_locator=NullLocator(), major_formatter=_THOUSANDS)
    look = {"color": style.BAR, "alpha": 0.5, "linewidth": 0.6, "edgecolor": "white"}
    axes.scatter(sizes["width"], sizes["height"], s=_area(sizes["images"], most), zorder=3, **look)
    handles = []
    for step in sorted({1, round(most**0.5), most}):
        label = "1 image" if step == 1 else f"{step:,} images"
        handles.append(axes.scatter([], [], s=_area(step, most), label=label, **look))
    for (label, ratio), line in zip(PROPORTIONS.items(), style.LINES, strict=False):
        ends = np.array(ylim)
        handles += axes.plot(ends * ratio, ends, color=style.FAINT, lw=1.2, ls=line, label=label)
    axes.set(xlim=xlim, ylim=ylim)
    figure.legend(handles=handles, loc="outside right center", labelspacing=0.9, handlelength=2.4)
    axes.set_title(f"{len(known):,} images in {len(sizes):,} sizes")
    return figure


def _area(images: pd.Series | int, most: int) -> pd.Series | float:
    """Area of a disc in square points, between one that is seen and one that hides little."""
    return 14 + 186 * (images - 1) / max(most - 1, 20)


def _ticks(low: float, high: float) -> np.ndarray:
    """Round numbers between two ends: 1, 2, 5, 10, … or, where these are fewer than three, evenly spaced ones."""
    steps = np.outer(10.0 ** np.arange(7), [1, 2, 5]).ravel()
    if ((steps >= low) & (steps <= high)).sum() < 3:
        steps = MaxNLocator(4, integer=True).tick_values(low, high)
    return steps[(steps >= low) & (steps <= high)]


def pairs(images: np.ndarray, listing: pd.DataFrame) -> Figure:
    """Draw near-duplicates side by side, two pairs in a row.

    Parameters
    ----------
    images : ndarray of uint8, shape (K, 2, H, W, 3)
        The first and the second image of each pair, as they are stored.
    listing : DataFrame of K rows
        As `lesionbook.near_duplicates.listing` makes it.

    Returns
    -------
    Figure
        Two axes per pair. Above each image its id, its label and its side of the split; below the second one, where
        it is mirrored or turned, how it matches the first. A frame marks pairs whose labels or sides differ.
    """
    records = listing.to_dict("records")
    views = ["" if row["view"] == near_duplicates.VIEWS[0] else f"matches when {row['view']}" for row in records]
    above = max(_pair_title(row, end).count("\n") + 1 for row in records for end in ("first", "second"))
    below = max(len(textwrap.wrap(view, PAIR_TEXT)) for view in views)
    rows, columns = -(-len(images) // 2), 5 if len(images) > 1 else 2  # the third keeps two pairs apart
    cell = (style.WIDTH - 0.35) / 4
    high = cell * images.shape[2] / images.shape[3] + 0.16 * (above + below) + 0.1
    figure = style.figure(rows * high, width=style.WIDTH if columns == 5 else 2 * cell + 0.1, layout="compressed")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.05, wspace=0.01, hspace=0.03)
    axes = figure.subplots(rows, columns, squeeze=False, width_ratios=[1, 1, 0.12, 1, 1][:columns])
    for number, (pair, row, view) in enumerate(zip(images, records, views, strict=True)):
        panels = axes[number // 2, 3 * (number % 2) :][:2]
        differ = any(row.get(f"first_{name}") != row.get(f"second_{name}") for name in ("label", "split"))
        for panel, image, end in zip(panels, pair, ("first", "second"), strict=True):
            _show(panel, image)
            panel.set_title(_pair_title(row, end), fontsize=style.SMALL, loc="center", pad=4)
            panel.spines[:].set(visible=differ, color=style.ACCENT, linewidth=2.5)
        panels[1].set_xlabel(textwrap.fill(view, PAIR_TEXT), fontsize=style.SMALL, labelpad=4)
    for panel in axes.flat:
        if not panel.has_data():
            panel.set_axis_off()
    return figure


def _pair_title(record: dict, end: str) -> str:
    """Id, label and side of one image of a pair, in short lines."""
    what = ", ".join(str(record[f"{end}_{name}"]) for name in ("label", "split") if f"{end}_{name}" in record)
    return "\n".join(textwrap.fill(text, PAIR_TEXT) for text in (str(record[f"{end}_image_id"]), what))


def _show(axes: Axes, image: np.ndarray) -> None:
    """Put an image on bare axes."""
    axes.imshow(image, interpolation="nearest" if image.shape[1] >= 48 else "antialiased")
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def images_with_centre(images: Sequence[np.ndarray], titles: Sequence[str], box: int = 32) -> Figure:
    """Draw images large and side by side, each with a square marked in its middle.

    In PatchCamelyon a patch counts as metastasis where the central 32 × 32 pixels hold tumour (Veeling et al., Rotation
    equivariant CNNs for digital pathology, 2018).

    Parameters
    ----------
    images : sequence of K ndarrays of uint8, shape (H, W, 3)
    titles : sequence of K str
        Text above each image.
    box : int
        Side of the square in pixels.

    Returns
    -------
    Figure
        One axes per image, with the image and the square.
    """
    width = style.WIDTH / max(len(images), 2)
    figure = style.figure(max(width * len(image) / image.shape[1] for image in images) + 0.3, layout="compressed")
    for axes, image, title in zip(figure.subplots(1, len(images), squeeze=False)[0], images, titles, strict=True):
        _show(axes, image)
        corner = [(side - box) / 2 - 0.5 for side in (image.shape[1], image.shape[0])]  # pixel centres are whole
        for colour, thick in (("white", 4), (style.INK, 1.8)):  # seen on light and on dark ground
            axes.add_patch(Rectangle(corner, box, box, fill=False, edgecolor=colour, linewidth=thick))
        axes.set_title(title, loc="center")
    return figure
