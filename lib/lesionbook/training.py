"""Training a Keras model on stored images: seeded, deterministic, chosen on validation, blind to the test images."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import keras
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lesionbook import metrics, predictions
from lesionbook.augmentation import augment, keys
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows
from lesionbook.recipes import Recipe
from lesionbook.weights import class_weights

HISTORY = ["epoch", "learning_rate", "loss", "accuracy", "val_loss", "val_accuracy", "val_balanced_accuracy", "val_auc"]
DIVERGED = "training.fit: the loss is no longer a number; lower learning_rate in the study file."


def begin(*, seed: int, threads: int, precision: str = "float32") -> str:
    """Fix seed, thread count and number format for this process; call it before any model is built.

    The same seed gives bit-identical training for the same thread count on the same kind of processor; another thread
    count adds numbers in another order.

    Parameters
    ----------
    seed, threads : int
    precision : {"auto", "float32", "mixed_bfloat16"}
        ``mixed_bfloat16`` computes in 16 bits and keeps weights in 32; ``auto`` takes it where the hardware has units
        for it (a GPU, or a processor with AMX), since elsewhere it is slower than ``float32``.

    Returns
    -------
    str
        The number format taken.

    Raises
    ------
    LesionbookError
        If TensorFlow has already started with another number of threads (a notebook kernel must be restarted then).
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        if tf.config.threading.get_intra_op_parallelism_threads() != threads:
            try:
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
            except RuntimeError as error:
                raise LesionbookError(
                    "training.begin: the number of threads can be set only once; restart the kernel to change it."
                ) from error
        tf.config.experimental.enable_op_determinism()
    threadpool_limits(limits=threads)
    cv2.setNumThreads(1)
    keras.utils.set_random_seed(seed)
    if precision == "auto":
        precision = "mixed_bfloat16" if _computes_bfloat16() else "float32"
    keras.mixed_precision.set_global_policy(precision)
    return precision


def settings() -> list[str | int]:
    """What besides recipe and seed decides the bits of a training: backend, number format, threads, processor."""
    threads = 0
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        threads = tf.config.threading.get_intra_op_parallelism_threads()
    return [keras.backend.backend(), keras.mixed_precision.dtype_policy().name, threads, platform.machine()]


def _computes_bfloat16() -> bool:
    processor = Path("/proc/cpuinfo")
    if processor.exists() and "amx_bf16" in processor.read_text(encoding="utf-8"):
        return True
    return any(device.split(":")[0] in ("gpu", "tpu") for device in keras.distribution.list_devices())


