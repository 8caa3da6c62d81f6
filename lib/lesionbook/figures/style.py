"""One look for all figures: fonts, widths, colours that colour-blind readers can tell apart."""

import textwrap
from collections.abc import Iterable, Sequence

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

# Inches. A page shows 96 pixels per inch, so this fills a text column of about 700 pixels.
WIDTH = 7.2
SMALL, NORMAL, LARGE = 8.5, 10, 11

INK, FAINT, MISSING = "#222222", "#8a8a8a", "#c9c9c9"
BAR, BAR_DARK, ACCENT = "#4a7fb0", "#24476b", "#d1672a"
# The first eight stay apart also for readers who lack red or green cones (a test measures it).
CLASS_COLOURS = [
    "#0072b2",
    "#e69f00",
    "#1b9e77",
    "#cc79a7",
    "#882255",
    "#56b4e9",
    "#8a8a3a",
    "#222222",
    "#d55e00",
    "#aaaaaa",
]
LINES = ["-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5))]
MARKERS = ["o", "s", "D", "^", "v", "P", "X", "*"]
SEQUENTIAL, DIVERGING, HEAT = "Blues", "PuOr_r", "viridis"

_SETTINGS = {
    "font.family": "DejaVu Sans",
    "font.size": NORMAL,
    "axes.titlesize": LARGE,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": NORMAL,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "xtick.labelsize": NORMAL - 0.5,
    "ytick.labelsize": NORMAL - 0.5,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "text.color": INK,
    "legend.fontsize": NORMAL - 0.5,
    "legend.frameon": False,
    "legend.title_fontsize": NORMAL - 0.5,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "image.interpolation": "nearest",
}


def apply() -> None:
    """Set matplotlib's defaults to the look of the reports; calling it again changes nothing."""
    mpl.rcParams.update(_SETTINGS)


def figure(height: float, width: float = WIDTH, layout: str = "constrained") -> Figure:
    """Make an empty figure in the look of the reports, `width` by `height` inches, laid out without overlaps.

    `layout` is "constrained", "compressed" (for panels of fixed proportions) or "none". The figure is not registered
    with pyplot, so that a notebook does not show it a second time and nothing has to be closed.
    """
    apply()
    made = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(made)
    return made


def class_palette(classes: Iterable[str]) -> dict[str, str | tuple[float, float, float]]:
    """Give each class a colour that depends on the set of classes only, not on their order.

    Parameters
    ----------
    classes : iterable of str
        Class names; doubles count once.

    Returns
    -------
    dict
        Name -> colour, in the order given. Beyond ten classes colours are spread over the hues.
    """
    names = list(dict.fromkeys(classes))
    colours = CLASS_COLOURS if len(names) <= len(CLASS_COLOURS) else sns.husl_palette(len(names), l=0.55)
    by_name = dict(zip(sorted(names), colours, strict=False))
    return {name: by_name[name] for name in names}


def long_name(key: object, names: dict[str, str] | None) -> str:
    """Write ``Melanoma (mel)`` where a long name is known, else the key itself."""
    known = (names or {}).get(key)
    return f"{known} ({key})" if known and known != key else str(key)


def short_name(key: object, names: dict[str, str] | None, width: int) -> str:
    """Write the long name where it is known, else the key, in lines of at most `width` characters."""
    return textwrap.fill(str((names or {}).get(key, key)), width, break_long_words=False)


def score_name(score: str) -> str:
    """Write ``macro AUC`` for ``macro_auc``."""
    words = {"auc": "AUC", "f1": "F1", "brier": "Brier score"}
    return " ".join(words.get(word, word) for word in score.split("_"))


def ink_on(colour: object) -> str:
    """Choose white or dark text for a background, whichever contrasts more (relative luminance as in WCAG 2)."""
    red, green, blue = np.power(mpl.colors.to_rgb(colour), 2.2)
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.21 else INK


def only_grid(axes: Axes, direction: str) -> None:
    """Keep the grid lines of the axis that is read ('x' or 'y', or '' for none)."""
    axes.grid(visible=False)
    if direction:
        axes.grid(visible=True, axis=direction)


def boxes(axes: Axes, groups: Sequence[np.ndarray], colours: Sequence[object]) -> None:
    """Draw a horizontal box plot of each group of numbers, the first at the top at y = 0.

    Boxes span the quartiles, whiskers reach to the last value within 1.5 box lengths (Tukey, 1977).
    """
    drawn = axes.boxplot(
        groups,
        positions=range(len(groups)),
        orientation="horizontal",
        widths=0.62,
        patch_artist=True,
        flierprops={"marker": ".", "markersize": 4, "markerfacecolor": FAINT, "markeredgecolor": "none"},
        medianprops={"color": INK, "linewidth": 1.8},
    )
    for box, colour in zip(drawn["boxes"], colours, strict=True):
        box.set(facecolor=colour, edgecolor=INK, linewidth=0.9, alpha=0.85)
    for line in drawn["whiskers"] + drawn["caps"]:
        line.set(color=INK, linewidth=0.9)
    axes.set_ylim(len(groups) - 0.5, -0.5)
