"""Several models as one: the mean of their probabilities."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from lesionbook import predictions
from lesionbook.errors import LesionbookError


def mean(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Average the probabilities of several models, image by image.

    Parameters
    ----------
    frames : mapping
        Name of a model to its prediction table (`lesionbook.predictions`). Rows and classes may stand in another order
        from model to model.

    Returns
    -------
    DataFrame
        A prediction table with rows and classes in the order of the first model.

    Raises
    ------
    LesionbookError
        If there is no model, or two of them differ in their classes, images, splits, groups or labels.

    Notes
    -----
    The mean with equal weights (the sum rule of Kittler, Hatef, Duin, Matas, "On combining classifiers", 1998) has
    nothing to fit, so no validation image is used for it.
    """
    if not frames:
        raise LesionbookError("ensemble: there are no models to average; name at least one.")
    first, *_ = frames
    classes = predictions.class_names(frames[first])
    keys = _by_image(frames[first], first)[predictions.KEYS]
    values = [_aligned(frame, name, keys, classes, first) for name, frame in frames.items()]
    return predictions.table(keys, np.mean(values, axis=0), classes)


def _aligned(frame: pd.DataFrame, name: str, keys: pd.DataFrame, classes: list[str], first: str) -> np.ndarray:
    """Probabilities of a model, rows and classes in the order of the first one."""
    if sorted(predictions.class_names(frame)) != sorted(classes):
        raise _different("classes", name, first)
    rows = _by_image(frame, name)
    if not rows.index.sort_values().equals(keys.index.sort_values()):
        raise _different("images", name, first)
    rows = rows.loc[keys.index]
    for column in predictions.KEYS:
        if rows[column].tolist() != keys[column].tolist():
            raise _different(f"{column}s", name, first)
    values = pd.DataFrame(predictions.probabilities(rows), columns=predictions.class_names(rows))
    return values[classes].to_numpy()


def _by_image(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    twice = frame.loc[frame["image_id"].duplicated(), "image_id"]
    if len(twice):
        raise LesionbookError(
            f"ensemble: {name} predicts the image {twice.iloc[0]!r} twice; run its notebook again (make report)."
        )
    return frame.set_index("image_id", drop=False).rename_axis(None)


def _different(what: str, name: str, first: str) -> LesionbookError:
    return LesionbookError(
        f"ensemble: {name} and {first} were not given the same {what}; run both again on one preparation (make report)."
    )
