import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from matplotlib.patches import Rectangle

from lesionbook.figures import architecture

pytestmark = pytest.mark.filterwarnings("error")


def network(blocks, repeats=1):
    """A plain network: an input, then blocks of four layers whose maps halve and channels double."""
    layers = [("input", "InputLayer", "64×64×3", 0, "input")]
    for number in range(blocks):
        side, channels = 64 >> number // repeats, 8 << number // repeats
        for kind, parameters in [("Conv2D", 72 * channels), ("BatchNormalization", 4 * channels), ("ReLU", 0)]:
            layers.append(
                (f"b{number}_{kind.lower()}", kind, f"{side}×{side}×{channels}", parameters, f"block{number}")
            )
    layers.append(("predictions", "Dense", "7", 903, "head"))
    return pd.DataFrame(layers, columns=["name", "kind", "output_shape", "parameters", "block"])


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        ("InputLayer", "input"),
        ("SeparableConv2D", "convolution"),
        ("GlobalAveragePooling2D", "pooling"),
        ("ZeroPadding2D", "other"),
        ("BatchNormalization", "normalization"),
        ("Add", "merge"),
        ("Concatenate", "merge"),
        ("ReLU", "activation"),
        ("Softmax", "activation"),
        ("Dense", "dense"),
        ("Rescaling", "other"),
    ],
)
def test_family(kind, family):
    assert architecture.family(kind) == family


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("56×56×128", (56, 128)), ("(None, 7, 7, 512)", (7, 512)), ("(None, 512)", (1, 512)), ("", (1, 1))],
)
def test_sizes(text, numbers):
    assert architecture.sizes(text) == numbers


def test_few_layers_are_drawn_one_by_one():
    layers = network(3)
    assert architecture.rows(layers)["name"].tolist() == layers["name"].tolist()


def test_many_layers_are_gathered_and_none_lost():
    layers = network(14, repeats=7)
    table = architecture.rows(layers, limit=20)
    assert table["block"].tolist() == ["input", *[f"block{n}" for n in range(14)], "head"]
    assert table["parameters"].sum() == layers["parameters"].sum()
    assert table.loc[1, "kinds"] == ["Conv2D", "BatchNormalization", "ReLU"]
    joined = architecture.rows(layers, limit=10)
    assert joined["times"].tolist() == [1, 7, 7, 1]
    assert joined["parameters"].sum() == layers["parameters"].sum()
    assert (joined["kinds"].map(len) * joined["times"]).sum() == len(layers)


@pytest.mark.parametrize(("blocks", "limit"), [(4, 36), (14, 36), (14, 10)])
def test_drawing(blocks, limit):
    layers = network(blocks, repeats=max(1, blocks // 4))
    figure = architecture.drawing(layers, limit=limit)
    boxes = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle) and patch.get_gid()]
    table = architecture.rows(layers, limit)
    assert len(boxes) == table["kinds"].map(len).sum()
    first, last = boxes[0], boxes[-1]
    assert first.get_width() > 5 * last.get_width()  # side 64 against 1
    assert last.get_height() > first.get_height()  # 7 channels against 3
    found = shown_texts(figure)
    assert {"903", "input", "head", "64×64×3"} <= set(found)
    assert f"{table.loc[1, 'parameters']:,}" in found
    assert figure.get_figheight() < 10
    assert_legible(figure)
