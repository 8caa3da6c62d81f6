"""Fitting a network to its training images: an epoch at a time, kept on disk, chosen on validation."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from lesionbook import metrics, predictions, rates
from lesionbook.batches import Batches
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows
from lesionbook.recipes import Recipe
from lesionbook.training import predict

SCORES = {
    "val_loss": "log_loss",
    "val_accuracy": "accuracy",
    "val_balanced_accuracy": "balanced_accuracy",
    "val_macro_f1": "macro_f1",
    "val_auc": "macro_auc",
}
HISTORY = ["epoch", "learning_rate", "loss", "accuracy", *SCORES]
DIVERGED = "fitting.fit: the loss is no longer a number; lower learning_rate in the study file."


class Kept:
    """What a training leaves in a folder after every epoch, so that it can go on after a kill to the same result.

    ``history.csv`` is replaced last; its number of rows says which of the other files count.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def resume(self, model: keras.Model, monitor: str, min_delta: float) -> tuple[pd.DataFrame, list | None]:
        """Bring the model to where it was; give the history and the weights of the best epoch so far."""
        if self.folder is None or not (self.folder / "history.csv").exists():
            return pd.DataFrame(columns=HISTORY), None
        history = pd.read_csv(self.folder / "history.csv", float_precision="round_trip")
        best = rates.best_epoch(history[monitor], monitor, min_delta)
        model.load_weights(self._weights("best", best + 1))
        weights = model.get_weights()
        model.load_weights(self._weights("last", len(history)))
        return history, weights

    def write(self, model: keras.Model, history: pd.DataFrame, best: int) -> None:
        """Keep the state after an epoch; what an earlier epoch left is deleted afterwards."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        model.save_weights(self._weights("last", len(history)))
        if best + 1 == len(history):
            model.save_weights(self._weights("best", len(history)))
        temporary = self.folder / "history.part"
        history.to_csv(temporary, index=False, lineterminator="\n")
        temporary.replace(self.folder / "history.csv")
        keep = {self._weights("last", len(history)), self._weights("best", best + 1)}
        for path in set(self.folder.glob("*.weights.h5")) - keep:
            path.unlink()

    def _weights(self, kind: str, epoch: int) -> Path:
        return self.folder / f"{kind}-{epoch:04d}.weights.h5"


class Epochs(keras.callbacks.Callback):
    """Before an epoch: its batches, its learning rate, its random numbers; after it: scores, history, and the stop."""

    def __init__(
        self, batches: Batches, validation: Rows, recipe: Recipe, kept: Kept, seed: int, first_epoch: int
    ) -> None:
        super().__init__()
        self.batches, self.validation, self.recipe, self.kept = batches, validation, recipe, kept
        self.seed, self.first_epoch = seed, first_epoch
        self.history, self.best_weights = pd.DataFrame(columns=HISTORY), None
        self.on_epoch: Callable[[pd.Series], None] = lambda row: None
        self.on_batch: Callable[[int, int, int], None] = lambda epoch, batch, batches: None

    @property
    def scores(self) -> pd.Series:
        """The monitored score of each epoch so far."""
        return self.history[self.recipe.monitor]

    @property
    def best(self) -> int:
        """Position of the best epoch so far."""
        return rates.best_epoch(self.scores, self.recipe.monitor, self.recipe.min_delta)

    @property
    def rate(self) -> float:
        """Learning rate of the step that was just made."""
        optimizer = self.model.optimizer
        if self.recipe.schedule in ("constant", "plateau"):
            return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
        steps = int(keras.ops.convert_to_numpy(optimizer.iterations))
        return float(keras.ops.convert_to_numpy(rates.schedule(self.recipe, len(self.batches))(steps - 1)))

    @property
    def finished(self) -> bool:
        """Whether too many epochs have passed without a better one."""
        return len(self.history) > 0 and len(self.history) - 1 - self.best >= self.recipe.patience

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Make the epoch a function of seed and number alone."""
        self.batches.start(self.first_epoch + epoch)
        # Counted from the end, so that a head trained by itself drops what it would drop within its model.
        for position, layer in enumerate(reversed(self.model.layers)):
            if getattr(layer, "seed_generator", None) is not None:
                layer.seed_generator.state.assign([self.seed % 2**32, position * 2**20 + (self.first_epoch + epoch)])
        if self.recipe.schedule == "plateau":
            past = self.history[self.recipe.plateau.monitor]
            rate = rates.after_plateaus(past, self.recipe.plateau, self.recipe.learning_rate)
            self.model.optimizer.learning_rate = rate

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        """Say how far the epoch is."""
        self.on_batch(len(self.history) + 1, batch + 1, len(self.batches))

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Score the validation images from one prediction table, as every other score of the suite is."""
        probabilities = predict(self.model, self.validation, batch_size=self.recipe.batch_size)
        if not (np.isfinite(probabilities).all() and np.isfinite(logs["loss"])):
            raise LesionbookError(DIVERGED)
        index = self.validation.index
        scores = metrics.scores(predictions.table(index, probabilities, self.validation.classes))
        row = {
            "epoch": self.first_epoch + epoch + 1,
            "learning_rate": self.rate,
            "loss": logs["loss"],
            "accuracy": logs["accuracy"],
        }
        row |= {name: scores[score] for name, score in SCORES.items()}
        self.history = pd.DataFrame([*self.history.to_dict("records"), row], columns=HISTORY)
        if self.best == len(self.history) - 1:
            self.best_weights = self.model.get_weights()
        self.kept.write(self.model, self.history, self.best)
        self.on_epoch(self.history.iloc[-1])
        self.model.stop_training = self.finished


def fit(
    model: keras.Model,
    train: Rows,
    validation: Rows,
    recipe: Recipe,
    *,
    seed: int,
    batches: type[Batches] = Batches,
    checkpoint: Path | None = None,
    first_epoch: int = 0,
    on_epoch: Callable[[pd.Series], None] = lambda row: None,
    on_batch: Callable[[int, int, int], None] = lambda epoch, batch, batches: None,
) -> pd.DataFrame:
    """Train a model in place and leave it with the weights of its best validation epoch.

    Parameters
    ----------
    model : keras.Model
        Gives probabilities of the classes of `train`; images of the store's size, 0 to 255.
    train, validation : Rows
        Rows of the splits ``train`` and ``val``.
    recipe : Recipe
        Optimizer, schedule, augmentation and stopping rule.
    seed : int
        Decides the order of the batches, the variants of the images and what dropout drops.
    batches : type
        What the model is shown; `lesionbook.features.Batches` shows stored features.
    checkpoint : Path, optional
        Folder to keep every epoch in. A training that was killed goes on behind the last whole epoch, to the same
        result as without the kill.
    first_epoch : int
        Number of epochs that went before (of another phase), so that orders and variants go on rather than repeat.
    on_epoch, on_batch : callable
        Called with the history's row of each epoch; with epoch, batch and the batches of an epoch.

    Returns
    -------
    DataFrame
        One row per epoch: epoch (from 1, behind those that went before), learning_rate (of its last step), loss,
        accuracy, val_loss, val_accuracy, val_balanced_accuracy, val_macro_f1, val_auc. Training accuracy is of
        augmented images, while the weights still change.

    Raises
    ------
    LesionbookError
        If a row of another split is passed, or the loss is no longer a number.
    """
    for rows, split in ((train, "train"), (validation, "val")):
        if set(rows.index["split"]) != {split}:
            raise LesionbookError(
                f"fitting.fit: expected rows of the split {split!r} only; pass store.rows({split!r})."
            )
    shown, kept = batches(train, recipe, seed=seed), Kept(checkpoint)
    model.compile(
        optimizer=rates.optimizer(recipe, len(shown)),
        loss=_loss(recipe),
        metrics=[keras.metrics.CategoricalAccuracy("accuracy")],
        jit_compile=keras.backend.backend() == "jax",
    )
    model.optimizer.build(model.trainable_variables)  # else TensorFlow traces the training step twice
    epochs = Epochs(shown, validation, recipe, kept, seed, first_epoch)
    epochs.history, epochs.best_weights = kept.resume(model, recipe.monitor, recipe.min_delta)
    epochs.on_epoch, epochs.on_batch = on_epoch, on_batch
    if not epochs.finished:
        model.fit(
            shown,
            initial_epoch=len(epochs.history),
            epochs=recipe.epochs,
            shuffle=False,  # the batches are in the order of the seed; Keras would draw another one
            callbacks=[epochs],
            verbose=0,
        )
    model.set_weights(epochs.best_weights)
    return epochs.history.astype({"epoch": int})


def _loss(recipe: Recipe) -> keras.losses.Loss:
    if recipe.loss == "binary_crossentropy":
        return keras.losses.BinaryCrossentropy(label_smoothing=recipe.label_smoothing)
    return keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
