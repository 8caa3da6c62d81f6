import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from small_tuning import made_trials

from lesionbook.figures import search as figures
from lesionbook.tuning import runs

pytestmark = pytest.mark.filterwarnings("error")

FOUND = made_trials()
TRIED = ["filters 1", "filters 2", "filters 3", "recipe.learning_rate", "recipe.augmentation.horizontal_flip"]
RATES = ["recipe.learning_rate"]


def drawn(axes, label):
    return [line for line in axes.lines if line.get_label() == label]


def test_best_so_far_has_a_line_per_seed_and_their_mean():
    figure = figures.best_so_far(FOUND, "val_accuracy")
    (axes,) = figure.axes
    assert len(drawn(axes, "_seed")) == 4
    (mean,) = drawn(axes, "random")
    ends = FOUND[FOUND["search"] == "random"].groupby("seed")["best"].last()
    assert np.nanmax(mean.get_ydata()) == pytest.approx(ends.mean())
    assert mean.get_xdata()[-1] == FOUND["spent"].max()
    assert_legible(figure)


def test_history_shows_every_trial_with_its_state():
    figure = figures.history(FOUND, "val_accuracy")
    for axes, (_, part) in zip(figure.axes, FOUND.groupby("search", sort=False), strict=True):
        dots = [value for line in drawn(axes, "_trial") for value in line.get_ydata()]
        assert sorted(dots) == sorted(part["score"].dropna())
        below = {line.get_marker(): len(line.get_xdata()) for line in drawn(axes, "_below")}
        assert below == {"|": (part["state"] == runs.PRUNED).sum(), "x": (part["state"] == runs.DIVERGED).sum()}
        assert sum(below.values()) + len(dots) == len(part)
    assert_legible(figure)


def test_importance_says_shares_and_what_is_not_known():
    shares = pd.DataFrame({"random": [0.7, 0.3, np.nan], "TPE with pruning, all": [0.5, 0.25, 0.25]}, index=TRIED[2:])
    figure = figures.importance(shares)
    found = shown_texts(figure)
    assert {" 70%", " –", "learning rate", "horizontal flip"} <= set(found)
    assert_legible(figure)
    assert_legible(figures.importance(shares * np.nan))


def test_parallel_coordinates_run_through_what_was_tried():
    figure = figures.parallel(FOUND, TRIED, RATES, "val_accuracy")
    axes = figure.axes[0]
    lines = [line for line in axes.lines if len(line.get_xdata()) == len(TRIED)]
    whole = FOUND[FOUND["state"] == runs.COMPLETE]
    assert len(lines) == len(whole)
    heights = np.array([line.get_ydata() for line in lines])
    assert heights.min(axis=0).tolist() == [0] * len(TRIED)
    assert heights.max(axis=0).tolist() == pytest.approx([1] * len(TRIED))
    middle = np.argsort(heights[:, 3])  # spread by powers of ten, lines drawn from the worst to the best
    rates = np.log10(whole.sort_values("score")["recipe.learning_rate"].to_numpy()[middle])
    assert heights[middle, 3] == pytest.approx((rates - rates[0]) / (rates[-1] - rates[0]))
    assert {"no", "yes", "learning\nrate"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_every_name_stands_at_its_height():
    kinds = np.array(["leaky_relu", "relu", "sigmoid", "tanh"])
    found = FOUND.assign(activation=kinds[np.arange(len(FOUND)) % 4])
    figure = figures.parallel(found, [*TRIED[:2], "activation"], [], "val_accuracy")
    words = {text.get_text(): text.get_position() for text in figure.axes[0].texts if text.get_position()[0] == 2}
    assert list(words) == ["leaky ReLU", "ReLU", "sigmoid", "tanh"]
    assert [words[name][1] for name in ("ReLU", "sigmoid")] == pytest.approx([1 / 3, 2 / 3])
    assert_legible(figure)


def test_slices_leave_out_what_a_search_did_not_try():
    found = FOUND.astype({TRIED[4]: object})
    found.loc[found["search"] == "random", TRIED[3:]] = np.nan
    figure = figures.slices(found, TRIED, RATES, "val_accuracy")
    whole = found[found["state"] == runs.COMPLETE]
    panels = [axes for axes in figure.axes if axes.get_visible()]
    counts = [len(axes.collections[0].get_offsets()) for axes in panels]
    assert counts == [whole[name].notna().sum() for name in TRIED]
    assert [axes.get_title(loc="left") for axes in panels][3:] == ["learning rate", "horizontal flip"]
    assert panels[3].get_xscale() == "log"
    assert_legible(figure)


def test_slices_of_sizes_and_names_are_legible():
    rng = np.random.default_rng(1)
    sizes, kinds = (1, 2, 8, 16, 32, 64, 128, 256), ("leaky_relu", "relu", "sigmoid", "tanh")
    found = FOUND.assign(
        **{"recipe.batch_size": rng.choice(sizes, len(FOUND)), "activation": rng.choice(kinds, len(FOUND))}
    )
    powers = ["recipe.batch_size"]
    figure = figures.slices(found, [*TRIED[:2], "recipe.batch_size", "activation"], powers, "val_accuracy")
    assert [axes.get_xscale() for axes in figure.axes] == ["linear", "linear", "log", "linear"]
    assert {"1", "32", "256", "leaky ReLU", "sigmoid", "tanh"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_a_falling_score_turns_the_colours():
    rising = figures.parallel(FOUND, TRIED, RATES, "val_accuracy").axes[0].lines
    falling = figures.parallel(FOUND, TRIED, RATES, "val_loss").axes[0].lines
    assert rising[-len(TRIED) - 1].get_color() == falling[-len(TRIED) - 1].get_color()


def test_one_trial_or_one_search_is_drawn_as_well():
    one = FOUND.head(1)
    for figure in (
        figures.best_so_far(one, "val_loss"),
        figures.history(one, "val_loss"),
        figures.slices(one, TRIED[:1], [], "val_loss"),
    ):
        assert_legible(figure)
