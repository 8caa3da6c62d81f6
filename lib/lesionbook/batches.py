"""What a network is shown in an epoch: batches whose order and variants depend on seed and epoch alone."""

import keras
import numpy as np

from lesionbook import devices
from lesionbook.augmentation import augment, keys
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows
from lesionbook.recipes import Recipe
from lesionbook.weights import class_weights


class Batches(keras.utils.PyDataset):
    """Training batches whose order and variants depend on seed and epoch alone, so that a rerun sees the same."""

    def __init__(self, rows: Rows, recipe: Recipe, *, seed: int) -> None:
        super().__init__()
        self.rows, self.recipe, self.seed, self.devices = rows, recipe, seed, devices.count()
        if recipe.batch_size % self.devices:
            raise LesionbookError(
                f"batch_size {recipe.batch_size} cannot be shared equally by {self.devices} devices; make it a "
                f"multiple of {self.devices} in the study file."
            )
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

        Where the rows have metadata, these stand beside the images.

        With mixup (Zhang et al., 2018) each image is blended with another one of the batch, and so are their targets;
        the share is drawn from Beta(mixup, mixup), once per batch.
        """
        chosen = self.order[batch * self.recipe.batch_size : (batch + 1) * self.recipe.batch_size]
        shown, targets = self.rows.inputs(self.inputs(chosen), chosen), self.targets[chosen]
        if self.recipe.mixup:
            generator = np.random.default_rng([self.seed, self.epoch, batch])
            share = np.float32(generator.beta(self.recipe.mixup, self.recipe.mixup))
            partners = generator.permutation(len(chosen))
            shown, targets = keras.tree.map_structure(
                lambda part: share * part + (1 - share) * part[partners], (shown, targets)
            )
        return shown, targets, targets @ self.weights

    def inputs(self, chosen: np.ndarray) -> np.ndarray:
        """Variants of the chosen images in this epoch, uint8 of shape (B, S, S, 3)."""
        images = zip(self.rows.images(chosen), self.keys[chosen], strict=True)
        changes = self.recipe.augmentation
        return np.stack([augment(one, changes, seed=self.seed, epoch=self.epoch, key=key) for one, key in images])

    def start(self, epoch: int) -> None:
        """Take up an epoch (from 0) with its own order and variants.

        It is told rather than counted, since Keras runs through the batches once more before the first epoch. Where
        several devices share each batch, the first images are shown once more at the end, as many as the last batch
        lacks for equal shares.
        """
        self.epoch = epoch
        order = np.random.default_rng([self.seed, epoch]).permutation(len(self.rows))
        self.order = np.resize(order, len(order) + -len(order) % self.devices)
