"""Predictions for images without labels, as the file that a competition asks for."""

import tempfile
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lesionbook import datasets, predictions, processes
from lesionbook.decoding import decode
from lesionbook.errors import LesionbookError

PIECE = 2**23  # bytes of pixels that a process hands over at a time


def unlabelled(dataset: str, folder: Path) -> pd.DataFrame:
    """List the images of a data folder whose labels are kept back by a competition.

    Parameters
    ----------
    dataset : str
        Name of the data set in the study file.
    folder : Path

    Returns
    -------
    DataFrame
        ``image_id`` and ``path``, sorted by ``image_id``.

    Raises
    ------
    LesionbookError
        If the data set has no such images, or the folder holds none.
    """
    adapter = datasets.adapter(dataset)
    if not hasattr(adapter, "unlabelled"):
        raise LesionbookError(
            f"submission: {adapter.RECORD.title} has no images without labels that a competition asks for; take the "
            "experiment out of the study file."
        )
    return adapter.unlabelled(folder)


def cut(frame: pd.DataFrame) -> pd.DataFrame:
    """Replace probabilities by answers: 1 for the most probable class, 0 for the others.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table (`lesionbook.predictions`).

    Returns
    -------
    DataFrame of N rows
        The same rows with 0 and 1 for probabilities; with two classes, the cut at 0.5.
    """
    classes = predictions.class_names(frame)
    answers = pd.get_dummies(predictions.predicted(frame)).reindex(columns=classes, fill_value=False)
    return predictions.table(frame, answers.to_numpy(dtype=float), classes)


def write(
    model_or_predict: Any,
    table: pd.DataFrame,
    path: Path,
    *,
    image_size: int,
    fit: str,
    positive: int = 1,
    batch_size: int = 64,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Predict unlabelled images straight from their files and write ``id,label``.

    The label is the probability itself, not the answer at some threshold: an area under the ROC curve is computed from
    the order of the images, which a threshold destroys. The images are decoded by all cores, a batch at a time, and
    forgotten when it is predicted, so that memory does not grow with their number.

    Parameters
    ----------
    model_or_predict : keras.Model or callable
        Takes images, uint8 of shape (B, image_size, image_size, 3), and gives scores of at least 0 and of shape
        (B, classes); each row is divided by its sum, as in `training.predict`.
    table : DataFrame of N rows
        With ``image_id`` and ``path``, as from `datasets.pcam.unlabelled`.
    path : Path
        CSV file to write, whole or not at all: one row per row of `table`, in its order; 6 decimals.
    image_size, fit
        As the training images were decoded, see `decoding.decode`.
    positive : int
        Column of the class whose probability is written.
    batch_size : int
        Images per step at most; fewer where a batch would take more than `PIECE` bytes.
    on_progress : callable
        Called with the images done and in all, after each batch.

    Returns
    -------
    DataFrame of N rows
        ``id`` and ``label``, not rounded.

    Raises
    ------
    LesionbookError
        If there are no images, an id stands twice, a file cannot be decoded, or the model gives no probability. No
        file is written then, and one that was there before stays as it was.
    """
    if table.empty:
        raise LesionbookError("submission: there are no images to predict; check the folder of unlabelled images.")
    twice = table.loc[table["image_id"].duplicated(), "image_id"]
    if len(twice):
        raise LesionbookError(f"submission: the image {twice.iloc[0]!r} stands twice in the table; keep one of them.")
    predict = getattr(model_or_predict, "predict_on_batch", model_or_predict)
    pieces = processes.parted(list(table["path"]), min(batch_size, PIECE // (3 * image_size**2) or 1))
    labels = np.empty(len(table))
    done = 0
    with closing(processes.in_order(partial(_decoded, size=image_size, fit=fit), pieces)) as batches:
        for images in batches:
            labels[done : done + len(images)] = _share(np.asarray(predict(images), dtype=float), positive, len(images))
            done += len(images)
            on_progress(done, len(table))
    rows = pd.DataFrame({"id": table["image_id"].to_numpy(), "label": labels})
    _write(rows, path)
    return rows


def _decoded(paths: list[Path], size: int, fit: str) -> np.ndarray:
    return np.stack([decode(Path(path), size, fit)[0] for path in paths])


def _share(scores: np.ndarray, positive: int, images: int) -> np.ndarray:
    """Probability of the positive class by row."""
    if scores.ndim != 2 or len(scores) != images or not 0 <= positive < scores.shape[1]:
        raise LesionbookError(
            f"submission: {images} images need scores of shape ({images}, classes) with a column {positive}, not "
            f"{scores.shape}; pass a classifier of the study's classes."
        )
    sums = scores.sum(axis=1)
    if not np.isfinite(scores).all() or scores.min() < 0 or sums.min() <= 0:
        raise LesionbookError("submission: the model gives no probabilities; it may have diverged, train it again.")
    return scores[:, positive] / sums


def _write(rows: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        rows.to_csv(temporary, index=False, float_format="%.6f", lineterminator="\n")
        temporary.replace(path)
