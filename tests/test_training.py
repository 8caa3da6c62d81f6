import hashlib
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from small_store import CLASSES, small_network, small_store

from lesionbook import metrics, predictions, training
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows
from lesionbook.recipes import Augmentation, Recipe
from lesionbook.weights import class_weights

pytestmark = pytest.mark.usefixtures("one_thread")

TURNED = Augmentation(rotation_degrees=90, horizontal_flip=True, brightness=0.1)
RECIPE = Recipe(
    epochs=3,
    batch_size=5,
    learning_rate=0.01,
    weight_decay=0.02,
    patience=9,
    class_weights="square_root",
    augmentation=TURNED,
)


@pytest.fixture(scope="module")
def store():
    return small_store()


def fitted(store, recipe=RECIPE, seed=7, dropout=0.3):
    training.begin(seed=seed, threads=1)
    model = small_network(dropout)
    history = training.fit(model, store.rows("train"), store.rows("val"), recipe, seed=seed)
    return model, history


def contents(images):
    return [image.tobytes() for image in images]


# Batches


def epochs_of(rows, seed=7, epochs=3):
    """Images and targets of each epoch, in the order in which they are shown."""
    batches = training.Batches(rows, RECIPE.model_copy(update={"augmentation": Augmentation()}), seed=seed)
    shown = []
    for epoch in range(epochs):
        batches.start(epoch)
        pairs = [batches[number] for number in range(len(batches))]
        shown.append((contents(np.concatenate([x for x, _, _ in pairs])), np.concatenate([y for _, y, _ in pairs])))
    return shown


def test_every_epoch_shows_every_training_image_once_with_its_own_label(store):
    rows = store.rows("train")
    label_of = dict(zip(contents(rows.images()), rows.index["label"], strict=True))
    for images, targets in epochs_of(rows):
        assert sorted(images) == sorted(label_of)
        assert [CLASSES[code] for code in targets.argmax(axis=1)] == [label_of[image] for image in images]
        assert (targets.sum(axis=1) == 1).all()


def test_the_order_differs_between_epochs_and_seeds_and_agrees_between_runs(store):
    rows = store.rows("train")
    first, second, third = (images for images, _ in epochs_of(rows))
    again = [images for images, _ in epochs_of(rows)]
    assert [first, second, third] == again
    assert first != second != third != first
    assert epochs_of(rows, seed=8)[0][0] != first


def test_the_last_batch_is_smaller_but_not_dropped(store):
    batches = training.Batches(store.rows("train"), RECIPE, seed=7)
    assert [len(batches[number][0]) for number in range(len(batches))] == [5, 5, 5, 5, 2]


def test_variants_change_with_the_epoch_and_not_with_the_batch_size(store):
    def variants(size, epoch):
        batches = training.Batches(store.rows("train"), RECIPE.model_copy(update={"batch_size": size}), seed=7)
        batches.start(epoch)
        return sorted(contents(np.concatenate([batches[number][0] for number in range(len(batches))])))

    assert variants(5, 1) == variants(11, 1)
    assert not set(variants(5, 0)) & set(variants(5, 1))


def test_an_image_weighs_as_much_as_its_class(store):
    rows = store.rows("train")
    batches = training.Batches(rows, RECIPE, seed=7)
    by_class = class_weights(rows.index["label"], CLASSES, "square_root")
    assert len(set(by_class.values())) == 3
    for _, targets, weights in (batches[number] for number in range(len(batches))):
        assert np.allclose(weights, [by_class[CLASSES[code]] for code in targets.argmax(axis=1)])


# Mixup


def mixed(store, seed=7, epoch=0, batch=1):
    batches = training.Batches(store.rows("train"), RECIPE.model_copy(update={"mixup": 0.5}), seed=seed)
    batches.start(epoch)
    return batches[batch]


def test_without_mixup_images_stay_whole_numbers(store):
    images, targets, _ = training.Batches(store.rows("train"), RECIPE, seed=7)[0]
    assert images.dtype == np.uint8
    assert set(np.unique(targets)) == {0, 1}


