"""What a network learned and what it looked at: kernels, feature maps, an embedding, Grad-CAM."""

from typing import Literal

import keras
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from lesionbook.errors import LesionbookError
from lesionbook.features import told
from lesionbook.operations import gradient

BATCH = 32  # images in a network at once
LAST = "last_convolution"  # layer of every architecture


def kernels(model: keras.Model, layer: str | None = None) -> np.ndarray:
    """Read the kernels of a convolution layer, by default of the first one.

    Parameters
    ----------
    model : keras.Model
        Flat.
    layer : str, optional
        Name of a convolution layer.

    Returns
    -------
    ndarray of float32, shape (K, h, w, C)
        K kernels over C channels of the layer's input.

    Raises
    ------
    LesionbookError
        If the model has no such convolution.
    """
    return np.moveaxis(_convolution(model, layer).get_weights()[0], -1, 0).astype("float32")


def feature_maps(model: keras.Model, images: np.ndarray, layer: str | None = None) -> np.ndarray:
    """Compute what a layer answers to images, by default the first convolution.

    Parameters
    ----------
    model : keras.Model
        Flat; its first input takes images.
    images : ndarray, shape (N, S, S, 3)
        0 to 255.
    layer : str, optional
        Name of any layer on the way of the image whose output is a stack of maps.

    Returns
    -------
    ndarray of float32, shape (N, h, w, K)

    Raises
    ------
    LesionbookError
        If the model has no such layer.
    """
    found = _convolution(model, None) if layer is None else _layer(model, layer)
    return _run(keras.Model(model.inputs[0], found.output), [images])


def features(model: keras.Model, images: np.ndarray, metadata: np.ndarray | None = None) -> np.ndarray:
    """Compute the vector on which the network decides: the output of its layer ``features``, else what ``logits`` sees.

    Parameters
    ----------
    model : keras.Model
        Flat.
    images : ndarray, shape (N, S, S, 3)
        0 to 255.
    metadata : ndarray, shape (N, M), optional
        What the second input of the network takes, where it has one.

    Returns
    -------
    ndarray of float32, shape (N, F)
    """
    named = any(layer.name == "features" for layer in model.layers)
    output = model.get_layer("features").output if named else model.get_layer("logits").input
    values = _run(_model(model.inputs, output), [images, *_second(model, metadata)])
    return values.reshape(len(values), -1)


def embedding(features: np.ndarray, *, seed: int, method: Literal["pca", "tsne"] = "pca") -> pd.DataFrame:
    """Lay features out in a plane.

    Parameters
    ----------
    features : ndarray, shape (N, F)
        At least four rows; see `features`.
    seed : int
    method : {"pca", "tsne"}
        The two directions of largest variance (principal component analysis), or t-SNE (van der Maaten and Hinton,
        2008) started from them, which keeps neighbours together but neither distances nor the sizes of groups.

    Returns
    -------
    DataFrame of float, N rows, 2 columns
        Each column's name says what it is, for PCA with its share of the variance.

    Raises
    ------
    LesionbookError
        If there are fewer than four rows, or the method is unknown.
    """
    if method not in ("pca", "tsne"):
        raise LesionbookError(f"explain.embedding: method {method!r} is unknown; choose pca or tsne.")
    if len(features) < 4:
        raise LesionbookError(f"explain.embedding: {len(features)} images are too few to lay out; pass at least 4.")
    if np.ptp(features, axis=0).max() == 0:  # a network that died answers all images alike
        points = np.zeros((len(features), 2))
        names = ["first direction (no variance)", "second direction (no variance)"]
    elif method == "pca":
        reduction = PCA(2, random_state=seed)
        points = reduction.fit_transform(features)
        shares = reduction.explained_variance_ratio_
        names = [f"principal component {n} ({share:.0%} of the variance)" for n, share in enumerate(shares, start=1)]
    else:
        # 50 directions hold nearly all the variance and make distances cheap, as in the paper.
        reduced = PCA(min(50, *features.shape), random_state=seed).fit_transform(features)
        perplexity = min(30.0, (len(features) - 1) / 3)
        points = TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(reduced)
        names = ["t-SNE, first axis", "t-SNE, second axis"]
    return pd.DataFrame(points.astype(float), columns=names)


