from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from made_predictions import made
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from lesionbook import classwise
from lesionbook.figures import matrices

pytestmark = pytest.mark.filterwarnings("error")
NINE = [
    "colour statistics",
    "residual CNN",
    "VGG16, frozen",
    "ResNet50V2, frozen",
    "ResNet50V2, frozen, augmented",
    "EfficientNetV2-B0, frozen",
    "image and metadata",
    "ensemble",
    "test-time augmentation",
]


def tiles(figure):
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def test_pairs_hold_the_difference_and_the_verdict_of_the_row():
    table = pd.DataFrame(
        [("b", "a", 0.1, "better"), ("c", "a", -0.2, "worse"), ("c", "b", 0.0, "not told apart")],
        columns=["model", "reference", "difference", "verdict"],
    )
    figure = matrices.pairs(table)
    found = {
        (round(tile.get_x() + 0.48), round(tile.get_y() + 0.47)): to_hex(tile.get_facecolor()) for tile in tiles(figure)
    }
    assert found == {
        (0, 0): matrices.VERDICTS["better"],
        (0, 1): matrices.VERDICTS["worse"],
        (1, 1): matrices.VERDICTS["not told apart"],
    }
    assert {"+0.100\nbetter", "−0.200\nworse", "0.000\n?", "2  b", "3  c"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_nine_models_in_pairs():
    rng = np.random.default_rng(0)
    rows = [
        (b, a, rng.normal(scale=0.1), list(matrices.VERDICTS)[k % 3]) for k, (a, b) in enumerate(combinations(NINE, 2))
    ]
    figure = matrices.pairs(pd.DataFrame(rows, columns=["model", "reference", "difference", "verdict"]))
    assert len(tiles(figure)) == 36
    assert_legible(figure)


def test_two_models():
    table = pd.DataFrame([("b", "a", 0.1, "better")], columns=["model", "reference", "difference", "verdict"])
    assert_legible(matrices.pairs(table))


@pytest.mark.parametrize("classes", [["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"], ["normal", "metastasis"]])
def test_classes_of_nine_models(classes):
    parts = [
        classwise.intervals(made(n=100, classes=classes, seed=seed), repeats=30, seed=0).assign(model=model)
        for seed, model in enumerate(NINE)
    ]
    table = pd.concat(parts)
    figure = matrices.classes(table, names={"metastasis": "Metastasis in the centre"})
    assert len(tiles(figure)) == 9 * len(classes)
    row = table[table["score"] == "recall"].iloc[0]
    assert {f"{row['estimate']:.2f}", f"{row['low']:.2f}–{row['high']:.2f}"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_a_class_without_images_has_a_dash():
    table = classwise.intervals(made(n=100).assign(p_zzz=0.0), repeats=30, seed=0).assign(model="a")
    assert "–" in shown_texts(matrices.classes(table))
