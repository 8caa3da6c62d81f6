"""Which network each notebook trains, and how a study file fills its options.

The architectures are imported only when one is asked for: a run can be planned without
Keras, and a report does not depend on networks that it does not train.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lesionbook.errors import LesionbookError

if TYPE_CHECKING:
    import keras

PACKAGE = "lesionbook.architectures"

# Notebook -> module of this package and function in it.
BUILDERS = {
    "20-plain-cnn": ("plain_cnn", "plain_cnn"),
    "21-normalized-cnn": ("normalized_cnn", "normalized_cnn"),
    "22-vgg16-from-scratch": ("vgg16_from_scratch", "vgg16_from_scratch"),
    "23-resnet34": ("resnet34", "resnet34"),
    "24-residual-cnn": ("residual_cnn", "residual_cnn"),
    "30-vgg16-transfer": ("pretrained", "vgg16"),
    "31-resnet50v2-transfer": ("pretrained", "resnet50v2"),
    "32-inception-resnet-v2": ("pretrained", "inception_resnet_v2"),
    "33-efficientnet-v2-b0": ("pretrained", "efficientnet_v2_b0"),
}


def module(notebook: str) -> str:
    """Dotted name of the module that holds the network of a notebook.

    Raises
    ------
    LesionbookError
        If the notebook trains no network for images alone.
    """
    if notebook not in BUILDERS:
        raise LesionbookError(
            f"{notebook} trains no network whose settings can be varied; "
            f"there is {', '.join(BUILDERS)}."
        )
    return f"{PACKAGE}.{BUILDERS[notebook][0]}"


def builder(notebook: str) -> Callable[..., keras.Model]:
    """Give the function that builds the network of a notebook; errors as `module`."""
    return getattr(importlib.import_module(module(notebook)), BUILDERS[notebook][1])


def options(
    build: Callable[..., keras.Model],
    known: Mapping[str, Any],
    *,
    image_size: int,
    classes: int,
) -> dict[str, Any]:
    """Keyword arguments of a builder, taken from the parameters of an experiment.

    Parameters
    ----------
    build : callable
        A builder of this package.
    known : mapping
        Parameters by name: the defaults of the notebook and what the study file
        changes. Those that the builder does not know are left out, and so is an empty
        text, which stands for none. Tuples become lists.
    image_size, classes : int
        Of the images, which no study file gives by these names.
    """
    given = {
        name: _lists(known[name])
        for name in inspect.signature(build).parameters
        if name in known and known[name] != ""
    }
    return {"image_size": image_size, "classes": classes} | given


def _lists(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_lists(one) for one in value]
    return value