def unmixed(image, row, pure):
    """Row and share by which another image of the batch was blended in, found by least squares."""
    for partner, other in enumerate(pure):
        away = pure[row] - other
        share = (away * (image - other)).sum() / max((away**2).sum(), 1)
        if partner != row and np.allclose(share * pure[row] + (1 - share) * other, image, atol=0.01):
            return partner, share
    raise AssertionError("no blend of two images of the batch")


def test_mixup_blends_pairs_of_a_batch_and_their_targets_by_one_share(store):
    images, targets, weights = mixed(store)
    single = training.Batches(store.rows("train"), RECIPE, seed=7)
    pure, labels, _ = single[1]
    alone = [row for row in range(5) if np.allclose(images[row], pure[row], atol=0.01)]  # blended with themselves
    pairs = {row: unmixed(images[row], row, pure.astype(float)) for row in range(5) if row not in alone}
    assert len(pairs) >= 3
    assert sorted([partner for partner, _ in pairs.values()] + alone) == [0, 1, 2, 3, 4]
    assert np.ptp([share for _, share in pairs.values()]) < 1e-3
    for row, (partner, share) in pairs.items():
        assert 0 < share < 1
        assert np.allclose(targets[row], share * labels[row] + (1 - share) * labels[partner], atol=1e-3)
    assert np.allclose(targets[alone], labels[alone])
    assert np.allclose(weights, targets @ single.weights)


def test_blends_depend_on_seed_epoch_and_batch_alone(store):
    first = mixed(store)[0]
    assert np.array_equal(first, mixed(store)[0])
    for other in ({"seed": 8}, {"epoch": 1}, {"batch": 2}):
        assert not np.array_equal(first, mixed(store, **other)[0]), other


def test_each_batch_draws_its_own_share(store):
    shares = [mixed(store, batch=batch)[1].max(axis=1) for batch in range(4)]
    assert len({float(share[share < 1].min().round(4)) for share in shares if (share < 1).any()}) >= 3


# Training


@pytest.fixture(scope="module")
def watched(store):
    """One training, with a note of every image that is augmented, and of every array a prediction is made for."""
    seen = SimpleNamespace(batches=[], augmented=[], predicted=[], epochs=[])
    augment, item, on_batch = training.augment, training.Batches.__getitem__, keras.Model.predict_on_batch

    def note_augment(image, *rest, **keywords):
        seen.augmented.append(image.tobytes())
        return augment(image, *rest, **keywords)

    def note_batch(self, number):
        seen.batches.append((self.epoch, number))
        return item(self, number)

    def note_predict(self, images):
        seen.predicted.append(np.array(images))
        return on_batch(self, images)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "augment", note_augment)
        patch.setattr(training.Batches, "__getitem__", note_batch)
        patch.setattr(keras.Model, "predict_on_batch", note_predict)
        training.begin(seed=7, threads=1)
        seen.model = small_network(0.3)
        seen.history = training.fit(
            seen.model, store.rows("train"), store.rows("val"), RECIPE, seed=7, on_epoch=seen.epochs.append
        )
    return seen


def test_history_has_a_row_per_epoch_with_the_promised_columns(watched):
    columns = "epoch learning_rate loss accuracy val_loss val_accuracy val_balanced_accuracy val_auc"
    assert list(watched.history) == columns.split()
    assert list(watched.history["epoch"]) == [1, 2, 3]
    assert np.isfinite(watched.history.to_numpy()).all()
    assert [row["epoch"] for row in watched.epochs] == [1, 2, 3]


def test_training_takes_epochs_and_batches_in_the_order_of_the_seed(watched):
    # Keras looks at a few batches beforehand to learn their shape.
    assert watched.batches[-15:] == [(epoch, number) for epoch in range(3) for number in range(5)]
    assert {epoch for epoch, _ in watched.batches[:-15]} <= {0}


def test_the_optimizer_is_that_of_the_recipe(watched):
    optimizer = watched.model.optimizer
    assert isinstance(optimizer, keras.optimizers.AdamW)
    assert int(optimizer.iterations) == 15
    assert optimizer.weight_decay == RECIPE.weight_decay > 0


