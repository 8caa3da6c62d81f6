import hashlib
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from small_store import CLASSES, small_network, small_store
from small_training import RECIPE, contents, fitted

from lesionbook import batches, fitting, metrics, predictions, rates, training
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Plateau, Recipe
from lesionbook.weights import class_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def store():
    return small_store()


@pytest.fixture(scope="module")
def watched(store):
    """One training, with a note of every image that is augmented, and of every array a prediction is made for."""
    seen = SimpleNamespace(batches=[], augmented=[], predicted=[], epochs=[])
    augment, item, on_batch = batches.augment, batches.Batches.__getitem__, keras.Model.predict_on_batch

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
        patch.setattr(batches, "augment", note_augment)
        patch.setattr(batches.Batches, "__getitem__", note_batch)
        patch.setattr(keras.Model, "predict_on_batch", note_predict)
        training.begin(seed=7, threads=1)
        seen.model = small_network(0.3)
        seen.history = fitting.fit(
            seen.model, store.rows("train"), store.rows("val"), RECIPE, seed=7, on_epoch=seen.epochs.append
        )
    return seen


def test_history_has_a_row_per_epoch_with_the_promised_columns(watched):
    columns = "epoch learning_rate loss accuracy val_loss val_accuracy val_balanced_accuracy val_macro_f1 val_auc"
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


def test_the_training_step_is_traced_once(store, monkeypatch):
    """Where the optimizer makes its variables within the step, it is traced twice: a fifth of a short training."""
    step, traced = keras.Model.train_step, []

    def noted(self, data):
        traced.append(1)
        return step(self, data)

    monkeypatch.setattr(keras.Model, "train_step", noted)
    training.begin(seed=7, threads=1)
    halves = RECIPE.model_copy(update={"batch_size": 11})  # of 22 images
    fitting.fit(small_network(), store.rows("train"), store.rows("val"), halves, seed=7)
    assert len(traced) == 1


def test_weight_decay_shrinks_kernels_only():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3), keras.layers.BatchNormalization()])
    model.set_weights([np.ones_like(weight) for weight in model.get_weights()])
    optimizer = rates.optimizer(Recipe(weight_decay=0.5, learning_rate=0.1, schedule="constant"), 1)
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
import small_training as t
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

    monkeypatch.setattr(fitting, "predict", note)
    monkeypatch.setattr(
        fitting, "metrics", SimpleNamespace(scores=lambda frame: {**scores(frame), key: next(scripted)})
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
        fitting,
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
        fitting.fit(model, store.rows(*first), store.rows(*second), RECIPE, seed=7)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))


def test_the_loss_weighs_the_classes(store):
    """With nothing learned, the mean loss of an epoch can be computed by hand."""
    rows = store.rows("train")
    recipe = Recipe(epochs=1, batch_size=5, learning_rate=1e-12, class_weights="balanced")
    training.begin(seed=7, threads=1)
    model = small_network()
    probabilities = training.predict(model, rows)
    history = fitting.fit(model, rows, store.rows("val"), recipe, seed=7)
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
    history = fitting.fit(model, rows, store.rows("val"), recipe, seed=7)
    targets = 0.7 * np.eye(3)[rows.codes] + 0.1
    assert history["loss"][0] == pytest.approx(-(targets * np.log(probabilities)).sum(axis=1).mean(), rel=1e-4)


def test_a_loss_that_is_no_number_says_what_to_change(store):
    model = small_network()
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    with pytest.raises(LesionbookError, match="learning_rate"):
        fitting.fit(model, store.rows("train"), store.rows("val"), RECIPE, seed=7)


def test_the_network_learns_colours(store):
    recipe = Recipe(epochs=12, batch_size=5, learning_rate=0.05, class_weights="balanced")
    _, history = fitted(store, recipe, dropout=0.0)
    assert history["accuracy"].iloc[-1] > 0.9
    assert history["val_balanced_accuracy"].max() > 0.9


