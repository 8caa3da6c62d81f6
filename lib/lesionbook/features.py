"""What a frozen base makes of the images, computed once and kept: the head is trained on it.

A base that does not change answers the same image with the same features in every epoch. Computing them once per image,
and once per variant where training images are varied, saves all passes through the base but these.
"""

import keras
import numpy as np

from lesionbook import batches
from lesionbook.augmentation import augment, keys
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows
from lesionbook.recipes import Recipe

LAYER = "features"  # of every architecture: the vector that enters the head
TOLD = "told"  # of those with a second input: the metadata as they enter the head


def parts(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Base and head of a flat model; they share its layers, so that training the head trains the model.

    Metadata enter the head, beside the features.

    Raises
    ------
    LesionbookError
        If something before the layer ``features`` is trainable: its features change from epoch to epoch.
    """
    cut = model.get_layer(LAYER).output
    base = keras.Model(model.inputs[0], cut)
    head = keras.Model([cut, *told(model)] if told(model) else cut, model.output)
    if base.trainable_variables:
        raise LesionbookError(
            f"features: {base.trainable_variables[0].path} is trainable; set feature_variants to 0 in the study file."
        )
    return base, head


def told(model: keras.Model) -> list[keras.KerasTensor]:
    """Where metadata enter a model: behind its second input, if it has one.

    A part of a model may begin at any tensor but an input of the whole: Keras would give that input a second history,
    and the model could not be saved any more.
    """
    return [model.get_layer(TOLD).output] if model.inputs[1:] else []


def compute(base: keras.Model, rows: Rows, recipe: Recipe | None = None, *, seed: int = 0) -> Rows:
    """Features in the place of images.

    Parameters
    ----------
    base : keras.Model
        As `parts` gives it.
    rows : Rows
        N images.
    recipe : Recipe, optional
        Its ``feature_variants`` V and augmentation, for training images; without it the images are taken as they are.
    seed : int
        Seed of the variants: those that training on images would show in the first V epochs.

    Returns
    -------
    Rows
        The same index; the array is float32 of shape (N, F), or (N, V, F) under a recipe.
    """
    if recipe is None:
        return _with(rows, _answers(base, rows))
    answers = [_answers(base, rows, recipe, seed, epoch) for epoch in range(recipe.feature_variants)]
    return _with(rows, np.stack(answers, axis=1))


class Batches(batches.Batches):
    """Training batches of stored features; the variants take turns, one an epoch."""

    def inputs(self, chosen: np.ndarray) -> np.ndarray:
        """Features of the chosen images in this epoch, float32 of shape (B, F)."""
        return self.rows.images(chosen)[:, self.epoch % self.rows.array.shape[1]]


def _with(rows: Rows, array: np.ndarray) -> Rows:
    return Rows(rows.index, rows.classes, array, np.arange(len(rows)), rows.beside())


def _answers(
    base: keras.Model, rows: Rows, recipe: Recipe | None = None, seed: int = 0, epoch: int = 0, batch_size: int = 64
) -> np.ndarray:
    numbers = keys(rows.index["image_id"])
    answers = []
    for start in range(0, len(rows), batch_size):
        chosen = np.arange(start, min(start + batch_size, len(rows)))
        images = rows.images(chosen)
        if recipe is not None:
            changes = zip(images, numbers[chosen], strict=True)
            images = np.stack(
                [augment(one, recipe.augmentation, seed=seed, epoch=epoch, key=key) for one, key in changes]
            )
        answer = base.predict_on_batch(images)[: len(chosen)]  # of the first device, as in training.predict
        answers.append(keras.ops.convert_to_numpy(answer).astype("float32"))
    return np.concatenate(answers)
