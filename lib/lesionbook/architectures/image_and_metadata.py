"""A network that sees the image and knows what the file about the patient says."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import layers

from lesionbook.architectures.freezing import freeze
from lesionbook.architectures.heads import Outputs, answer, hidden
from lesionbook.architectures.normalized_cnn import normalized_cnn
from lesionbook.architectures.plain_cnn import plain_cnn
from lesionbook.architectures.pretrained import (
    efficientnet_v2_b0,
    inception_resnet_v2,
    resnet50v2,
    vgg16,
)
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.architectures.resnet34 import resnet34
from lesionbook.architectures.vgg16_from_scratch import vgg16_from_scratch
from lesionbook.errors import LesionbookError

TRUNKS = {
    builder.__name__: builder
    for builder in (
        residual_cnn,
        plain_cnn,
        normalized_cnn,
        vgg16_from_scratch,
        resnet34,
        vgg16,
        resnet50v2,
        inception_resnet_v2,
        efficientnet_v2_b0,
    )
}


def image_and_metadata(
    image_size: int,
    classes: int,
    *,
    columns: int,
    trunk: str = "residual_cnn",
    options: Mapping[str, Any] | None = None,
    dense: Sequence[int] = (64,),
    dropout: float = 0.3,
    outputs: Outputs = "softmax",
    trainable_from: str = "all",
) -> keras.Model:
    """Join the features of an image with metadata and answer from both.

    Parameters
    ----------
    image_size : int
        Side of the square RGB input in pixels, values 0 to 255.
    classes : int
        Number of classes.
    columns : int
        Length of the metadata vector: scaled numbers, and one column of 0 and 1 per
        category. Nothing that follows from the diagnosis may be among them.
    trunk : str
        Which network makes the features of the image, a name in `TRUNKS`.
    options : mapping, optional
        Keyword arguments of that builder; those of its head do not matter.
    dense : sequence of int
        Units of the dense layers behind the joint, rectified.
    dropout : float
        Share dropped while training, 0 to 1, after the last of them.
    outputs : {"softmax", "single_sigmoid", "sigmoids"}
        How the network answers, see `heads.answer`.
    trainable_from : str
        First layer of the trunk that learns, ``all`` or "" for none, see
        `freezing.freeze`.

    Returns
    -------
    keras.Model
        Inputs ``image`` and ``metadata`` of shape (N, columns), in this order;
        probabilities of shape (N, classes), float32.

    Raises
    ------
    LesionbookError
        If there is no such trunk.

    Notes
    -----
    What Ramesh, "Skin cancer image classification" (2022) proposes as future work.
    """
    if trunk not in TRUNKS:
        raise LesionbookError(
            f"image_and_metadata: no trunk is called {trunk!r}; set trunk in the "
            f"study file to one of {', '.join(TRUNKS)}."
        )
    body = TRUNKS[trunk](image_size, classes, **(options or {}))
    features = body.get_layer("features").output
    freeze(keras.Model(body.inputs[0], features), trainable_from)
    metadata = keras.Input((columns,), name="metadata")
    # A network can be cut in two here; Keras cannot cut at an input (see features).
    joined = [features, layers.Identity(name="told")(metadata)]
    x = layers.Concatenate(name="joined")(joined)
    x = hidden(x, dense, dropout=dropout)
    return keras.Model(
        [body.inputs[0], metadata],
        answer(x, classes, outputs),
        name="image_and_metadata",
    )
