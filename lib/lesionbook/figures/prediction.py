"""A picture, and where a network found evidence in it."""

import numpy as np
from matplotlib.figure import Figure

from lesionbook.figures import style

CELL = 3.6  # inches


def attention(image: np.ndarray, heat: np.ndarray | None = None) -> Figure:
    """Draw a picture, or the picture with a heat map laid over it.

    Parameters
    ----------
    image : ndarray of uint8, shape (S, S, 3)
    heat : ndarray of float, shape (h, w), optional
        0..1, interpolated to the size of the picture.

    Returns
    -------
    Figure
        One axes, and a colour bar below it where there is a heat map.
    """
    side = len(image)
    figure = style.figure(CELL + (0.31 if heat is None else 0.9), width=CELL, layout="compressed")
    axes = figure.subplots()
    axes.imshow(image)
    axes.set_axis_off()
    title = "The picture, cut or squeezed to a square" if heat is None else "Evidence for the answer (Grad-CAM)"
    axes.set_title(title, fontsize=style.NORMAL)
    if heat is not None:
        extent = (-0.5, side - 0.5, side - 0.5, -0.5)
        options = {"cmap": style.HEAT, "vmin": 0, "vmax": 1, "extent": extent, "interpolation": "bicubic"}
        drawn = axes.imshow(np.clip(heat, 0, 1), alpha=0.55, **options)
        bar = figure.colorbar(drawn, ax=axes, location="bottom", shrink=0.8, aspect=24, pad=0.02)
        bar.set_label("relative contribution")
        bar.set_ticks([0, 0.5, 1])
        bar.outline.set_visible(False)
    return figure
