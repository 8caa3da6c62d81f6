import numpy as np
import pandas as pd

from lesionbook import leakage, leakage_results
from lesionbook.images import Rows


def made(lesions=60, per_lesion=3, classes=3, seed=0):
    """Images whose pixels say much of their lesion and nothing of their class."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(lesions), per_lesion)
    labels = np.array(["a", "b", "c"])[:classes][rng.integers(0, classes, lesions)][groups]
    values = rng.normal(size=(lesions, 8))[groups] + 0.05 * rng.normal(size=(len(groups), 8))
    index = pd.DataFrame({"label": labels, "group": [f"g{group}" for group in groups]})
    return index, {"colours": values, "thumbnails": values, "both": values}


def test_a_split_by_image_keeps_the_sizes_and_mixes_the_groups():
    index, _ = made()
    groups = pd.factorize(index["group"])[0]
    clean = leakage.splits.by_group(index["label"], groups, (0.6, 0.2, 0.2), seed=1)
    leaky = leakage.by_image(clean, index["label"], seed=1)
    counts = [pd.crosstab(index["label"].to_numpy(), sides) for sides in (clean, leaky)]
    assert counts[0].equals(counts[1])
    assert np.isin(groups[leaky == "test"], groups[leaky == "train"]).mean() > 0.5
    assert not np.isin(groups[clean == "test"], groups[clean == "train"]).any()
    assert (leaky == leakage.by_image(clean, index["label"], seed=1)).all()


def test_a_model_that_remembers_gains_by_a_split_by_image_and_one_that_cannot_does_not():
    index, given = made()
    models = leakage.learners()
    results = leakage.compare_splits(index, given, models, fractions=(0.6, 0.2, 0.2), repetitions=6, seed=1)
    assert len(results) == 6 * 2 * 3
    siblings = results.groupby("split")["siblings"].max()
    assert siblings[leakage.CLEAN] == 0
    assert siblings[leakage.LEAKY] > 0.5
    worth = leakage_results.differences(results, ratio=1 / 3).set_index(["model", "score"])
    nearest = worth.loc[("nearest neighbour", "accuracy")]
    assert nearest["low"] > 0.2
    assert nearest["by group"] < 0.55  # nothing is to be learned
    linear = worth.loc[("logistic regression", "accuracy")]
    assert abs(linear["difference"]) < nearest["difference"] / 2
    assert (
        worth.loc[("nearest neighbour", "accuracy_alone"), "difference"]
        != worth.loc[("nearest neighbour", "accuracy_alone"), "difference"]
    ), "no image stands alone here"
    known = results.groupby("model")["training"].mean()
    assert known["nearest neighbour"] == known["random forest"] == 1
    assert known["logistic regression"] < 1


def test_two_runs_are_the_same():
    index, given = made(lesions=30)
    one, two = (
        leakage.compare_splits(index, given, leakage.learners(), fractions=(0.6, 0.2, 0.2), repetitions=2, seed=3)
        for _ in range(2)
    )
    assert one.equals(two)


def test_models_are_given_colours_thumbnails_and_small_images():
    images = np.repeat(np.array([10, 200], dtype=np.uint8), 48 * 48 * 3).reshape(2, 48, 48, 3)
    rows = Rows(pd.DataFrame({"label": ["a", "b"]}), ["a", "b"], images, np.array([1, 0]))
    given = leakage.inputs(rows, pd.DataFrame({"mean": [200.0, 10.0]}), side=32)
    assert given["images"].shape == (2, 32, 32, 3)
    assert given["images"].dtype == np.uint8
    assert given["images"][:, 5, 5, 0].tolist() == [200, 10]
    assert (given["thumbnails"] == [[200.0] * 432, [10.0] * 432]).all()
    assert given["both"].shape == (2, 433)
