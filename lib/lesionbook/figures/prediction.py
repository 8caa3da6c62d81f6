"""A picture beside where a network found evidence in it."""

import numpy as np
from matplotlib.figure import Figure

from lesionbook.figures import style

CELL = 3.1  # inches


def attention(image: np.ndarray, heat: np.ndarray | None) -> Figure:
    """Draw a picture and, beside it, the same picture with a heat map laid over it.

    Parameters
    ----------
    image : ndarray of uint8, shape (S, S, 3)
    heat : ndarray of float, shape (h, w), optional
        0..1, interpolated to the size of the picture; without it the picture stands alone.

    Returns
    -------
    Figure
        One axes, or two and a colour bar.
    """
    side = len(image)
    figure = style.figure(CELL + 0.35, width=CELL if heat is None else 2 * CELL + 0.75, layout="compressed")
    panels = figure.subplots(1, 1 if heat is None else 2, squeeze=False)[0]
    for axes in panels:
        axes.imshow(image)
        axes.set_axis_off()
    panels[0].set_title("The picture, cut or squeezed to a square", fontsize=style.NORMAL)
    if heat is not None:
        panels[1].set_title("Evidence for the answer (Grad-CAM)", fontsize=style.NORMAL)
        extent = (-0.5, side - 0.5, side - 0.5, -0.5)
        options = {"cmap": style.HEAT, "vmin": 0, "vmax": 1, "extent": extent, "interpolation": "bicubic"}
        drawn = panels[1].imshow(np.clip(heat, 0, 1), alpha=0.55, **options)
        bar = figure.colorbar(drawn, ax=list(panels), shrink=0.8, aspect=24, pad=0.02)
        bar.set_label("relative contribution")
        bar.set_ticks([0, 0.5, 1])
        bar.outline.set_visible(False)
    return figure
