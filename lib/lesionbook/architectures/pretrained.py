"""Networks of keras.applications with a head of one's own, for transfer learning.

Their layers have the names that keras.applications gives them, so that its files of
ImageNet weights fit; without such weights they start at random. Unless told otherwise
the whole base is frozen.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

import keras
from keras import applications, layers

from lesionbook.architectures.freezing import freeze, unfreeze
from lesionbook.architectures.heads import Outputs, answer, hidden
from lesionbook.architectures.layers import ImageNetMeanInBGR
from lesionbook.architectures.limits import at_least

__all__ = [
    "efficientnet_v2_b0",
    "inception_resnet_v2",
    "resnet50v2",
    "unfreeze",
    "vgg16",
]

Pooling = Literal["average", "flatten"]


def vgg16(
    image_size: int,
    classes: int,
    *,
    pooling: Pooling = "average",
    dense: Sequence[int] = (),
    normalized: bool = False,
    dropout: float = 0.0,
    outputs: Outputs = "softmax",
    trainable_from: str | None = None,
) -> keras.Model:
    """Build VGG16 without its top and a head; by default that of Ramesh.

    Parameters
    ----------
    image_size : int
        Side of the square RGB input in pixels, values 0 to 255; at least 32.
    classes : int
        Number of classes.
    pooling : {"average", "flatten"}
        How the last feature maps become a vector.
    dense : sequence of int
        Units of the dense layers between features and answer, rectified.
    normalized : bool
        Dense layers without bias and followed by batch normalization and dropout.
    dropout : float
        Share dropped while training, 0 to 1, see `heads.hidden`.
    outputs : {"softmax", "single_sigmoid", "sigmoids"}
        How the network answers, see `heads.answer`.
    trainable_from : str, optional
        First layer of the base that learns, such as ``block5_conv1``; ``all`` for the
        whole base, None or "" for none of it. Unless all of it learns, normalization
        and dropout in the base work as in prediction.

    Returns
    -------
    keras.Model
        Probabilities of shape (N, classes), float32.

    Raises
    ------
    LesionbookError
        If the image is too small, or the base has no such layer.

    Notes
    -----
    Simonyan and Zisserman, "Very deep convolutional networks for large-scale image
    recognition" (2015). Ramesh (2022) averages and answers at once. Zhao (2024) lets
    the base learn from ``block5_conv1`` on, flattens, and puts two normalized dense
    layers of 4,096 before a single sigmoid.
    """
    at_least(image_size, 32, builder="vgg16")
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = ImageNetMeanInBGR(name="subtract_imagenet_mean", dtype="float32")(inputs)
    base = base_of(applications.VGG16, x, trainable_from)
    x = base.get_layer("block5_conv3").output  # before pooling, for Grad-CAM's sake
    x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
    x = layers.MaxPooling2D(2, name="block5_pool")(x)
    x = pooled(x, pooling)
    x = hidden(x, dense, dropout=dropout, normalized=normalized)
    return keras.Model(inputs, answer(x, classes, outputs), name="vgg16")


def resnet50v2(
    image_size: int,
    classes: int,
    *,
    pooling: Pooling = "average",
    dense: Sequence[int] = (128,),
    normalized: bool = False,
    dropout: float = 0.2,
    outputs: Outputs = "softmax",
    trainable_from: str | None = None,
) -> keras.Model:
    """Build ResNet50V2 without its top and a head; by default that of Ramesh.

    Parameters, result and errors as in `vgg16`.

    Notes
    -----
    He et al., "Identity mappings in deep residual networks" (2016).
    """
    at_least(image_size, 32, builder="resnet50v2")
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = layers.Rescaling(
        1 / 127.5, offset=-1, name="scale_to_plus_minus_one", dtype="float32"
    )(inputs)
    x = base_of(applications.ResNet50V2, x, trainable_from).output
    x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
    x = pooled(x, pooling)
    x = hidden(x, dense, dropout=dropout, normalized=normalized)
    return keras.Model(inputs, answer(x, classes, outputs), name="resnet50v2")


def inception_resnet_v2(
    image_size: int,
    classes: int,
    *,
    pooling: Pooling = "average",
    dense: Sequence[int] = (1024, 1024, 512, 512, 256, 256, 64),
    normalized: bool = False,
    dropout: float = 0.3,
    outputs: Outputs = "softmax",
    trainable_from: str | None = None,
) -> keras.Model:
    """Build InceptionResNetV2 without its top and a head; by default that of Hitta.

    Parameters, result and errors as in `vgg16`, but at least 75 pixels.

    Notes
    -----
    Szegedy et al., "Inception-v4, Inception-ResNet and the impact of residual
    connections on learning" (2017).
    """
    at_least(image_size, 75, builder="inception_resnet_v2")
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = layers.Rescaling(
        1 / 127.5, offset=-1, name="scale_to_plus_minus_one", dtype="float32"
    )(inputs)
    x = base_of(applications.InceptionResNetV2, x, trainable_from).output
    x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
    x = pooled(x, pooling)
    x = hidden(x, dense, dropout=dropout, normalized=normalized)
    return keras.Model(inputs, answer(x, classes, outputs), name="inception_resnet_v2")


def efficientnet_v2_b0(
    image_size: int,
    classes: int,
    *,
    pooling: Pooling = "average",
    dense: Sequence[int] = (),
    normalized: bool = False,
    dropout: float = 0.2,
    outputs: Outputs = "softmax",
    trainable_from: str | None = None,
) -> keras.Model:
    """Build EfficientNetV2-B0 without its top and a head: the modern network here.

    Parameters, result and errors as in `vgg16`. The base scales its images itself.

    Notes
    -----
    Tan and Le, "EfficientNetV2: smaller models and faster training" (2021). Of the
    networks of keras.applications it gives much accuracy for little computing: 78.7 %
    on ImageNet (Keras's own table; VGG16 71.3 %, ResNet50V2 76.0 %, InceptionResNetV2
    80.3 %, ConvNeXtTiny 81.3 %) with 6 million parameters. It was made for 224 pixels
    and still has 3×3 feature maps at 96.
    """
    at_least(image_size, 32, builder="efficientnet_v2_b0")
    inputs = keras.Input((image_size, image_size, 3), name="image")
    x = base_of(applications.EfficientNetV2B0, inputs, trainable_from).output
    x = layers.Activation("linear", name="last_convolution", dtype="float32")(x)
    x = pooled(x, pooling)
    x = hidden(x, dense, dropout=dropout, normalized=normalized)
    return keras.Model(inputs, answer(x, classes, outputs), name="efficientnet_v2_b0")


def base_of(
    application: Callable[..., keras.Model],
    x: keras.KerasTensor,
    trainable_from: str | None,
) -> keras.Model:
    """Build a network of keras.applications on scaled images, without its top.

    Parameters
    ----------
    application : callable
        Builder of keras.applications.
    x : KerasTensor of shape (N, S, S, 3)
        Images as the application expects them.
    trainable_from : str, optional
        As in `vgg16`.
    """
    base = application(include_top=False, weights=None, input_tensor=x)
    _number_from_zero(base)
    freeze(base, trainable_from)
    return base


def pooled(x: keras.KerasTensor, pooling: Pooling) -> keras.KerasTensor:
    """Make a vector of feature maps: the layer ``features``."""
    if pooling == "flatten":
        return layers.Flatten(name="features", dtype="float32")(x)
    return layers.GlobalAveragePooling2D(name="features", dtype="float32")(x)


def _number_from_zero(base: keras.Model) -> None:
    """Number the layers that Keras names by kind as if nothing had been built before.

    Keras counts them through the whole process; the same network would have other names
    in another notebook.
    """
    numbered: dict[str, list[tuple[int, keras.Layer]]] = {}
    for layer in base.layers:
        kind, number = re.fullmatch(r"(.+?)(?:_(\d+))?", layer.name).groups()
        if kind.replace("_", "") == type(layer).__name__.lower():
            numbered.setdefault(kind, []).append((int(number or 0), layer))
    for kind, found in numbered.items():
        first = min(number for number, _ in found)
        for number, layer in found:
            layer.name = f"{kind}_{number - first}" if number > first else kind
