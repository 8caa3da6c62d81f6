"""The prediction file: ids, groups, labels and probabilities gathered in one pass and never parted.

Every score, matrix and curve of a report is computed from this file and from nothing else, so that a matrix cannot be
drawn from labels in one order and predictions in another.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from lesionbook.errors import LesionbookError

KEYS = ["image_id", "group", "split", "label"]
PREFIX = "p_"


def table(index: pd.DataFrame, probabilities: np.ndarray, classes: list[str]) -> pd.DataFrame:
    """Join the rows of an index with the probabilities computed for exactly these rows.

    Parameters
    ----------
    index : DataFrame of N rows
        With the columns ``image_id``, ``group``, ``split``, ``label``.
    probabilities : ndarray of float, shape (N, C)
        Row i belongs to row i of `index`; every row sums to 1.
    classes : list of str
        The C class names in the order of the columns of `probabilities`.

    Returns
    -------
    DataFrame
        ``image_id, group, split, label, p_<class>…``.

    Raises
    ------
    LesionbookError
        If the shapes disagree, a label is no class, or a row is not a probability distribution.
    """
    if probabilities.shape != (len(index), len(classes)):
        raise LesionbookError(
            f"predictions: {len(index)} images and {len(classes)} classes need probabilities of that shape, "
            f"not {probabilities.shape}; pass the rows that were predicted."
        )
    unknown = sorted(set(index["label"]) - set(classes))
    if unknown:
        raise LesionbookError(f"predictions: label {unknown[0]!r} is none of the classes {', '.join(classes)}.")
    sums = probabilities.sum(axis=1)
    if not np.all(np.isfinite(sums)) or np.abs(sums - 1).max(initial=0) > 1e-3 or probabilities.min(initial=0) < 0:
        raise LesionbookError(
            "predictions: a row of probabilities is negative or does not sum to 1; the model may have diverged."
        )
    columns = pd.DataFrame(probabilities, columns=[PREFIX + name for name in classes], index=index.index)
    return pd.concat([index[KEYS], columns], axis=1).reset_index(drop=True)


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write a prediction table as CSV, probabilities with six decimals (below that a model of this size is noise)."""
    temporary = path.with_suffix(".part")
    frame.to_csv(temporary, index=False, float_format="%.6f", lineterminator="\n")
    temporary.replace(path)


def read(path: Path, split: str | None = None) -> pd.DataFrame:
    """Read a prediction file, whole or one split of it.

    Raises
    ------
    LesionbookError
        If the file is missing or lacks a column.
    """
    if not path.exists():
        raise LesionbookError(f"{path.name} is missing in {path.parent.name}; run that model's notebook first.")
    frame = pd.read_csv(path, dtype={"image_id": str, "group": str, "label": str})
    missing = [name for name in KEYS if name not in frame.columns]
    if missing or not class_names(frame):
        raise LesionbookError(f"{path}: column {(missing or ['p_<class>'])[0]!r} is missing; it is no prediction file.")
    return frame if split is None else frame[frame["split"] == split].reset_index(drop=True)


def class_names(frame: pd.DataFrame) -> list[str]:
    """Class names in the order of the probability columns."""
    return [name.removeprefix(PREFIX) for name in frame.columns if name.startswith(PREFIX)]


def probabilities(frame: pd.DataFrame) -> np.ndarray:
    """Probabilities as float64 of shape (N, C), columns in the order of `class_names`, each row scaled to sum to 1."""
    values = frame[[PREFIX + name for name in class_names(frame)]].to_numpy(dtype=float)
    return values / values.sum(axis=1, keepdims=True)


def predicted(frame: pd.DataFrame) -> pd.Series:
    """The most probable class per image, as a Series of class names (the first one at a tie)."""
    names = np.array(class_names(frame), dtype=object)
    return pd.Series(names[probabilities(frame).argmax(axis=1)], index=frame.index, name="predicted")


def checked(frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse a table without rows, with rows of several splits or with an unknown label: its scores mean nothing.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    if frame.empty:
        raise LesionbookError("predictions: the table has no rows; check the split that was asked for.")
    splits = sorted(frame["split"].unique())
    if len(splits) > 1:
        raise LesionbookError(f"predictions: the table mixes the splits {', '.join(splits)}; pass one of them.")
    classes = class_names(frame)
    strangers = frame.loc[~frame["label"].isin(classes), "label"]
    if len(strangers):
        raise LesionbookError(
            f"predictions: label {strangers.iloc[0]!r} is none of the predicted classes {', '.join(classes)}; "
            "predict again with the classes of the study."
        )
    return frame


def present(frame: pd.DataFrame) -> list[str]:
    """Classes that occur among the labels, in the order of the probability columns."""
    labels = set(frame["label"])
    return [name for name in class_names(frame) if name in labels]
