"""A small convolutional network among the models of `lesionbook.leakage`: it can learn and it can remember."""

from typing import Any

import keras
import numpy as np
import pandas as pd

from lesionbook import rates, training
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.batches import Batches
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows
from lesionbook.leakage import Learner
from lesionbook.recipes import Recipe


def learner(recipe: Recipe, options: dict[str, Any]) -> dict[str, Learner]:
    """Give the network as `leakage.compare_splits` takes its models; see `Network`."""
    return {"convolutional network": ("images", lambda seed: Network(recipe, options, seed=seed))}


class Network:
    """The residual CNN, trained for a fixed number of epochs, of which the last one counts.

    Nothing is chosen, so that no validation images are needed. `lesionbook.training.begin` is to be called before.

    Parameters
    ----------
    recipe : Recipe
        How it is trained; what it says of stopping and of the best epoch has no meaning here.
    options : dict
        Keyword arguments of `residual_cnn`, without the image size and the number of classes.
    seed : int
        Of the initial weights, the order of the batches and the variants of the images.

    Raises
    ------
    LesionbookError
        If the recipe needs validation images, a frozen base, or independent outputs.
    """

    def __init__(self, recipe: Recipe, options: dict[str, Any], *, seed: int) -> None:
        if recipe.schedule == "plateau" or recipe.feature_variants or recipe.loss != "categorical_crossentropy":
            raise LesionbookError(
                "leakage: its network is trained on images alone and without validation; leave out schedule: plateau, "
                "feature_variants and loss in the recipe."
            )
        self.recipe, self.options, self.seed = recipe, options, seed

    def fit(self, images: np.ndarray, labels: pd.Series) -> "Network":
        """Learn from training images, uint8 of shape (N, S, S, 3), and their class keys."""
        self.classes = np.unique(labels)
        index = pd.DataFrame({"image_id": np.arange(len(images)).astype(str), "label": labels.to_numpy()})
        keras.utils.set_random_seed(self.seed)
        self.model = residual_cnn(images.shape[1], len(self.classes), **self.options)
        shown = Batches(self._rows(images, index), self.recipe, seed=self.seed)
        self.model.compile(
            optimizer=rates.optimizer(self.recipe, len(shown)),
            loss=keras.losses.CategoricalCrossentropy(label_smoothing=self.recipe.label_smoothing),
            jit_compile=keras.backend.backend() == "jax",
        )
        self.model.fit(
            shown,
            epochs=self.recipe.epochs,
            shuffle=False,  # the batches are in the order of the seed; Keras would draw another one
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: shown.start(epoch))],
            verbose=0,
        )
        return self

    def predict(self, images: np.ndarray) -> np.ndarray:
        """Most probable class keys of images, str of shape (N,)."""
        rows = self._rows(images, pd.DataFrame(index=range(len(images))))
        return self.classes[training.predict(self.model, rows, batch_size=256).argmax(axis=1)]

    def _rows(self, images: np.ndarray, index: pd.DataFrame) -> Rows:
        return Rows(index, list(self.classes), images, np.arange(len(images)))