class GradCam:
    """Grad-CAM of one network, whose parts are made once; see `grad_cam`.

    Maps of a single place cannot say where. Where those of ``last_convolution`` are such (InceptionResNetV2 below 107
    pixels), those of the last layer before it are taken that have more places and that no other path leads around.

    Attributes
    ----------
    layer : str
        Whose maps it looks at.
    places : tuple of int
        Their height and width.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model, names = model, [layer.name for layer in model.layers]
        before = model.layers[: names.index(LAST) + 1]
        several = [layer.name for layer in before if len(layer.output.shape) == 4 and max(layer.output.shape[1:3]) > 1]
        for self.layer in reversed(several or [LAST]):
            maps = model.get_layer(self.layer).output
            try:
                self._head = _model([maps, *told(model)], model.get_layer("logits").output)
            except ValueError:  # of Keras: another path leads around this layer
                continue
            self._maps, self.places = keras.Model(model.inputs[0], maps), maps.shape[1:3]
            return

    def __call__(self, images: np.ndarray, classes: np.ndarray, metadata: np.ndarray | None = None) -> np.ndarray:
        """Maps of the regions that speak for classes; arguments, result and errors are those of `grad_cam`."""
        second = _second(self._model, metadata)
        maps = _run(self._maps, [images])
        directions = np.eye(self._model.output.shape[-1])
        if self._head.output.shape[-1] == 1 and len(directions) == 2:
            directions = np.array([[-1], [1]])
        chosen = directions[classes].astype("float32")
        gradients = gradient(lambda values: _call(self._head, [values, *second]) * chosen, maps)
        weights = gradients.mean(axis=(1, 2), keepdims=True)
        heat = np.maximum((weights * maps).sum(axis=-1), 0)
        return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)


def grad_cam(
    model: keras.Model, images: np.ndarray, classes: np.ndarray, metadata: np.ndarray | None = None
) -> np.ndarray:
    """Map of the image regions that speak for a class.

    Parameters
    ----------
    model : keras.Model
        Flat, with the layers ``last_convolution`` and ``logits``. Where there is one logit z for two classes, z speaks
        for class 1 and -z for class 0.
    images : ndarray of uint8, shape (N, S, S, 3)
    classes : ndarray of int, shape (N,)
        Class position for which each image is explained.
    metadata : ndarray, shape (N, M), optional
        What the second input of the network takes, where it has one.

    Returns
    -------
    ndarray of float32, shape (N, h, w)
        As many places as the maps that `GradCam` looks at, scaled to 0…1 (all 0 where nothing speaks for the class).

    Raises
    ------
    LesionbookError
        If metadata are missing, or given to a network that takes none.

    Notes
    -----
    Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization" (2017): the
    feature maps are added up with the mean gradient of the class's score before the softmax as weights, and negative
    sums are cut off.
    """
    return GradCam(model)(images, classes, metadata)


def _layer(model: keras.Model, name: str) -> keras.layers.Layer:
    try:
        return model.get_layer(name)
    except ValueError as error:
        raise LesionbookError(f"explain: {model.name} has no layer {name!r}; see the table of its layers.") from error


def _convolution(model: keras.Model, name: str | None) -> keras.layers.Layer:
    candidates = model.layers if name is None else [_layer(model, name)]
    for layer in candidates:
        if isinstance(layer, keras.layers.Conv2D):
            return layer
    where = "no convolution" if name is None else f"no convolution named {name!r}"
    raise LesionbookError(f"explain: {model.name} has {where}; name a layer of the kind Conv2D.")


def _second(model: keras.Model, metadata: np.ndarray | None) -> list[np.ndarray]:
    given = [] if metadata is None else [metadata]
    if len(model.inputs) != 1 + len(given):
        raise LesionbookError(
            f"explain: {model.name} takes {len(model.inputs)} inputs and was given {1 + len(given)}; "
            "pass metadata to a network that reads them, and to no other."
        )
    return given


def _model(inputs: list, output: object) -> keras.Model:
    """Make a part of a model; a single input goes without a list, or Keras complains of another structure."""
    return keras.Model(inputs if len(inputs) > 1 else inputs[0], output)


def _call(model: keras.Model, given: list) -> object:
    given = [keras.ops.convert_to_tensor(one) for one in given]
    return model(given if len(given) > 1 else given[0], training=False)


def _run(model: keras.Model, given: list[np.ndarray]) -> np.ndarray:
    """Answers of a part of a model, computed in batches."""
    parts = [
        keras.ops.cast(_call(model, [array[start : start + BATCH] for array in given]), "float32")
        for start in range(0, len(given[0]), BATCH)
    ]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])
