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


def parts(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """Base and head of a flat model; they share its layers, so that training the head trains the model.

    Raises
    ------
    LesionbookError
        If something before the layer ``features`` is trainable: its features change from epoch to epoch.
    """
    cut = model.get_layer(LAYER).output
    base, head = keras.Model(model.inputs, cut), keras.Model(cut, model.output)
    if base.trainable_variables:
        raise LesionbookError(
            f"features: {base.trainable_variables[0].path} is trainable; set feature_variants to 0 in the study file."
        )
    return base, head


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
    return Rows(rows.index, rows.classes, array, np.arange(len(rows)))


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
        answers.append(keras.ops.convert_to_numpy(base.predict_on_batch(images)).astype("float32"))
    return np.concatenate(answers)
