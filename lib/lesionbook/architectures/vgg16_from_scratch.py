"""VGG16 with batch normalization, to be trained from scratch: the network of Zhao."""

from collections.abc import Sequence

import keras
from keras import layers

from lesionbook.architectures.heads import Outputs, answer
from lesionbook.architectures.layers import BatchNormalization
from lesionbook.architectures.limits import at_least

CONVOLUTIONS = (2, 2, 3, 3, 3)  # of each block


def vgg16_from_scratch(
    image_size: int,
    classes: int,
    *,
    filters: Sequence[int] = (64, 128, 256, 512, 512),
    dense: Sequence[int] = (256, 256),
    dropout: float = 0.5,
    outputs: Outputs = "single_sigmoid",
) -> keras.Model:
    """Build VGG16's five blocks with batch normalization, and two dense layers.

    Parameters
    ----------
    image_size : int
        Side of the square RGB input in pixels, values 0 to 255; at least 32, since it
        is halved five times.
    classes : int
        Number of classes.
    filters : sequence of five int
        Filters of the convolutions of each block.
    dense : sequence of int
        Units of the dense layers.
    dropout : float
        Share dropped while training, 0 to 1, after the third and the fifth block and
        after each dense layer.
    outputs : {"softmax", "single_sigmoid", "sigmoids"}
        How the network answers, see `heads.answer`.

    Returns
    -------
    keras.Model
        Probabilities of shape (N, classes), float32.

    Raises
    ------
    LesionbookError
        If the image is smaller than 32 pixels.

    Notes
    -----
    Zhao, CNN cancer detection (2024), after Simonyan and Zisserman, "Very deep
    convolutional networks for large-scale image recognition" (2015). Normalization
    stands behind the rectifier, as in the study.
    """
    at_least(image_size, 32, builder="vgg16_from_scratch")
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = layers.Rescaling(1 / 255, name="scale_to_unit")(inputs)
    plan = zip(filters, CONVOLUTIONS, strict=True)
    for block, (width, count) in enumerate(plan, start=1):
        for place in range(1, count + 1):
            name = f"block{block}_convolution{place}"
            x = layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)
            x = BatchNormalization(name=f"block{block}_normalization{place}")(x)
        if block == len(CONVOLUTIONS):
            x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
        if block in (3, 5):
            x = layers.Dropout(dropout, name=f"block{block}_dropout")(x)
    x = layers.Flatten(name="features")(x)
    for number, width in enumerate(dense, start=1):
        x = layers.Dense(width, activation="relu", name=f"dense{number}")(x)
        x = BatchNormalization(name=f"dense{number}_normalization")(x)
        x = layers.Dropout(dropout, name=f"dense{number}_dropout")(x)
    return keras.Model(inputs, answer(x, classes, outputs), name="vgg16_from_scratch")