def test_weight_decay_shrinks_kernels_only():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    optimizer = training._optimizer(Recipe(weight_decay=0.5), 0.1)
    optimizer.apply([keras.ops.zeros_like(weight) for weight in model.trainable_variables], model.trainable_variables)
    left = {weight.name: float(np.ravel(weight)[0]) for weight in model.trainable_variables}
    assert left == pytest.approx({"kernel": 0.95, "bias": 1, "gamma": 1, "beta": 1})


def test_only_training_images_are_augmented(watched, store):
    assert set(watched.augmented) == set(contents(store.rows("train").images()))


def test_validation_images_are_scored_as_they_are_after_each_epoch(watched, store):
    assert len(watched.predicted) == 3 * 2  # nine images in batches of five
    for epoch in range(3):
        shown = np.concatenate(watched.predicted[2 * epoch : 2 * epoch + 2])
        assert np.array_equal(shown, store.rows("val").images())


def test_training_again_gives_the_same_bits(watched, store):
    model, history = fitted(store)
    pd.testing.assert_frame_equal(history, watched.history, check_exact=True)
    for one, other in zip(model.get_weights(), watched.model.get_weights(), strict=True):
        assert np.array_equal(one, other)


FRESH = """
import hashlib, sys
from small_store import small_store
import test_training as t
model, history = t.fitted(small_store())
print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights()) + history.to_csv().encode()).hexdigest())
"""


def test_a_fresh_process_gives_the_same_bits(watched, request):
    done = subprocess.run(
        [sys.executable, "-c", FRESH], cwd=request.path.parent, capture_output=True, text=True, check=True
    )
    weights = b"".join(weight.tobytes() for weight in watched.model.get_weights())
    here = hashlib.sha256(weights + watched.history.to_csv().encode()).hexdigest()
    assert done.stdout.split()[-1] == here


def test_another_seed_gives_another_training(watched, store):
    _, history = fitted(store, seed=8)
    assert not np.array_equal(history["loss"], watched.history["loss"])


@pytest.mark.parametrize(
    ("monitor", "key", "values"),
    [
        ("val_balanced_accuracy", "balanced_accuracy", [0.2, 0.9, 0.3, 0.1]),
        ("val_loss", "log_loss", [2.0, 0.5, 0.9, 1.1]),
    ],
)
def test_the_weights_of_the_best_validation_epoch_are_kept(store, monkeypatch, monitor, key, values):
    scores, predict, scripted, answers = metrics.scores, training.predict, iter(values), []

    def note(*arguments, **keywords):
        answers.append(predict(*arguments, **keywords))
        return answers[-1]

    monkeypatch.setattr(training, "predict", note)
    monkeypatch.setattr(
        training, "metrics", SimpleNamespace(scores=lambda frame: {**scores(frame), key: next(scripted)})
    )
    recipe = RECIPE.model_copy(update={"epochs": 4, "monitor": monitor})
    model, history = fitted(store, recipe)
    assert list(history[monitor]) == values
    kept = predict(model, store.rows("val"), batch_size=recipe.batch_size)
    assert np.array_equal(kept, answers[1])
    assert not np.array_equal(kept, answers[3])


def test_validation_scores_are_those_of_one_prediction_table(watched, store):
    validation = store.rows("val")
    table = predictions.table(validation.index, training.predict(watched.model, validation, batch_size=5), CLASSES)
    scores = metrics.scores(table)
    best = watched.history.loc[watched.history["val_balanced_accuracy"].idxmax()]
    for name, score in [("loss", "log_loss"), ("auc", "macro_auc"), ("balanced_accuracy", "balanced_accuracy")]:
        assert best[f"val_{name}"] == scores[score], name
    assert best["val_accuracy"] == (predictions.predicted(table) == table["label"]).mean()


def test_training_stops_when_validation_gets_no_better(store, monkeypatch):
    scores, scripted = metrics.scores, iter([0.5, 0.4, 0.45, 0.9])
    monkeypatch.setattr(
        training,
        "metrics",
        SimpleNamespace(scores=lambda frame: {**scores(frame), "balanced_accuracy": next(scripted)}),
    )
    _, history = fitted(store, RECIPE.model_copy(update={"epochs": 4, "patience": 2}))
    assert len(history) == 3


