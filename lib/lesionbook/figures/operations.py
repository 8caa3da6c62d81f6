"""The operations a network is made of, drawn: activation functions, convolution, pooling, well-known kernels."""

import textwrap
from fractions import Fraction

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle

from lesionbook.figures import style

CELL = 0.46  # inches, side of a cell that holds a number
_FAMILIES = {
    "rectifiers": ["ReLU", "leaky ReLU"],
    "sigmoid, repeated": ["sigmoid", "sigmoid of sigmoid", "sigmoid five times"],
    "tanh, repeated": ["tanh", "tanh of tanh", "tanh five times"],
    "softmax of (x, 0)": ["softmax of (x, 0): first", "softmax of (x, 0): second"],
}


def activation_functions(curves: pd.DataFrame) -> Figure:
    """Draw activation functions and their slopes.

    Parameters
    ----------
    curves : DataFrame
        As `lesionbook.operations.activation_functions` gives it: ``function, x, value, slope``.

    Returns
    -------
    Figure
        A row per family: the functions at the left, their slopes at the right.
    """
    figure = style.figure(8.4)
    axes = figure.subplots(len(_FAMILIES), 2, sharex=True)
    by_function = curves.groupby("function")
    for row, (title, names) in zip(axes, _FAMILIES.items(), strict=True):
        for name, colour, line in zip(names, style.CLASS_COLOURS, style.LINES, strict=False):
            curve = by_function.get_group(name).sort_values("x")
            label = name.removeprefix("softmax of (x, 0): ")
            for panel, column in zip(row, ["value", "slope"], strict=True):
                panel.plot(curve["x"], curve[column], color=colour, linestyle=line, label=label)
        row[0].set_title(title)
        row[1].set_title("slope")
        row[1].set_ylim(-0.3 if title.startswith("softmax") else -0.05, 1.05 if "softmax" not in title else 0.3)
        row[0].legend(loc="center right" if "softmax" in title else "upper left")
    axes[1, 0].set(ylim=(-0.05, 1.5), yticks=[0, 0.5, 1])  # room for the legend
    for panel in axes[-1]:
        panel.set_xlabel("x")
    return figure


def convolution(patch: np.ndarray, kernel: np.ndarray, result: np.ndarray, window: tuple[int, int] = (0, 0)) -> Figure:
    """Print a patch, a kernel and their convolution as numbers, and work one of them out.

    Parameters
    ----------
    patch : ndarray, shape (H, W)
        Grey values 0..255.
    kernel : ndarray, shape (h, w)
    result : ndarray, shape (H - h + 1, W - w + 1)
        As `lesionbook.operations.convolution_example` gives it.
    window : tuple of int
        Row and column of the number that is worked out.

    Returns
    -------
    Figure
        One axes in inches: the window outlined in the patch, its sum of products below, its number outlined at the
        right.
    """
    rows, columns = kernel.shape
    sentence = _sum(patch[window[0] :, window[1] :][:rows, :columns], kernel, result[window])
    height = CELL * len(patch) + 0.85 + 0.2 * sentence.count("\n")
    figure, axes = inches(CELL * (patch.shape[1] + columns + result.shape[1]) + 1.2, height)
    top, middle = 0.35, 0.35 + CELL * len(patch) / 2
    right = _cells(axes, patch, 0.05, top, _greys(patch), "patch of the image")
    _outline(axes, 0.05, top, window, (rows, columns))
    axes.text(right + 0.27, middle, "∗", ha="center", va="center", fontsize=18)
    left = right + 0.54
    right = _cells(axes, kernel, left, middle - CELL * rows / 2, _signed(kernel), "kernel")
    axes.text(right + 0.27, middle, "=", ha="center", va="center", fontsize=18)
    left, top = right + 0.54, middle - CELL * len(result) / 2
    _cells(axes, result, left, top, _signed(result), "result")
    _outline(axes, left, top, window, (1, 1))
    axes.text(0.05, 0.55 + CELL * len(patch), sentence, va="top", linespacing=1.4)
    return figure


def pooling(patch: np.ndarray, result: np.ndarray, size: int = 2) -> Figure:
    """Print a patch and its max-pooling as numbers.

    Parameters
    ----------
    patch : ndarray, shape (H, W)
        Grey values 0..255.
    result : ndarray, shape (H // size, W // size)
        As `lesionbook.operations.pooling_example` gives it.
    size : int
        Side of the windows.

    Returns
    -------
    Figure
        One axes in inches: the windows outlined, the largest number of each in bold and marked.
    """
    figure, axes = inches(CELL * (patch.shape[1] + result.shape[1]) + 1.1, CELL * len(patch) + 0.45)
    top, middle = 0.35, 0.35 + CELL * len(patch) / 2
    greatest = np.kron(result, np.ones((size, size)))
    whole = tuple(slice(0, side) for side in greatest.shape)
    chosen = np.zeros(patch.shape, dtype=bool)
    chosen[whole] = patch[whole] == greatest
    right = _cells(axes, patch, 0.05, top, _greys(patch), "patch of the image", chosen)
    for place in np.ndindex(result.shape):
        _outline(axes, 0.05, top, (place[0] * size, place[1] * size), (size, size))
    axes.text(right + 0.43, middle, "→", ha="center", va="center", fontsize=22)
    left, top = right + 0.86, middle - CELL * len(result) / 2
    _cells(axes, result, left, top, _greys(result), "largest of each")
    for place in np.ndindex(result.shape):
        _outline(axes, left, top, place, (1, 1))
    return figure


