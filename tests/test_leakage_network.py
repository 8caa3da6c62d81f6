import numpy as np
import pandas as pd
import pytest

from lesionbook import leakage, leakage_network
from lesionbook.batches import Batches
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Recipe

RECIPE = Recipe(epochs=20, batch_size=16, learning_rate=0.01)
OPTIONS = {"widths": [16, 32], "blocks": [1, 1], "dropout": 0.0}


def made(lesions, per_lesion):
    """Noise that says nothing of its class; photographs of one lesion are the same to the pixel."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(lesions), per_lesion)
    index = pd.DataFrame({"label": np.array(["a", "b"])[groups % 2], "group": groups.astype(str)})
    return index, {"images": rng.integers(0, 256, (lesions, 16, 16, 3), dtype=np.uint8)[groups]}


def scores(index, given, fractions):
    """Accuracies of the network under both kinds of split."""
    model = leakage_network.learner(RECIPE, OPTIONS)
    results = leakage.compare_splits(index, given, model, fractions=fractions, repetitions=1, seed=1)
    return results.set_index("split")


@pytest.mark.usefixtures("one_thread")
def test_a_network_that_knows_siblings_by_heart_scores_better_by_image():
    found = scores(*made(lesions=60, per_lesion=5), fractions=(0.4, 0.2, 0.4))
    assert (found["training"] > 0.95).all()
    assert found.loc[leakage.LEAKY, "siblings"] > 0.8
    assert found.loc[leakage.LEAKY, "accuracy"] > 0.8
    assert found.loc[leakage.CLEAN, "accuracy"] < 0.7  # there is nothing to learn


@pytest.mark.usefixtures("one_thread")
def test_without_siblings_both_splits_are_worth_the_same():
    found = scores(*made(lesions=200, per_lesion=1), fractions=(0.2, 0.2, 0.6))
    assert (found["training"] > 0.95).all()
    assert (found["siblings"] == 0).all()
    assert found["accuracy"].tolist() == pytest.approx([0.5, 0.5], abs=0.15)


@pytest.mark.usefixtures("one_thread")
def test_the_seed_decides_the_network(monkeypatch):
    index, given = made(lesions=20, per_lesion=2)
    started = []
    start = Batches.start
    monkeypatch.setattr(Batches, "start", lambda self, epoch: (started.append(epoch), start(self, epoch)))
    recipe = Recipe(epochs=3, batch_size=16)
    one, same, other = (
        leakage_network.Network(recipe, OPTIONS, seed=seed).fit(given["images"], index["label"]).model.get_weights()
        for seed in (1, 1, 2)
    )
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))
    assert started == [0, 0, 1, 2] * 3  # every epoch has its own order


@pytest.mark.parametrize("wish", [{"schedule": "plateau"}, {"feature_variants": 2}, {"loss": "binary_crossentropy"}])
def test_a_recipe_that_needs_more_than_images_is_refused(wish):
    with pytest.raises(LesionbookError, match=r"^leakage: its network is trained on images alone"):
        leakage_network.Network(Recipe(**wish), OPTIONS, seed=1)
