"""What every figure of a report has to satisfy, whatever it shows."""

from itertools import combinations

import matplotlib.pyplot as plt
from matplotlib.text import Text


def _undrawn(figure):
    """Tick labels beyond the limits of their axis: they exist, but are not drawn."""
    beyond = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-6 * (high - low)
            for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
                if not low - slack <= tick.get_loc() <= high + slack or not axes.axison:
                    beyond.update([id(tick.label1), id(tick.label2)])
    return beyond


def texts(figure):
    """All texts that a reader sees, with their boxes in pixels."""
    figure.canvas.draw()
    beyond = _undrawn(figure)
    return [
        (text, text.get_window_extent())
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip() and id(text) not in beyond
    ]


def assert_legible(figure, turned=False):
    """No small print, no text cut by the border or lying on another one, nothing left behind in pyplot."""
    assert plt.get_fignums() == []
    assert figure.get_figwidth() <= 7.21
    found = texts(figure)
    assert found
    page = figure.bbox
    for text, box in found:
        assert text.get_fontsize() >= 8, text.get_text()
        cut = (box.x0 < page.x0 - 2, box.y0 < page.y0 - 2, box.x1 > page.x1 + 2, box.y1 > page.y1 + 2)
        assert not any(cut), (text.get_text(), box, page)
    for (first, one), (second, other) in combinations(found, 2):
        if turned and (first.get_rotation() or second.get_rotation()):
            continue  # the boxes of slanted texts overlap although the letters do not
        wide = min(one.x1, other.x1) - max(one.x0, other.x0)
        high = min(one.y1, other.y1) - max(one.y0, other.y0)
        assert min(wide, high) <= 2, (first.get_text(), second.get_text())


def shown_texts(figure):
    return [text.get_text() for text, _ in texts(figure)]
