"""Which layers of a pretrained network learn: none, those from one on, or all."""

import difflib

import keras

from lesionbook.errors import LesionbookError

# Layers that only name or convert something, which published models do not have.
ADDED = {"last_convolution", "scores", "probabilities"}


def freeze(base: keras.Model, trainable_from: str | None) -> None:
    """Decide what of a base learns.

    Unless all of it learns, its normalization and dropout work as in prediction.

    Parameters
    ----------
    base : keras.Model
        A network of keras.applications without its top, changed in place.
    trainable_from : str or None
        Name of the first layer that learns; None or "" for none, ``all`` for every
        layer, as if trained from scratch.

    Raises
    ------
    LesionbookError
        If the base has no layer of that name, or nothing from there on can learn.
    """
    if trainable_from == "all":
        return
    for layer in base.layers:
        if layer.weights:
            layer.trainable = False
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0  # while training, Keras cannot call one layer otherwise
    if trainable_from:
        start = _position(base, trainable_from)
        _thaw(base.layers[start:], f"trainable_from: {trainable_from}")


def unfreeze(
    model: keras.Model, *, last: int | None = None, from_layer: str | None = None
) -> list[str]:
    """Let the end of a frozen base learn as well; compile the model afterwards.

    Batch normalization in the base keeps its scale, shift and averages and works as in
    prediction, since the batches of a small data set would spoil what many images have
    taught it. The head, and layers before the given one, stay as they are.

    Parameters
    ----------
    model : keras.Model
        Flat, from a builder of `pretrained`, changed in place.
    last : int, optional
        So many layers from the end of the whole model, its head included, those in
        `ADDED` not counted.
    from_layer : str, optional
        This layer and all behind it.

    Returns
    -------
    list of str
        Names of the layers that begin to learn by this.

    Raises
    ------
    LesionbookError
        If not exactly one of the two is given, the layer does not exist, or nothing
        begins to learn.
    """
    if (last is None) == (from_layer is None):
        raise LesionbookError(
            "freezing.unfreeze: which layers learn is not clear; "
            "give either last or from_layer under fine_tuning in the study file."
        )
    if last is not None:
        counted = [layer for layer in model.layers if layer.name not in ADDED]
        return _thaw(counted[-last:], f"last: {last}")
    start = _position(model, from_layer)
    return _thaw(model.layers[start:], f"from_layer: {from_layer}")


def _thaw(layers: list[keras.Layer], asked: str) -> list[str]:
    frozen = [
        layer
        for layer in layers
        if layer.weights
        and not layer.trainable
        and not isinstance(layer, keras.layers.BatchNormalization)
    ]
    if not frozen:
        raise LesionbookError(
            f"freezing: no layer of the base begins to learn by {asked!r}; "
            "name an earlier layer, or more of them, in the study file."
        )
    for layer in frozen:
        layer.trainable = True
    return [layer.name for layer in frozen]


def _position(model: keras.Model, name: str) -> int:
    names = [layer.name for layer in model.layers]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1) or names[-1:]
        raise LesionbookError(
            f"freezing: {model.name} has no layer {name!r}; "
            f"did you mean {near[0]!r} in the study file?"
        )
    return names.index(name)
