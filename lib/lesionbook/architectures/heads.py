"""The ends of the networks: from features through dense layers to probabilities."""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from lesionbook.architectures.layers import AgainstZero, BatchNormalization
from lesionbook.errors import LesionbookError

Outputs = Literal["softmax", "single_sigmoid", "sigmoids"]


def answer(
    x: keras.KerasTensor, classes: int, outputs: Outputs = "softmax"
) -> keras.KerasTensor:
    """Add the layers ``logits`` and ``probabilities``.

    Parameters
    ----------
    x : KerasTensor of shape (N, F)
        What the last dense layer sees.
    classes : int
        Number of classes.
    outputs : {"softmax", "single_sigmoid", "sigmoids"}
        ``softmax``: one score per class, probabilities sum to 1. ``single_sigmoid``:
        one score z for the second of two classes, whose probability is the sigmoid of
        z; written as the softmax of (0, z), which is the same number and has the same
        gradient. ``sigmoids``: one score per class and each its own sigmoid, so that
        the probabilities of an image need not sum to 1.

    Returns
    -------
    KerasTensor of float32, shape (N, classes)

    Raises
    ------
    LesionbookError
        If a single sigmoid is to tell more than two classes.
    """
    if outputs == "single_sigmoid":
        if classes != 2:
            raise LesionbookError(
                f"heads.answer: a single sigmoid tells 2 classes, not {classes}; "
                "set outputs to softmax in the study file."
            )
        score = layers.Dense(1, name="logits", dtype="float32")(x)
        x = AgainstZero(name="scores", dtype="float32")(score)
    else:
        x = layers.Dense(classes, name="logits", dtype="float32")(x)
    kind = "sigmoid" if outputs == "sigmoids" else "softmax"
    return layers.Activation(kind, name="probabilities", dtype="float32")(x)


def hidden(
    x: keras.KerasTensor,
    widths: Sequence[int],
    *,
    dropout: float = 0.0,
    normalized: bool = False,
    activation: str = "relu",
) -> keras.KerasTensor:
    """Add dense layers between the features and the answer.

    Parameters
    ----------
    x : KerasTensor of shape (N, F)
        The features.
    widths : sequence of int
        Units of each dense layer; may be empty.
    dropout : float
        Share dropped while training, 0 to 1: after the last layer or, if normalized,
        after each.
    normalized : bool
        Each layer without bias and followed by batch normalization.
    activation : str
        Of each layer, after the normalization.
    """
    for number, width in enumerate(widths, start=1):
        name = f"dense{number}"
        if not normalized:
            x = layers.Dense(width, activation=activation, name=name)(x)
            continue
        x = layers.Dense(width, use_bias=False, name=name)(x)
        x = BatchNormalization(name=f"{name}_normalization")(x)
        x = layers.Activation(activation, name=f"{name}_{activation}")(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    if dropout and not normalized:
        x = layers.Dropout(dropout, name="dropout")(x)
    return x
