"""Convolutions, pooling and dense layers and nothing else: the network of Shadis."""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from lesionbook.architectures.heads import Outputs, answer
from lesionbook.architectures.limits import at_least

CONTROL = (32, 32, 32, 64, 64, 64)
FINAL = (16, 16, 16, 32, 32, 32)


def plain_cnn(
    image_size: int,
    classes: int,
    *,
    filters: Sequence[int] = CONTROL,
    activation: Literal["leaky_relu", "relu", "sigmoid", "tanh"] = "leaky_relu",
    alpha: float = 0.3,
    dropout: float = 0.2,
    dense_dropout: float = 0.6,
    outputs: Outputs = "sigmoids",
) -> keras.Model:
    """Build blocks of three 3×3 convolutions and pooling, then three dense layers.

    Parameters
    ----------
    image_size : int
        Side of the square RGB input in pixels, values 0 to 255; it is halved by each
        block.
    classes : int
        Number of classes.
    filters : sequence of int
        Filters of each convolution; every three make a block.
    activation : {"leaky_relu", "relu", "sigmoid", "tanh"}
        After each convolution.
    alpha : float
        Slope of the leaky rectifier left of zero.
    dropout, dense_dropout : float
        Share dropped while training, 0 to 1, after each block and after each of the
        first two dense layers.
    outputs : {"softmax", "single_sigmoid", "sigmoids"}
        How the network answers, see `heads.answer`.

    Returns
    -------
    keras.Model
        Probabilities of shape (N, classes), float32.

    Raises
    ------
    LesionbookError
        If the image is too small to be halved by each block.

    Notes
    -----
    Shadis, "Optimizing a convolutional neural network to detect melanoma in images"
    (2021). The first two dense layers have no activation, as there.
    """
    blocks = [filters[start : start + 3] for start in range(0, len(filters), 3)]
    at_least(image_size, 2 ** len(blocks), builder="plain_cnn")
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = layers.Rescaling(1 / 255, name="scale_to_unit")(inputs)
    for block, widths in enumerate(blocks, start=1):
        for place, width in enumerate(widths, start=1):
            name = f"block{block}_convolution{place}"
            x = layers.Conv2D(width, 3, padding="same", name=name)(x)
            x = activated(x, activation, alpha, name=f"block{block}_activation{place}")
        if block == len(blocks):
            x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
        x = layers.Dropout(dropout, name=f"block{block}_dropout")(x)
    x = layers.Flatten(name="features")(x)
    for number, width in enumerate((128, 64), start=1):
        x = layers.Dense(width, name=f"dense{number}")(x)
        x = layers.Dropout(dense_dropout, name=f"dense{number}_dropout")(x)
    return keras.Model(inputs, answer(x, classes, outputs), name="plain_cnn")


def activated(
    x: keras.KerasTensor, activation: str, alpha: float, *, name: str
) -> keras.KerasTensor:
    """Apply an activation function; `alpha` matters to the leaky rectifier only."""
    if activation == "leaky_relu":
        return layers.LeakyReLU(negative_slope=alpha, name=name)(x)
    return layers.Activation(activation, name=name)(x)
