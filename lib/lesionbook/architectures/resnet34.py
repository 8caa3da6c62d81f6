"""ResNet-34, as He and others drew it, or with another plan."""

from collections.abc import Sequence

import keras
from keras import layers

from lesionbook.architectures.heads import Outputs, answer
from lesionbook.architectures.layers import BatchNormalization

Plan = Sequence[tuple[int, int, int]]  # filters, stride of the first block, blocks
CANONICAL: Plan = ((64, 1, 3), (128, 2, 4), (256, 2, 6), (512, 2, 3))


def resnet34(
    image_size: int,
    classes: int,
    *,
    plan: Plan = CANONICAL,
    bias: bool = False,
    initializer: str = "he_normal",
    outputs: Outputs = "softmax",
) -> keras.Model:
    """Build a residual network of basic blocks; by default that of the paper.

    Parameters
    ----------
    image_size : int
        Side of the square RGB input in pixels, values 0 to 255.
    classes : int
        Number of classes.
    plan : sequence of (filters, stride, blocks)
        Of each stage; the stride is that of the stage's first block.
    bias : bool
        Whether convolutions have a bias, which the batch normalization behind each of
        them makes superfluous.
    initializer : str
        Of the convolutions' kernels.
    outputs : {"softmax", "single_sigmoid", "sigmoids"}
        How the network answers, see `heads.answer`.

    Returns
    -------
    keras.Model
        Probabilities of shape (N, classes), float32.

    Notes
    -----
    He et al., "Deep residual learning for image recognition" (2016): a shortcut is
    projected by a 1×1 convolution where the shape changes. Kernels start as in He et
    al., "Delving deep into rectifiers" (2015).

    Zhao, CNN cancer detection (2024), meant this network but built another plan: the
    study's loop pairs the filters 64, 64, 128, 128, 256, 256, 512, 512 and the strides
    1, 1, 2, 1, 2, 1, 2, 1 with the numbers of blocks 3, 4, 6, 3. Pairing ends with the
    shortest list, and the stages of 256 and 512 filters are never built.
    """
    convolution = {"use_bias": bias, "kernel_initializer": initializer}
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = layers.Rescaling(1 / 255, name="scale_to_unit")(inputs)
    x = _normalized_convolution(x, plan[0][0], 7, 2, "stem", **convolution)
    x = layers.Activation("relu", name="stem_relu")(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem_pool")(x)
    for stage, (width, stride, blocks) in enumerate(plan, start=1):
        for block in range(1, blocks + 1):
            strides = stride if block == 1 else 1
            name = f"stage{stage}_block{block}"
            x = basic_block(x, width, strides=strides, name=name, **convolution)
    x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
    x = layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)
    return keras.Model(inputs, answer(x, classes, outputs), name="resnet34")


def basic_block(
    x: keras.KerasTensor,
    width: int,
    *,
    strides: int,
    name: str,
    **convolution: bool | str,
) -> keras.KerasTensor:
    """Two 3×3 convolutions added to a shortcut, projected where the shape changes."""
    shortcut = x
    x = _normalized_convolution(x, width, 3, strides, name, "1", **convolution)
    x = layers.Activation("relu", name=f"{name}_relu1")(x)
    x = _normalized_convolution(x, width, 3, 1, name, "2", **convolution)
    if strides > 1 or shortcut.shape[-1] != width:
        shortcut = _normalized_convolution(
            shortcut, width, 1, strides, f"{name}_shortcut", **convolution
        )
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_relu2")(x)


def _normalized_convolution(
    x: keras.KerasTensor,
    width: int,
    size: int,
    strides: int,
    name: str,
    number: str = "",
    **convolution: bool | str,
) -> keras.KerasTensor:
    x = layers.Conv2D(
        width,
        size,
        strides=strides,
        padding="same",
        name=f"{name}_convolution{number}",
        **convolution,
    )(x)
    return BatchNormalization(name=f"{name}_normalization{number}")(x)
