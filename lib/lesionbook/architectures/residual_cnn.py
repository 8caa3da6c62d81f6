"""A compact residual network for training from scratch on some thousand images."""

from collections.abc import Sequence

import keras
from keras import layers

from lesionbook.architectures.layers import BatchNormalization


def residual_cnn(
    image_size: int,
    classes: int,
    *,
    widths: Sequence[int] = (32, 64, 128, 256),
    blocks: Sequence[int] = (1, 1, 2, 2),
    dropout: float = 0.3,
) -> keras.Model:
    """Build the residual CNN: strided stem, stages of residual blocks, softmax.

    Parameters
    ----------
    image_size : int
        Side of the square RGB input in pixels, values 0 to 255.
    classes : int
        Number of outputs.
    widths : sequence of int
        Channels of each stage; every stage but the first halves height and width.
    blocks : sequence of int
        Residual blocks of each stage, as many numbers as `widths`.
    dropout : float
        Share of the pooled features dropped while training, 0 to 1.

    Returns
    -------
    keras.Model
        Softmax probabilities of shape (N, classes), float32.

    Notes
    -----
    The block is that of He et al., "Deep residual learning for image recognition"
    (2016), with average pooling in the shortcut (He et al., "Bag of tricks", 2019) and
    the last scale of each block starting at zero, so that the network starts as the
    identity.
    """
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scale_to_plus_minus_one")(inputs)
    x = layers.Conv2D(
        widths[0], 3, strides=2, padding="same", use_bias=False, name="stem_convolution"
    )(x)
    x = BatchNormalization(momentum=0.95, name="stem_normalization")(x)
    x = layers.Activation("relu", name="stem_relu")(x)
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True), start=1):
        for block in range(1, count + 1):
            strides = 2 if block == 1 and stage > 1 else 1
            x = residual_block(
                x, width, strides=strides, name=f"stage{stage}_block{block}"
            )
    x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
    x = layers.GlobalAveragePooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(classes, name="logits", dtype="float32")(x)
    outputs = layers.Activation("softmax", name="probabilities", dtype="float32")(x)
    return keras.Model(inputs, outputs, name="residual_cnn")


def residual_block(
    x: keras.KerasTensor, width: int, *, strides: int, name: str
) -> keras.KerasTensor:
    """Two 3×3 convolutions added to a shortcut, pooled and projected where needed."""
    shortcut = x
    x = layers.Conv2D(
        width,
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        name=f"{name}_convolution1",
    )(x)
    x = BatchNormalization(momentum=0.95, name=f"{name}_normalization1")(x)
    x = layers.Activation("relu", name=f"{name}_relu1")(x)
    x = layers.Conv2D(
        width, 3, padding="same", use_bias=False, name=f"{name}_convolution2"
    )(x)
    x = BatchNormalization(
        momentum=0.95, gamma_initializer="zeros", name=f"{name}_normalization2"
    )(x)
    if strides > 1:
        shortcut = layers.AveragePooling2D(
            strides, padding="same", name=f"{name}_shortcut_pool"
        )(shortcut)
    if shortcut.shape[-1] != width:
        shortcut = layers.Conv2D(
            width, 1, use_bias=False, name=f"{name}_shortcut_convolution"
        )(shortcut)
        shortcut = BatchNormalization(
            momentum=0.95, name=f"{name}_shortcut_normalization"
        )(shortcut)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_relu2")(x)
