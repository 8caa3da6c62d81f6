"""A network as tables: its layers, and how many parameters it has."""

import math

import keras
import pandas as pd


def layers(model: keras.Model) -> pd.DataFrame:
    """List the layers of a flat model in their order.

    Returns
    -------
    DataFrame
        ``name``, ``kind`` (class of the layer), ``output_shape`` (text such as ``32 × 32 × 64``), ``parameters``,
        ``block`` (the part of the name before the first underscore, by which drawings group layers).
    """
    rows = []
    for layer in model.layers:
        shape = " × ".join(str(side) for side in layer.output.shape[1:])
        parts = layer.name.split("_")
        block = "_".join(parts[:2]) if parts[0].startswith("stage") else parts[0]
        rows.append((layer.name, type(layer).__name__, shape, layer.count_params(), block))
    return pd.DataFrame(rows, columns=["name", "kind", "output_shape", "parameters", "block"])


def parameters(model: keras.Model) -> dict[str, int]:
    """Numbers of all, trainable and fixed parameters (the fixed ones of batch normalization are moving averages)."""
    trainable = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    total = model.count_params()
    return {"total": total, "trainable": trainable, "non_trainable": total - trainable}