def filters(image: np.ndarray, filtered: dict[str, np.ndarray], kernels: dict[str, np.ndarray]) -> Figure:
    """Draw an image and what well-known kernels make of it, with the numbers of the kernels.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    filtered : dict of ndarray of float, shape (H, W)
        As `lesionbook.operations.filtered` gives it.
    kernels : dict of ndarray
        By the same names. Results of kernels that sum up to 0 are drawn about grey, others on the scale 0..255.

    Returns
    -------
    Figure
        Three panels in a row, the image first.
    """
    rows = -(-(len(filtered) + 1) // 3)
    ratio = image.shape[0] / image.shape[1]
    figure = style.figure(rows * (2.3 * ratio + 0.9), layout="compressed")
    axes = figure.subplots(rows, 3).ravel()
    picture(axes[0], image, "the image")
    for panel, (name, values) in zip(axes[1:], filtered.items(), strict=False):
        balanced = abs(kernels[name].sum()) < 1e-9
        extreme = max(np.abs(values).max(), 1e-9)
        limits = {"vmin": -extreme, "vmax": extreme} if balanced else {"vmin": 0, "vmax": 255}
        picture(panel, values, name, cmap="gray", **limits)
        numbers = "\n".join("  ".join(f"{brief(value):>3}" for value in line) for line in kernels[name])
        panel.set_xlabel(numbers, family="DejaVu Sans Mono", fontsize=style.SMALL, linespacing=1.3)
    for panel in axes[len(filtered) + 1 :]:
        panel.set_axis_off()
    return figure


def picture(axes: Axes, values: np.ndarray, title: str = "", **scale: object) -> AxesImage:
    """Put an image or a map on bare axes."""
    drawn = axes.imshow(values, aspect="equal", interpolation="nearest", **scale)
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    if title:
        axes.set_title(title, fontsize=style.SMALL, pad=3, loc="center", linespacing=1.15)
    return drawn


def inches(width: float, height: float) -> tuple[Figure, Axes]:
    """Make a figure with one bare axes measured in inches from the top left."""
    figure = style.figure(height, width=min(width, style.WIDTH), layout="none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    return figure, axes


def brief(value: float) -> str:
    """Write 34, −2, 77.8, 0.24, 1/9 or 3e−5: as short as a cell needs."""
    fraction = Fraction(float(value)).limit_denominator(16)
    if value == round(value) or abs(value) >= 100:
        text = f"{value:.0f}"
    elif abs(value) >= 1:
        text = f"{value:.3g}"
    else:
        text = f"{value:.2g}" if abs(value) >= 0.001 else f"{value:.0e}".replace("e-0", "e-")
        if float(text) != value and abs(fraction - value) < 1e-9:
            text = str(fraction)
    return text.replace("-", "−")


def _sum(seen: np.ndarray, kernel: np.ndarray, total: float) -> str:
    """Write the sum of products out, in lines; products with 0 are left out."""
    terms = ""
    for weight, value in zip(kernel.flat, seen.flat, strict=True):
        if weight:
            sign = " −\N{NO-BREAK SPACE}" if weight < 0 else " +\N{NO-BREAK SPACE}" if terms else " "
            terms += f"{sign}{brief(abs(weight))}·{brief(value)}"
    return textwrap.fill(f"outlined:{terms} = {brief(total)}", 88)


def _greys(values: np.ndarray) -> np.ndarray:
    """Colours of grey values 0..255."""
    return colormaps["gray"](Normalize(0, 255)(values.astype(float)))


def _signed(values: np.ndarray) -> np.ndarray:
    """Colours that tell the sign, pale enough for numbers."""
    extreme = 2.2 * max(np.abs(values).max(), 1e-12)
    return colormaps[style.DIVERGING](Normalize(-extreme, extreme)(values.astype(float)))


def _cells(
    axes: Axes,
    values: np.ndarray,
    left: float,
    top: float,
    colours: np.ndarray,
    title: str,
    bold: np.ndarray | None = None,
) -> float:
    """Print numbers in coloured cells under a title; gives the place of the right border."""
    for row, column in np.ndindex(values.shape):
        x, y = left + column * CELL, top + row * CELL
        axes.add_patch(Rectangle((x, y), CELL, CELL, facecolor=colours[row, column], edgecolor="white", lw=1))
        axes.text(
            x + CELL / 2,
            y + CELL / 2,
            brief(values[row, column]),
            ha="center",
            va="center",
            fontsize=style.NORMAL - 0.5,
            color=style.ink_on(colours[row, column]),
            fontweight="bold" if bold is not None and bold[row, column] else "normal",
        )
    width = values.shape[1] * CELL
    axes.text(left + width / 2, top - 0.1, title, ha="center", va="bottom")
    return left + width


def _outline(axes: Axes, left: float, top: float, place: tuple[int, int], shape: tuple[int, int]) -> None:
    """Frame cells, with a light rim that shows on dark ones."""
    corner = (left + place[1] * CELL, top + place[0] * CELL)
    for colour, line, level in [("white", 4.5, 3), (style.BAR_DARK, 2.5, 4)]:
        frame = Rectangle(corner, shape[1] * CELL, shape[0] * CELL, fill=False, edgecolor=colour, lw=line, zorder=level)
        axes.add_patch(frame)
