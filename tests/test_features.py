import keras
import numpy as np
import pytest
from small_store import CLASSES, SIZE, small_store
from small_training import RECIPE

from lesionbook import features, fitting, training
from lesionbook.augmentation import augment, keys
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Augmentation

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def store():
    return small_store()


def transfer(seed=7):
    """A frozen base with a normalization in it, and a head with dropout."""
    training.begin(seed=seed, threads=1)
    inputs = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    x = keras.layers.Conv2D(6, 3, activation="relu", trainable=False)(x)
    x = keras.layers.BatchNormalization(trainable=False)(x)
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.Dense(len(CLASSES), name="logits")(x)
    return keras.Model(inputs, keras.layers.Activation("softmax", name="probabilities")(x))


def on_features(store, recipe):
    model = transfer()
    base, head = features.parts(model)
    train = features.compute(base, store.rows("train"), recipe, seed=7)
    validation = features.compute(base, store.rows("val"))
    return model, fitting.fit(head, train, validation, recipe, seed=7, batches=features.Batches)


def test_without_augmentation_stored_features_give_the_same_predictions(store):
    recipe = RECIPE.model_copy(update={"augmentation": Augmentation(), "feature_variants": 1, "epochs": 4})
    model, history = on_features(store, recipe)
    slow = transfer()
    expected = fitting.fit(slow, store.rows("train"), store.rows("val"), recipe, seed=7)
    assert np.array_equal(history.to_numpy(dtype=float), expected.to_numpy(dtype=float))
    answers = [training.predict(one, store.rows("test")) for one in (model, slow)]
    assert np.array_equal(*answers)


def test_training_the_head_trains_the_model_and_leaves_the_base(store):
    before = transfer()
    model, _ = on_features(store, RECIPE.model_copy(update={"feature_variants": 2}))
    for one, other in zip(before.layers, model.layers, strict=True):
        same = all(np.array_equal(*pair) for pair in zip(one.get_weights(), other.get_weights(), strict=True))
        assert same == (one.name != "logits")


def test_the_variants_are_those_that_training_on_images_would_show_and_take_turns(store):
    rows = store.rows("train")
    recipe = RECIPE.model_copy(update={"feature_variants": 3})
    base, _ = features.parts(transfer())
    stored = features.compute(base, rows, recipe, seed=7)
    assert stored.array.shape == (len(rows), 3, 6)
    assert stored.array.dtype == np.float32
    key = keys(rows.index["image_id"])[4]
    third = augment(rows.images()[4], recipe.augmentation, seed=7, epoch=2, key=key)
    assert np.allclose(stored.array[4, 2], base.predict_on_batch(third[None])[0], atol=1e-5)
    shown = features.Batches(stored, recipe, seed=7)
    for epoch, variant in ((0, 0), (2, 2), (3, 0), (7, 1)):
        shown.start(epoch)
        assert np.array_equal(shown[0][0], stored.array[shown.order[:5], variant])


def test_a_base_that_learns_is_refused(store):
    model = transfer()
    model.layers[2].trainable = True
    with pytest.raises(LesionbookError, match="is trainable; set feature_variants to 0"):
        features.parts(model)
