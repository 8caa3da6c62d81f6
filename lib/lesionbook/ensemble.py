"""Several trained networks as one: the mean of their probabilities, and on which images they err together."""

import gc
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import keras
import numpy as np
import pandas as pd

from lesionbook import metrics, params, paths, predictions, training
from lesionbook.architectures import layers  # noqa: F401 - registers the layers that stored networks are made of
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows, Store
from lesionbook.run import Run

SCORES = ["accuracy", "balanced_accuracy", "macro_auc", "log_loss"]
Views = Literal[1, 4, 8]


def files(run: Run, models: Sequence[str]) -> dict[str, Path]:
    """Find the networks that experiments of a study left.

    Parameters
    ----------
    run : Run
    models : sequence of str
        Names of experiments; empty for all networks of the study.

    Returns
    -------
    dict
        Name of the experiment to its network, in the order given; where one has not run yet, it is run first.

    Raises
    ------
    LesionbookError
        If an experiment leaves no network for images alone.
    """
    known = run.settings.networks
    if not known:
        raise LesionbookError(f"params/{run.study}.yml: no experiment trains a network; add one of notebooks 20 to 39.")
    for name in models:
        if name not in known:
            raise LesionbookError(
                f"params/{run.study}.yml: models: {name!r} leaves no network for images alone; name some of "
                f"{', '.join(known)}."
            )
    return {name: run.result(name, "model.keras") for name in models or known}


def own_views(run: Run, model: str) -> int:
    """Tell how many views of an image an experiment of the study averages for its own predictions."""
    known = params.defaults(paths.notebook(run.settings.experiments[model].notebook))
    return (known | params.arguments(run.study, run.profile, model, run.settings))["views"]


def network(file: Path) -> keras.Model:
    """Read a trained network to predict with; nothing in the file is executed.

    It computes in the number format that it was trained in.
    """
    return keras.models.load_model(file, compile=False)


def members(
    networks: Mapping[str, Path],
    store: Store,
    *,
    views: Views,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, pd.DataFrame]:
    """Predict validation and test images by each network; only one of them is in memory at a time.

    Parameters
    ----------
    networks : mapping
        Name of a model to its file.
    store : Store
    views : {1, 4, 8}
        As in `training.predict`.
    on_progress : callable
        Called with the networks done and in all.

    Returns
    -------
    dict
        Name of the model to its prediction table.
    """
    tables = {}
    for name, file in networks.items():
        on_progress(len(tables), len(networks))
        tables[name] = _predicted(network(file), store, views)
        gc.collect()  # a network holds on to itself in circles, which are not freed at once otherwise
    on_progress(len(tables), len(networks))
    return tables


def together(networks: Sequence[keras.Model], *, views: Views = 1) -> Callable[[np.ndarray], np.ndarray]:
    """Make one function of several networks: images to the mean of their probabilities.

    Parameters
    ----------
    networks : sequence of keras.Model
        All of them stay in memory.
    views : {1, 4, 8}
        As in `training.predict`.

    Returns
    -------
    callable
        From uint8 of shape (B, S, S, 3) to float64 of shape (B, classes).
    """

    def predict(images: np.ndarray) -> np.ndarray:
        rows = Rows(pd.DataFrame(index=range(len(images))), [], images, np.arange(len(images)))
        answers = [training.predict(one, rows, views=views, batch_size=len(images)) for one in networks]
        return np.mean(answers, axis=0)

    return predict


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
    keys, classes, values = _in_one_order(frames)
    return predictions.table(keys, np.mean(list(values.values()), axis=0), classes)


def scores(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Scores of several models on each split.

    Parameters
    ----------
    frames : mapping
        Name of a model to its prediction table.

    Returns
    -------
    DataFrame
        Index ``model, split`` in the order given; columns `SCORES`.
    """
    parts = {
        (name, split): metrics.scores(part)[SCORES]
        for name, frame in frames.items()
        for split, part in frame.groupby("split", sort=False)
    }
    return pd.DataFrame(parts).T.rename_axis(["model", "split"])


def agreement(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Count for each pair of models how often they are wrong on the same image.

    Parameters
    ----------
    frames : mapping
        Name of a model to its prediction table of one split.

    Returns
    -------
    DataFrame
        One row per pair: ``model, other``; ``wrong, other_wrong``, the share of images that each gets wrong;
        ``both_wrong``; ``if_independent``, the product of the two shares; ``correlation`` of the errors (phi, -1..1;
        NaN where a model is right on all images or wrong on all).

    Raises
    ------
    LesionbookError
        As `mean`, and if there is only one model.
    """
    if len(frames) < 2:
        raise LesionbookError("ensemble: errors coincide in two models or more; name another one.")
    keys, classes, values = _in_one_order(frames)
    labels = keys["label"].to_numpy()
    wrong = {name: np.array(classes)[one.argmax(axis=1)] != labels for name, one in values.items()}
    rows = []
    for one, other in combinations(wrong, 2):
        first, second, both = wrong[one].mean(), wrong[other].mean(), (wrong[one] & wrong[other]).mean()
        spread = np.sqrt(first * (1 - first) * second * (1 - second))
        phi = (both - first * second) / spread if spread else np.nan
        rows.append((one, other, first, second, both, first * second, phi))
    columns = ["model", "other", "wrong", "other_wrong", "both_wrong", "if_independent", "correlation"]
    return pd.DataFrame(rows, columns=columns)


def _predicted(model: keras.Model, store: Store, views: Views) -> pd.DataFrame:
    parts = [
        predictions.table(rows.index, training.predict(model, rows, views=views), store.classes)
        for rows in (store.rows("val"), store.rows("test"))
    ]
    return pd.concat(parts, ignore_index=True)


def _in_one_order(frames: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, list[str], dict[str, np.ndarray]]:
    """Keys and classes of the first model, and the probabilities of each in this order."""
    if not frames:
        raise LesionbookError("ensemble: there are no models to average; name at least one.")
    first, *_ = frames
    classes = predictions.class_names(frames[first])
    keys = _by_image(frames[first], first)[predictions.KEYS]
    return keys, classes, {name: _aligned(frame, name, keys, classes, first) for name, frame in frames.items()}


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
