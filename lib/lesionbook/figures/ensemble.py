"""Several models and their mean: scores on both sides, and errors that coincide."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lesionbook.figures import style

_SIDES = {"val": ("validation", -0.17, style.ACCENT, "s"), "test": ("test", 0.17, style.BAR_DARK, "o")}


def scores(after: pd.DataFrame, before: pd.DataFrame) -> Figure:
    """Draw scores of models and of their mean on validation and test images, a panel per score.

    Parameters
    ----------
    after : DataFrame
        From `ensemble.scores`, the last model being the ensemble; drawn filled.
    before : DataFrame
        The same of some of the models before their views were averaged; drawn hollow, joined to what became of it.

    Returns
    -------
    Figure
        One axes per score, sharing the rows of the models.
    """
    models = list(dict.fromkeys(after.index.get_level_values("model")))
    figure = style.figure(1.2 + 0.44 * len(models))
    panels = figure.subplots(1, after.shape[1], sharey=True)
    for axes, score in zip(panels, after.columns, strict=True):
        for (model, split), value in after[score].items():
            _, shift, colour, marker = _SIDES[split]
            y = models.index(model) + shift
            if (model, split) in before.index:
                earlier = before.loc[(model, split), score]
                axes.plot([earlier, value], [y, y], color=colour, lw=1.2, label="_change")
                axes.plot(earlier, y, marker, mfc="white", mec=colour, ms=5.5, label="_before")
            axes.plot(value, y, marker, color=colour, ms=5.5, label="_after")
        axes.axhspan(len(models) - 1.5, len(models) - 0.5, color="#eef2f6", zorder=0)
        axes.set_title(textwrap.fill(style.score_name(score), 10), fontsize=style.NORMAL)
        axes.set_xlabel("← better" if score == "log_loss" else "better →", fontsize=style.SMALL)
        axes.xaxis.set_major_locator(MaxNLocator(2))
        axes.margins(x=0.12)
        axes.tick_params(axis="y", length=0)
        style.only_grid(axes, "x")
    panels[0].set_yticks(range(len(models)), models)
    panels[0].set_ylim(len(models) - 0.5, -0.5)
    for name, _, colour, marker in _SIDES.values():
        panels[0].plot([], [], marker, color=colour, ms=5.5, label=name)
    panels[0].plot([], [], "o", mfc="white", mec=style.FAINT, ms=5.5, label="before averaging views")
    figure.legend(loc="outside upper right", ncols=3)
    return figure


def agreement(pairs: pd.DataFrame) -> Figure:
    """Draw how often two models are wrong on the same image, shaded by the correlation of their errors.

    Parameters
    ----------
    pairs : DataFrame
        From `ensemble.agreement`, two models or more.

    Returns
    -------
    Figure
        One axes with the correlations as image (the upper half masked) and a colour bar. A cell says which share of the
        images both get wrong, above the share if errors were independent; on the diagonal, what one gets wrong.
    """
    models = list(dict.fromkeys([*pairs["model"], *pairs["other"]]))
    size = len(models)
    shades = np.ma.masked_all((size, size))
    labels = [f"{textwrap.fill(name, 24)} ({k})" for k, name in enumerate(models, start=1)]
    margin = 1.3 + 0.085 * max(len(line) for label in labels for line in label.split("\n"))
    cell = min(1.0, (style.WIDTH - margin) / size)
    figure = style.figure(cell * size + 0.6, width=cell * size + margin)
    axes = figure.subplots()
    shade, reach = colormaps[style.DIVERGING], Normalize(-1, 1)
    alone = dict(zip(pairs["model"], pairs["wrong"], strict=True))
    alone |= dict(zip(pairs["other"], pairs["other_wrong"], strict=True))
    texts = [(models.index(name), models.index(name), f"{share:.0%}", style.INK) for name, share in alone.items()]
    for pair in pairs.itertuples():
        row, column = models.index(pair.other), models.index(pair.model)
        shades[row, column] = np.ma.masked_invalid(pair.correlation)
        ink = style.INK if np.isnan(pair.correlation) else style.ink_on(shade(reach(pair.correlation)))
        texts.append((row, column, f"{pair.both_wrong:.0%}\n({pair.if_independent:.0%})", ink))
    image = axes.imshow(shades, cmap=shade, norm=reach)
    for row, column, text, ink in texts:
        axes.text(column, row, text, ha="center", va="center", fontsize=style.SMALL, color=ink, linespacing=1.3)
    axes.set_xticks(range(size), [f"({k})" for k in range(1, size + 1)])
    axes.set_yticks(range(size), labels)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
    bar = figure.colorbar(image, ax=axes, aspect=25, pad=0.02)
    bar.set_label("correlation of the errors")
    bar.outline.set_visible(False)
    return figure