@pytest.mark.parametrize(
    ("first", "second"), [(("test",), ("val",)), (("train", "test"), ("val",)), (("train",), ("val", "test"))]
)
def test_rows_of_another_split_are_refused(store, first, second):
    model = small_network()
    before = model.get_weights()
    with pytest.raises(LesionbookError, match="split"):
        training.fit(model, store.rows(*first), store.rows(*second), RECIPE, seed=7)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))


def test_the_loss_weighs_the_classes(store):
    """With nothing learned, the mean loss of an epoch can be computed by hand."""
    rows = store.rows("train")
    recipe = Recipe(epochs=1, batch_size=5, learning_rate=1e-12, class_weights="balanced")
    training.begin(seed=7, threads=1)
    model = small_network()
    probabilities = training.predict(model, rows)
    history = training.fit(model, rows, store.rows("val"), recipe, seed=7)
    losses = -np.log(probabilities[np.arange(len(rows)), rows.codes])
    weights = class_weights(rows.index["label"], CLASSES, "balanced")
    expected = np.mean(rows.index["label"].map(weights) * losses)
    assert history["loss"][0] == pytest.approx(expected, rel=1e-4)
    assert np.mean(losses) != pytest.approx(expected, rel=1e-2)


def test_label_smoothing_reaches_the_loss(store):
    rows = store.rows("train")
    recipe = Recipe(epochs=1, batch_size=5, learning_rate=1e-12, label_smoothing=0.3)
    training.begin(seed=7, threads=1)
    model = small_network()
    probabilities = training.predict(model, rows)
    history = training.fit(model, rows, store.rows("val"), recipe, seed=7)
    targets = 0.7 * np.eye(3)[rows.codes] + 0.1
    assert history["loss"][0] == pytest.approx(-(targets * np.log(probabilities)).sum(axis=1).mean(), rel=1e-4)


def test_a_loss_that_is_no_number_says_what_to_change(store):
    model = small_network()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(LesionbookError, match="learning_rate"):
        training.fit(model, store.rows("train"), store.rows("val"), RECIPE, seed=7)


def test_the_network_learns_colours(store):
    recipe = Recipe(epochs=12, batch_size=5, learning_rate=0.05, class_weights="balanced")
    _, history = fitted(store, recipe, dropout=0.0)
    assert history["accuracy"].iloc[-1] > 0.9
    assert history["val_balanced_accuracy"].max() > 0.9


# Learning rate


def rates(**knobs):
    recipe = Recipe(learning_rate=0.1, **knobs)
    schedule = training._schedule(recipe, 10)
    return np.array([float(schedule(step)) for step in range(recipe.epochs * 10)])


def test_the_learning_rate_warms_up_then_falls_as_half_a_cosine():
    values = rates(epochs=6, warmup_epochs=2)
    assert values[0] == 0
    assert values[10] == pytest.approx(0.05)
    assert values.argmax() == 20
    assert values[20] == pytest.approx(0.1)
    assert (np.diff(values[:21]) > 0).all()
    assert (np.diff(values[20:]) < 0).all()
    assert values[40] == pytest.approx(0.05)  # half way down after half of the steps
    assert 0 <= values[-1] < 0.001


def test_without_warm_up_the_learning_rate_starts_at_its_peak():
    values = rates(epochs=4)
    assert values[0] == pytest.approx(0.1)
    assert (np.diff(values) < 0).all()
    assert 0 <= values[-1] < 0.001


def test_a_warm_up_as_long_as_the_training_leaves_an_epoch_to_fall():
    values = rates(epochs=2, warmup_epochs=5)
    assert values.argmax() == 10
    assert values[-1] < 0.005
    assert rates(epochs=1, warmup_epochs=5)[0] == pytest.approx(0.1)


def test_history_states_the_rate_that_was_used(watched):
    stated = watched.history["learning_rate"].to_numpy()
    schedule = training._schedule(RECIPE, 5)
    assert stated == pytest.approx([float(schedule(step)) for step in (4, 9, 14)])
    assert stated[-1] == pytest.approx(0, abs=2e-4)


