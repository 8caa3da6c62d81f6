"""A network as tables: its layers, and how many parameters it has."""

import math
import re

import keras
import pandas as pd

# Names that Keras makes up; such a layer belongs to the next one with a name.
_UNNAMED = re.compile(
    r"(conv2d|batch_normalization|activation|max_pooling2d|average_pooling2d"
    r"|custom_scale_layer)(_\d+)?"
)


def layers(model: keras.Model) -> pd.DataFrame:
    """List the layers of a flat model in their order.

    Returns
    -------
    DataFrame
        ``name``, ``kind`` (class of the layer), ``output_shape`` (text such as
        ``32 × 32 × 64``), ``parameters``, ``block`` (the part of the name before the
        first underscore, by which drawings group layers).
    """
    rows = []
    for layer in model.layers:
        shape = " × ".join(str(side) for side in layer.output.shape[1:])
        kind = type(layer).__name__
        rows.append((layer.name, kind, shape, layer.count_params(), _block(layer.name)))
    columns = ["name", "kind", "output_shape", "parameters", "block"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(block=table["block"].bfill())


def parameters(model: keras.Model) -> dict[str, int]:
    """Count all, trainable and fixed parameters.

    The fixed ones of batch normalization are moving averages.
    """
    trainable = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    total = model.count_params()
    return {"total": total, "trainable": trainable, "non_trainable": total - trainable}


def _block(name: str) -> str | None:
    if _UNNAMED.fullmatch(name):
        return None
    parts = name.split("_")
    return "_".join(parts[:2]) if parts[0].startswith("stage") else parts[0]