class Batches(keras.utils.PyDataset):
    """Training batches whose order and variants depend on seed and epoch alone, so that a rerun sees the same."""

    def __init__(self, rows: Rows, recipe: Recipe, *, seed: int) -> None:
        super().__init__()
        self.rows, self.recipe, self.seed = rows, recipe, seed
        self.keys = keys(rows.index["image_id"])
        self.targets = np.eye(len(rows.classes), dtype="float32")[rows.codes]
        weights = class_weights(rows.index["label"], rows.classes, recipe.class_weights)
        self.weights = np.array(list(weights.values()), dtype="float32")
        self.start(0)

    def __len__(self) -> int:
        """Batches per epoch; the last one may be smaller, no image is dropped."""
        return -(-len(self.rows) // self.recipe.batch_size)

    def __getitem__(self, batch: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Images of shape (B, S, S, 3), 0 to 255, targets of shape (B, classes) and weights in the loss of shape (B,).

        With mixup (Zhang et al., 2018) each image is blended with another one of the batch, and so are their targets;
        the share is drawn from Beta(mixup, mixup), once per batch.
        """
        chosen = self.order[batch * self.recipe.batch_size : (batch + 1) * self.recipe.batch_size]
        images = [
            augment(image, self.recipe.augmentation, seed=self.seed, epoch=self.epoch, key=self.keys[position])
            for image, position in zip(self.rows.images(chosen), chosen, strict=True)
        ]
        blended, targets = np.stack(images), self.targets[chosen]
        if self.recipe.mixup:
            generator = np.random.default_rng([self.seed, self.epoch, batch])
            share = np.float32(generator.beta(self.recipe.mixup, self.recipe.mixup))
            partners = generator.permutation(len(chosen))
            blended = share * blended + (1 - share) * blended[partners]
            targets = share * targets + (1 - share) * targets[partners]
        return blended, targets, targets @ self.weights

    def start(self, epoch: int) -> None:
        """Take up an epoch (from 0) with its own order and variants.

        It is told rather than counted, since Keras runs through the batches once more before the first epoch.
        """
        self.epoch = epoch
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.rows))


class ValidationScores(keras.callbacks.Callback):
    """Score the validation images after each epoch from one prediction table, as every other score of the suite is."""

    def __init__(self, rows: Rows, batch_size: int) -> None:
        super().__init__()
        self.rows, self.batch_size = rows, batch_size

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Add ``val_loss`` (log loss), ``val_accuracy``, ``val_balanced_accuracy`` and ``val_auc`` to the logs."""
        probabilities = predict(self.model, self.rows, batch_size=self.batch_size)
        if not np.isfinite(probabilities).all():
            raise LesionbookError(DIVERGED)
        scores = metrics.scores(predictions.table(self.rows.index, probabilities, self.rows.classes))
        for name, score in [("loss", "log_loss"), ("auc", "macro_auc")]:
            logs[f"val_{name}"] = scores[score]
        for name in ("accuracy", "balanced_accuracy"):
            logs[f"val_{name}"] = scores[name]


def fit(
    model: keras.Model,
    train: Rows,
    validation: Rows,
    recipe: Recipe,
    *,
    seed: int,
    on_epoch: Callable[[pd.Series], None] = lambda row: None,
) -> pd.DataFrame:
    """Train a model in place and leave it with the weights of its best validation epoch.

    Parameters
    ----------
    model : keras.Model
        Softmax over the classes of `train`; images of the store's size, 0 to 255.
    train, validation : Rows
        Rows of the splits ``train`` and ``val``.
    recipe : Recipe
        Optimizer, schedule, augmentation and stopping rule.
    seed : int
        Decides the order of the batches and the variants of the images.
    on_epoch : callable
        Called with each finished epoch's row of the history, for a progress line.

    Returns
    -------
    DataFrame
        One row per epoch: epoch (from 1), learning_rate, loss, accuracy, val_loss, val_accuracy,
        val_balanced_accuracy, val_auc. Training accuracy is of augmented images, while the weights still change.

    Raises
    ------
    LesionbookError
        If a row of another split is passed, or the loss is no longer a number.
    """
    for rows, split in ((train, "train"), (validation, "val")):
        if set(rows.index["split"]) != {split}:
            raise LesionbookError(
                f"training.fit: expected rows of the split {split!r} only; pass store.rows({split!r})."
            )
    batches = Batches(train, recipe, seed=seed)
    schedule = _schedule(recipe, len(batches))
    model.compile(
        optimizer=_optimizer(recipe, schedule),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing),
        metrics=["accuracy"],
        jit_compile=keras.backend.backend() == "jax",
    )
    rows: list[pd.Series] = []

    def record(epoch: int, logs: dict) -> None:
        rate = float(schedule((epoch + 1) * len(batches) - 1))
        rows.append(pd.Series({**logs, "epoch": epoch + 1, "learning_rate": rate})[HISTORY])
        on_epoch(rows[-1])

    mode = "min" if recipe.monitor == "val_loss" else "max"
    model.fit(
        batches,
        epochs=recipe.epochs,
        shuffle=False,  # the batches are in the order of the seed; Keras would draw another one
        callbacks=[
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.start(epoch)),
            ValidationScores(validation, recipe.batch_size),
            keras.callbacks.LambdaCallback(on_epoch_end=record),
            keras.callbacks.TerminateOnNaN(),
            keras.callbacks.EarlyStopping(
                recipe.monitor, mode=mode, patience=recipe.patience, restore_best_weights=True, start_from_epoch=0
            ),
        ],
        verbose=0,
    )
    history = pd.DataFrame(rows).astype({"epoch": int})
    if history.empty or not np.isfinite(history["loss"]).all():
        raise LesionbookError(DIVERGED)
    return history


def _optimizer(recipe: Recipe, schedule: keras.optimizers.schedules.LearningRateSchedule) -> keras.optimizers.Optimizer:
    """AdamW (Loshchilov and Hutter, 2019) that lets scales and biases be: only kernels are kept small."""
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    return optimizer


def _schedule(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear warm-up to the peak rate, then half a cosine down to zero (Loshchilov and Hutter, 2017)."""
    warmup = min(recipe.warmup_epochs, recipe.epochs - 1) * steps_per_epoch
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if warmup else recipe.learning_rate,
        decay_steps=recipe.epochs * steps_per_epoch - warmup,
        warmup_target=recipe.learning_rate if warmup else None,
        warmup_steps=warmup,
    )


def predict(model: keras.Model, rows: Rows, *, views: Literal[1, 4, 8] = 1, batch_size: int = 64) -> np.ndarray:
    """Probabilities for rows of the store, in their order.

    Parameters
    ----------
    model : keras.Model
        As trained by `fit`.
    rows : Rows
        Any rows of the store.
    views : {1, 4, 8}
        Average over the image, its 4 quarter turns, or these and their mirror images (a lesion has no upright).
    batch_size : int
        Images per step; memory does not grow with the number of rows.

    Returns
    -------
    ndarray of float64, shape (N, classes)
        Rows sum to 1.
    """
    parts = []
    for start in range(0, len(rows), batch_size):
        images = rows.images(np.arange(start, min(start + batch_size, len(rows))))
        turned = [np.rot90(images, turn, axes=(1, 2)) for turn in range(min(views, 4))]
        if views == 8:
            turned += [view[:, :, ::-1] for view in turned]
        outputs = [keras.ops.convert_to_numpy(model.predict_on_batch(np.ascontiguousarray(view))) for view in turned]
        parts.append(np.mean(outputs, axis=0, dtype=float))
    probabilities = np.concatenate(parts)
    return probabilities / probabilities.sum(axis=1, keepdims=True)
