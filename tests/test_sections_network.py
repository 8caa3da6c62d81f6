import pandas as pd
import pytest
from caught_report import caught

from lesionbook import fitting, training
from lesionbook.architectures.plain_cnn import plain_cnn
from lesionbook.recipes import FineTuning, Recipe
from lesionbook.sections import network


@pytest.fixture
def shown(monkeypatch):
    training.begin(seed=1, threads=1)
    return caught(monkeypatch)


def test_blocks_are_listed_in_their_order_and_one_that_is_interrupted_in_parts(shown):
    model = plain_cnn(image_size=32, classes=2, filters=[2, 2, 3])
    size = network.architecture(model)
    table = shown.tables["parameters"]
    assert table["parameters"].sum() == size["total"] == model.count_params()
    assert table["layers"].sum() == len(model.layers)
    assert (table["block"] != table["block"].shift()).all()
    sides = [int(shape.split(" × ")[0]) for shape in table["output"] if shape.count("×") == 2]
    assert sides == sorted(sides, reverse=True)  # feature maps get smaller from row to row
    assert "in the first phase" not in shown.captions["tbl-parameters"]


def test_a_network_that_is_fine_tuned_has_its_first_phase_counted(shown):
    network.architecture(plain_cnn(image_size=32, classes=2, filters=[2]), fine_tuned=True)
    assert "trained in the first phase" in shown.captions["tbl-parameters"]


def history(phases):
    rows = [
        dict.fromkeys(fitting.HISTORY, score) | {"epoch": epoch} for epoch, score in enumerate((0.6, 0.9, 0.7, 0.8), 1)
    ]
    return pd.DataFrame(rows).assign(phase=phases)


@pytest.mark.parametrize(
    ("phases", "said"),
    [([1] * 4, "epoch 2 are kept, the best by"), ([1, 1, 2, 2], "epoch 4 are kept, the best of the second phase by")],
)
def test_the_epoch_that_is_kept_is_named(shown, phases, said):
    network.learning_curves(history(phases), Recipe(monitor="val_accuracy"))
    assert said in shown.captions["fig-curves"]


def test_the_layers_of_the_second_phase_are_told_in_words(shown):
    network.recipe(Recipe(), FineTuning(last=30))
    table = shown.tables["recipe"].set_index("knob")
    assert table.loc["layers that learn"].tolist() == ["–", "the last 30"]
