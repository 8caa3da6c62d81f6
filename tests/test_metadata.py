from dataclasses import replace

import keras
import numpy as np
import pandas as pd
import pytest
from small_store import CLASSES, SIZE, small_store
from small_training import RECIPE

from lesionbook import datasets, explain, features, fitting, metadata, training
from lesionbook.architectures.image_and_metadata import image_and_metadata
from lesionbook.errors import LesionbookError

RECORD = datasets.adapter("ham10000").RECORD
INDEX = pd.DataFrame(
    {
        "split": ["train"] * 4 + ["test"] * 3,
        "age": [40.0, 60.0, np.nan, 80.0, 60.0, np.nan, 100.0],
        "sex": ["male", "female", "female", None, "male", "unknown", None],
    }
)


def test_numbers_are_measured_against_the_training_images_alone():
    age = metadata.encode(INDEX, ["age"])
    spread = (800 / 3) ** 0.5  # of 40, 60 and 80
    assert np.allclose(age["age"], np.array([-20, 0, 0, 20, 0, 0, 40]) / spread)
    assert age["age missing"].tolist() == [0, 0, 1, 0, 0, 1, 0]


def test_a_missing_text_is_a_value_and_a_new_one_is_none():
    sex = metadata.encode(INDEX, ["sex"])
    assert list(sex.columns) == ["sex: female", "sex: male", "sex: missing"]
    assert sex.to_numpy().tolist() == [[0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 1]]
    assert (sex.dtypes == "float32").all()


def told(seed=3):
    """A store whose metadata say the class."""
    store = small_store(seed=seed)
    index = store.index.assign(age=50.0, sex=store.index["label"], dx_type="histo")
    return metadata.beside(replace(store, index=index), RECORD, ["age", "sex"])


def test_metadata_stand_beside_their_own_image_in_every_split_and_batch():
    store, names = told()
    assert names == ["age", "sex: blue", "sex: green", "sex: red"]
    for split in ("train", "val", "test"):
        rows = store.rows(split)
        assert np.array_equal(rows.beside()[:, 1:].argmax(axis=1), rows.codes)
        assert np.array_equal(rows.beside(np.array([2, 0])), rows.beside()[[2, 0]])
    batches = fitting.Batches(store.rows("train"), RECIPE, seed=1)
    for (images, beside), targets, _ in (batches[number] for number in range(len(batches))):
        assert len(images) == len(beside) == len(targets)
        assert np.array_equal(beside[:, 1:], targets)


def test_mixup_blends_metadata_as_it_blends_targets():
    store, _ = told()
    batches = fitting.Batches(store.rows("train"), RECIPE.model_copy(update={"mixup": 1.0}), seed=1)
    shown = [batches[number] for number in range(len(batches))]
    assert all(np.allclose(beside[:, 1:], targets) for (_, beside), targets, _ in shown)
    assert not all(np.isin(targets, [0, 1]).all() for _, targets, _ in shown)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (["age", "dx_type"], "'dx_type' cannot be used; before the diagnosis, HAM10000 knows age, sex here"),
        (["label"], "'label' cannot be used"),
        (["localization"], "'localization' cannot be used"),
        ([], "none cannot be used"),
    ],
)
def test_what_gives_the_diagnosis_away_is_refused(columns, said):
    store = small_store()
    store = replace(store, index=store.index.assign(age=1.0, sex="male", dx_type="histo"))
    with pytest.raises(LesionbookError, match=said):
        metadata.beside(store, RECORD, columns)


def test_a_number_without_spread_says_nothing():
    index = INDEX.assign(age=50.0)
    assert (metadata.encode(index, ["age"])["age"] == 0).all()


def test_metadata_that_say_the_class_are_enough_alone():
    store, names = told()
    assert metadata.alone(store)["accuracy"].item() == 1
    means = metadata.described(store, names).set_index("column")
    assert np.array_equal(means.loc[["sex: blue", "sex: green", "sex: red"], CLASSES], np.eye(3))


# A network with two inputs, through everything that trains and asks one


def network(store, trainable_from="all"):
    training.begin(seed=7, threads=1)
    trunk = {"widths": (4,), "blocks": (1,)}
    columns = store.metadata.shape[1]
    return image_and_metadata(
        SIZE, len(CLASSES), columns=columns, options=trunk, dense=(8,), trainable_from=trainable_from
    )


@pytest.mark.usefixtures("one_thread")
def test_a_network_learns_from_metadata_and_answers_for_the_right_image():
    store, names = told()
    model = network(store)
    recipe = RECIPE.model_copy(update={"epochs": 30, "patience": 30, "learning_rate": 0.02})
    fitting.fit(model, store.rows("train"), store.rows("val"), recipe, seed=7)
    rows = store.rows("test")
    answers = training.predict(model, rows, batch_size=3)
    assert np.array_equal(answers.argmax(axis=1), rows.codes)
    assert np.allclose(training.predict(model, rows, views=8), training.predict(model, rows, views=8, batch_size=2))
    exchanged = metadata.permuted(model, store, ["age", "sex"], names, seed=1).set_index("metadata")["accuracy"]
    assert exchanged["as they are"] == exchanged["age of other images"] == 1
    assert exchanged["sex of other images"] == exchanged["all of other images"] < 1


@pytest.mark.usefixtures("one_thread")
def test_stored_features_give_the_same_training_with_metadata_too():
    store, _ = told()
    recipe = RECIPE.model_copy(update={"augmentation": type(RECIPE.augmentation)(), "feature_variants": 1})
    slow, model = network(store, ""), network(store, "")
    expected = fitting.fit(slow, store.rows("train"), store.rows("val"), recipe, seed=7)
    base, head = features.parts(model)
    assert base.inputs[0].shape == (None, SIZE, SIZE, 3)
    stored = features.compute(base, store.rows("train"), recipe, seed=7), features.compute(base, store.rows("val"))
    found = fitting.fit(head, *stored, recipe, seed=7, batches=features.Batches)
    assert np.array_equal(found.to_numpy(dtype=float), expected.to_numpy(dtype=float))
    rows = store.rows("test")
    assert np.array_equal(training.predict(model, rows), training.predict(slow, rows))


@pytest.mark.usefixtures("one_thread")
def test_a_frozen_trunk_does_not_learn():
    store, _ = told()
    model = network(store, "")
    learned = {variable.path.split("/")[0] for variable in model.trainable_variables}
    assert learned == {"dense1", "logits"}
    assert all(not layer.trainable for layer in model.layers if isinstance(layer, keras.layers.Conv2D))


@pytest.mark.usefixtures("one_thread")
def test_a_network_in_parts_can_still_be_saved(tmp_path):
    store, _ = told()
    model, rows = network(store, ""), store.rows("test")
    features.parts(model)
    explain.grad_cam(model, rows.images(), rows.codes, rows.beside())
    explain.features(model, rows.images(), rows.beside())
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert np.array_equal(training.predict(again, rows), training.predict(model, rows))
