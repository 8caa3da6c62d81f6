import numpy as np
import pandas as pd
import pytest

from lesionbook import reused_validation


def noise(images=600, seed=0):
    """Features that say nothing: every setting is as good as any other."""
    rng = np.random.default_rng(seed)
    index = pd.DataFrame(
        {"label": rng.permutation(np.repeat(["a", "b"], images // 2)), "group": [f"g{k}" for k in range(images)]}
    )
    return index, rng.normal(size=(images, 6))


@pytest.fixture(scope="module")
def found():
    index, values = noise()
    return reused_validation.reuse(
        index, values, fractions=(0.6, 0.2, 0.2), sizes=(20, 60, 5000), repetitions=12, seed=1
    )


def test_sizes_that_a_split_cannot_give_become_all_images(found):
    assert sorted(found["size"].unique()) == [20, 60, 120]
    assert set(found["settings"]) == {40}
    assert len(found) == 36


def test_the_chosen_setting_looks_better_where_it_was_chosen_and_is_worth_a_coin(found):
    table = reused_validation.optimism(found, ratio=1 / 3).set_index("size")
    assert table["test"].mean() == pytest.approx(0.5, abs=0.04)
    assert table.loc[20, "difference"] > table.loc[120, "difference"] > 0
    assert table.loc[20, "low"] > 0.05


def test_neighbours_are_those_of_scikit_learn():
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    index, values = noise(200)
    labels = index["label"].to_numpy()
    train, asked = np.arange(150), np.arange(150, 200)
    right = reused_validation._neighbours(values, labels, train, asked, np.random.default_rng(0))
    scaler = StandardScaler().fit(values[train])
    for row, k in enumerate(reused_validation.NEIGHBOURS):
        model = KNeighborsClassifier(k).fit(scaler.transform(values[train]), labels[train])
        assert (right[row] == (model.predict(scaler.transform(values[asked])) == labels[asked])).all()
