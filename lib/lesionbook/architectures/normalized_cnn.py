"""A plain network with batch normalization after each convolution: that of Resh."""

from collections.abc import Sequence
from typing import Literal

import keras
from keras import layers

from lesionbook.architectures.heads import Outputs, answer, hidden
from lesionbook.architectures.layers import BatchNormalization
from lesionbook.architectures.limits import at_least

TUNED = (192, 256, 416, 160)


def normalized_cnn(
    image_size: int,
    classes: int,
    *,
    filters: Sequence[int] = (32, 64, 128, 256, 512),
    activation: Literal["softmax", "relu"] = "relu",
    bias: Literal["first", "all"] = "first",
    dense: int = 512,
    dropout: float = 0.3,
    dense_dropout: float = 0.5,
    outputs: Outputs = "single_sigmoid",
) -> keras.Model:
    """Build blocks of convolution, batch normalization, activation and pooling.

    Parameters
    ----------
    image_size : int
        Side of the square RGB input in pixels, values 0 to 255. Each block takes two
        pixels off and halves the rest, so that two blocks need 10 pixels, three 22,
        four 46 and five 94.
    classes : int
        Number of classes.
    filters : sequence of int
        Filters of each block; the study's search ended with those in `TUNED`.
    activation : {"softmax", "relu"}
        Inside the network; softmax is taken over the channels of each pixel.
    bias : {"first", "all"}
        Which convolutions have one: the first only, or all as in the tuned network.
    dense : int
        Units of the dense layer.
    dropout, dense_dropout : float
        Share dropped while training, 0 to 1, after each block and the dense layer.
    outputs : {"softmax", "single_sigmoid", "sigmoids"}
        How the network answers, see `heads.answer`.

    Returns
    -------
    keras.Model
        Probabilities of shape (N, classes), float32.

    Raises
    ------
    LesionbookError
        If the image is too small for so many blocks.

    Notes
    -----
    Resh, cancer detection in pathology images (2021). Of the tuned network's head the
    study says nothing; it is taken to be that of the others.
    """
    least = 3 * 2 ** len(filters) - 2
    at_least(image_size, least, builder="normalized_cnn", cure=" or give fewer filters")
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = layers.Rescaling(1 / 255, name="scale_to_unit")(inputs)
    for block, width in enumerate(filters, start=1):
        name = f"block{block}"
        biased = bias == "all" or block == 1
        x = layers.Conv2D(width, 3, use_bias=biased, name=f"{name}_convolution")(x)
        x = BatchNormalization(name=f"{name}_normalization")(x)
        x = layers.Activation(activation, name=f"{name}_{activation}")(x)
        if block == len(filters):
            x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
        x = layers.MaxPooling2D(2, name=f"{name}_pool")(x)
        x = layers.Dropout(dropout, name=f"{name}_dropout")(x)
    x = layers.Flatten(name="features")(x)
    x = hidden(
        x, [dense], dropout=dense_dropout, normalized=True, activation=activation
    )
    return keras.Model(inputs, answer(x, classes, outputs), name="normalized_cnn")