def test_history_states_the_rate_that_was_used(watched):
    stated = watched.history["learning_rate"].to_numpy()
    schedule = rates.schedule(RECIPE, 5)
    assert stated == pytest.approx([float(schedule(step)) for step in (4, 9, 14)])
    assert stated[-1] == pytest.approx(0, abs=2e-4)


def test_accuracy_of_the_matrix_is_the_accuracy_that_keras_measures(watched, store):
    rows = store.rows("train")
    table = predictions.table(rows.index, training.predict(watched.model, rows), CLASSES)
    matrix = metrics.confusion_matrix(table).to_numpy()
    _, accuracy = watched.model.evaluate(rows.images(), np.eye(3)[rows.codes], verbose=0)
    assert np.trace(matrix) / matrix.sum() == pytest.approx(accuracy, abs=1e-6)
    assert 0 < accuracy < 1  # otherwise a mixed-up order could not show


# Going on after a kill


class Killed(Exception):
    pass


@pytest.mark.parametrize("schedule", ["cosine", "plateau"])
def test_a_killed_training_goes_on_to_the_same_result(store, tmp_path, schedule):
    plateau = Plateau(factor=0.5, patience=1, min_delta=5.0)
    recipe = RECIPE.model_copy(update={"epochs": 5, "schedule": schedule, "plateau": plateau, "mixup": 0.2})
    model, history = fitted(store, recipe)

    def kill(epoch, batch, batches):
        if (epoch, batch) == (4, 2):  # in the middle of the fourth epoch
            raise Killed

    with pytest.raises(Killed):
        fitted(store, recipe, checkpoint=tmp_path, on_batch=kill)
    assert len(pd.read_csv(tmp_path / "history.csv")) == 3
    shown = []
    resumed, again = fitted(store, recipe, checkpoint=tmp_path, on_epoch=shown.append)
    assert [row["epoch"] for row in shown] == [4, 5]
    pd.testing.assert_frame_equal(again, history, check_exact=True)
    for one, other in zip(model.get_weights(), resumed.get_weights(), strict=True):
        assert np.array_equal(one, other)
    if schedule == "plateau":
        assert history["learning_rate"].nunique() > 1


def test_a_finished_training_is_not_gone_on_with(store, tmp_path):
    recipe = RECIPE.model_copy(update={"epochs": 2})
    model, history = fitted(store, recipe, checkpoint=tmp_path)
    shown = []
    again, read = fitted(store, recipe, checkpoint=tmp_path, on_epoch=shown.append)
    assert shown == []
    pd.testing.assert_frame_equal(read, history, check_exact=True)
    assert all(np.array_equal(*pair) for pair in zip(model.get_weights(), again.get_weights(), strict=True))


def test_only_the_last_and_the_best_weights_are_kept(store, tmp_path):
    _, history = fitted(store, checkpoint=tmp_path)
    best = rates.best_epoch(history[RECIPE.monitor], RECIPE.monitor) + 1
    names = {f"last-{len(history):04d}.weights.h5", f"best-{best:04d}.weights.h5", "history.csv"}
    assert {path.name for path in tmp_path.iterdir()} == names


def test_a_second_phase_shows_other_variants_and_counts_on(store):
    _, history = fitted(store, first_epoch=3)
    assert history["epoch"].tolist() == [4, 5, 6]
    assert not np.array_equal(history["loss"], fitted(store)[1]["loss"])


def test_each_class_by_itself_is_another_loss(store):
    rows = store.rows("train")
    recipe = Recipe(epochs=1, batch_size=5, learning_rate=1e-12, loss="binary_crossentropy")
    training.begin(seed=7, threads=1)
    softmax = small_network()
    softmax(rows.images()[:1])
    model = keras.Model(softmax.inputs, keras.layers.Activation("sigmoid")(softmax.layers[-2].output))
    answers = model.predict(rows.images(), verbose=0)
    history = fitting.fit(model, rows, store.rows("val"), recipe, seed=7)
    truth = np.eye(3)[rows.codes]
    losses = -(truth * np.log(answers) + (1 - truth) * np.log(1 - answers)).mean(axis=1)
    assert history["loss"][0] == pytest.approx(losses.mean(), rel=1e-4)