# Prediction


class Pixel:
    """Answers with the red value of one pixel, so that what it was shown can be read from what it says."""

    def __init__(self, row=0, column=0):
        self.row, self.column, self.sizes = row, column, []

    def predict_on_batch(self, images):
        self.sizes.append(len(images))
        value = images[:, self.row, self.column, :1] / 255
        return np.concatenate([value, 1 - value], axis=1)


@pytest.fixture
def ordered(store):
    """Twelve images as the model sees them, whatever their place in the store."""
    positions = np.random.default_rng(0).permutation(len(store.index))[:12]
    return Rows(store.index.iloc[positions].reset_index(drop=True), CLASSES, store.array, positions)


def test_predictions_come_in_the_order_of_the_rows(ordered):
    model = Pixel()
    answers = training.predict(model, ordered, batch_size=5)
    assert model.sizes == [5, 5, 2]
    assert answers.dtype == np.float64
    assert np.allclose(answers[:, 0], ordered.images()[:, 0, 0, 0] / 255)
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize(("views", "turns", "mirrored"), [(1, 1, False), (4, 4, False), (8, 4, True)])
def test_views_are_averaged(ordered, views, turns, mirrored):
    answers = training.predict(Pixel(0, 2), ordered, views=views, batch_size=5)
    images = ordered.images()[:, :, :, 0] / 255
    seen = [np.rot90(images, turn, axes=(1, 2)) for turn in range(turns)]
    if mirrored:
        seen += [np.rot90(images[:, :, ::-1], turn, axes=(1, 2)) for turn in range(4)]
    assert len(seen) == views
    assert np.allclose(answers[:, 0], np.mean([view[:, 0, 2] for view in seen], axis=0))


def test_views_of_a_symmetric_image_agree_with_the_image(store):
    quarter = store.array[:, :4, :4].astype(int)
    square = quarter + quarter.transpose(0, 2, 1, 3)
    half = np.concatenate([square, square[:, :, ::-1]], axis=2)
    whole = (np.concatenate([half, half[:, ::-1]], axis=1) // 2).astype(np.uint8)
    rows = Rows(store.index, CLASSES, whole, np.arange(len(whole)))
    model = small_network()
    one, eight = (training.predict(model, rows, views=views) for views in (1, 8))
    assert np.allclose(one, eight, atol=1e-12)
    turned = Rows(store.index, CLASSES, store.array, np.arange(len(store.array)))
    assert not np.allclose(*(training.predict(model, turned, views=views) for views in (1, 8)), atol=1e-6)


def test_accuracy_of_the_matrix_is_the_accuracy_that_keras_measures(watched, store):
    rows = store.rows("train")
    table = predictions.table(rows.index, training.predict(watched.model, rows), CLASSES)
    matrix = metrics.confusion_matrix(table).to_numpy()
    _, accuracy = watched.model.evaluate(rows.images(), np.eye(3)[rows.codes], verbose=0)
    assert np.trace(matrix) / matrix.sum() == pytest.approx(accuracy, abs=1e-6)
    assert 0 < accuracy < 1  # otherwise a mixed-up order could not show


# Start


def test_begin_fixes_every_generator():
    def draws():
        training.begin(seed=5, threads=1)
        return np.random.random(), keras.random.uniform((2,)).numpy().tolist()  # noqa: NPY002

    assert draws() == draws()


def test_another_number_of_threads_needs_a_new_kernel():
    keras.ops.ones(1)
    with pytest.raises(LesionbookError, match="restart the kernel"):
        training.begin(seed=5, threads=3)
    assert training.settings()[2] == 1


def test_begin_sets_the_number_format():
    try:
        assert training.begin(seed=5, threads=1, precision="mixed_bfloat16") == "mixed_bfloat16"
        assert training.settings()[1] == "mixed_bfloat16"
        assert training.begin(seed=5, threads=1, precision="auto") in ("float32", "mixed_bfloat16")
    finally:
        assert training.begin(seed=5, threads=1) == "float32"
    assert small_network().layers[1].compute_dtype == "float32"
