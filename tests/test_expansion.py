import numpy as np
import pandas as pd
import pytest

from lesionbook import augmentation, expansion
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Augmentation
from lesionbook.study import Variants

CHANGES = Augmentation(rotation_degrees=45, horizontal_flip=True)


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    array = rng.integers(0, 256, size=(12, 16, 16, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", array)
    ids = [f"i{k}" for k in range(12)]
    index = pd.DataFrame(
        {
            "image_id": ids,
            "group": ids,
            "label": ["melanoma"] * 4 + ["other"] * 8,
            "diagnosis": ["melanoma"] * 4 + ["nevus"] * 4 + ["keratosis"] * 4,
            "split": ["train", "train", "val", "test"] * 3,
        }
    )
    return tmp_path / "images.npy", array, index


def test_variants_take_the_place_of_training_images_and_of_nothing_else(store):
    path, array, index = store
    wanted = Variants(images={"melanoma": 9, "nevus": 3, "keratosis": 5}, per_image=6, augmentation=CHANGES)
    expanded = expansion.expand(path, index, wanted, seed=3)
    new = np.load(path)
    assert len(expanded) == len(new) == 6 + 17
    held_out = expanded["split"] != "train"
    assert np.array_equal(new[held_out], array[index["split"] != "train"])
    assert expanded.loc[~held_out, "diagnosis"].value_counts().to_dict() == {"melanoma": 9, "keratosis": 5, "nevus": 3}
    assert expanded["image_id"].is_unique
    sides = expanded.groupby("source_id")["split"].nunique()
    assert sides.max() == 1
    assert set(expanded.loc[~held_out, "source_id"]) <= set(index.loc[index["split"] == "train", "image_id"])


def test_each_variant_is_the_one_that_its_number_names(store):
    path, array, index = store
    wanted = Variants(images={"melanoma": 4}, per_image=5, augmentation=CHANGES)
    expanded = expansion.expand(path, index, wanted, seed=3)
    new = np.load(path)
    variants = expanded[expanded["split"] == "train"]
    assert len(variants) == 4
    for row, one in variants.iterrows():
        source = int(one["source_id"][1:])
        number = int(one["image_id"].rsplit("-v")[1])
        key = augmentation.keys([one["source_id"]])[0]
        assert np.array_equal(new[row], augmentation.augment(array[source], CHANGES, seed=3, epoch=number, key=key))


def test_the_seed_decides_the_choice(store):
    path, array, index = store
    wanted = Variants(images={"melanoma": 5, "nevus": 5}, per_image=35, augmentation=CHANGES)
    chosen = []
    for seed in (3, 3, 4):
        np.save(path, array)
        chosen.append((expansion.expand(path, index, wanted, seed=seed)["image_id"].tolist(), np.load(path).tobytes()))
    assert chosen[0] == chosen[1]
    assert chosen[0][0] != chosen[2][0]


def test_more_variants_than_exist_are_refused_and_nothing_is_lost(store):
    path, array, index = store
    wanted = Variants(images={"melanoma": 11}, per_image=5, augmentation=CHANGES)
    with pytest.raises(LesionbookError, match="11 of label 'melanoma' are asked for, but 2 training images have 10"):
        expansion.expand(path, index, wanted, seed=3)
    assert np.array_equal(np.load(path), array)
    assert [file.name for file in path.parent.iterdir()] == ["images.npy"]
