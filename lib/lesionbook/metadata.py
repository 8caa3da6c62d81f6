"""What is known of a patient beside the image, as numbers for the second input of a network."""

from collections.abc import Sequence
from dataclasses import replace

import keras
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from lesionbook import metrics, predictions, training
from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError
from lesionbook.images import Store

SCORES = ["macro_auc", "balanced_accuracy", "accuracy", "log_loss"]


def encode(index: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Turn columns of the index into numbers of about the same size.

    Parameters
    ----------
    index : DataFrame of N rows
        With ``split`` and the columns; what is learned of them (mean, spread, categories) is that of ``train``.
    columns : sequence of str
        Columns of numbers or of text.

    Returns
    -------
    DataFrame of float32, N rows
        Numbers with mean 0 and spread 1 over the training images; a missing one is at their mean, and a column of its
        own says so where that happens in training. Text as one column of 0 and 1 for each value; a missing one is a
        value, and one that does not occur in training is 0 in all columns.
    """
    train = index["split"] == "train"
    encoded = {}
    for column in columns:
        values = index[column]
        if pd.api.types.is_numeric_dtype(values):
            mean, spread = values[train].mean(), values[train].std(ddof=0)
            encoded[column] = ((values - mean) / (spread or 1)).fillna(0)
            if values[train].isna().any():
                encoded[f"{column} missing"] = values.isna()
        else:
            values = values.astype(object).fillna("missing")
            encoded |= {f"{column}: {value}": values == value for value in sorted(values[train].unique())}
    return pd.DataFrame(encoded, index=index.index).astype("float32")


def beside(store: Store, record: Record, columns: Sequence[str]) -> tuple[Store, list[str]]:
    """Put metadata beside the images of a store.

    Parameters
    ----------
    store : Store
    record : Record
        Of the data set; it says which columns are known before the diagnosis.
    columns : sequence of str
        Any of these.

    Returns
    -------
    Store
        With ``metadata``.
    list of str
        Names of its columns.

    Raises
    ------
    LesionbookError
        If no column is named, one is not known before the diagnosis (how a lesion was diagnosed depends on what it
        was taken for), or one is missing from the index.
    """
    allowed = [name for name in record.known_before if name in store.index]
    refused = [name for name in columns if name not in allowed]
    if refused or not columns:
        raise LesionbookError(
            f"metadata: columns: {', '.join(map(repr, refused)) or 'none'} cannot be used; before the diagnosis, "
            f"{record.title} knows {', '.join(allowed) or 'nothing'} here."
        )
    encoded = encode(store.index, columns)
    return replace(store, metadata=np.ascontiguousarray(encoded)), list(encoded.columns)


def described(store: Store, names: list[str]) -> pd.DataFrame:
    """Mean of each column of the metadata over the training images of each class: ``column`` and one per class."""
    rows = store.rows("train")
    values = pd.DataFrame(rows.beside(), columns=names).groupby(rows.index["label"]).mean()
    return values.reindex(store.classes).T.rename_axis("column").rename_axis(columns=None).reset_index()


def alone(store: Store) -> pd.DataFrame:
    """Validation scores of a logistic regression on the metadata alone: one row, a column per score."""
    train, validation = store.rows("train"), store.rows("val")
    model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(train.beside(), train.codes)
    answers = np.zeros((len(validation), len(store.classes)))
    answers[:, model.classes_] = model.predict_proba(validation.beside())
    scores = metrics.scores(predictions.table(validation.index, answers, store.classes))
    return pd.DataFrame([scores])[SCORES]


def permuted(
    model: keras.Model, store: Store, columns: Sequence[str], names: list[str], *, seed: int, views: int = 1
) -> pd.DataFrame:
    """Score the validation images again with metadata that belong to other images.

    Parameters
    ----------
    model : keras.Model
        With two inputs.
    store : Store
        With metadata.
    columns : sequence of str
        Columns that were encoded; each is taken from other images by itself, then all of them together.
    names : list of str
        Names of the encoded columns, see `beside`.
    seed : int
        Decides which image lends its metadata to which.
    views : int
        As in `training.predict`.

    Returns
    -------
    DataFrame
        ``metadata`` and scores, a row for each: as they are, each column exchanged, all exchanged.

    Notes
    -----
    Permutation importance (Breiman, "Random forests", 2001). Columns that belong together are torn apart by it: a
    network may meet combinations that no patient has.
    """
    own = {
        column: [place for place, name in enumerate(names) if name.removeprefix(column)[:1] in ("", ":", " ")]
        for column in columns
    }
    exchanged = {"as they are": []} | {f"{column} of other images": places for column, places in own.items()}
    exchanged["all of other images"] = list(range(len(names)))
    places = store.rows("val").positions
    lenders = np.random.default_rng(seed).permutation(places)
    rows = []
    for what, changed in exchanged.items():
        values = np.array(store.metadata)
        values[np.ix_(places, changed)] = store.metadata[np.ix_(lenders, changed)]
        validation = replace(store, metadata=values).rows("val")
        answers = training.predict(model, validation, views=views)
        scores = metrics.scores(predictions.table(validation.index, answers, store.classes))
        rows.append({"metadata": what} | {name: scores[name] for name in SCORES})
    return pd.DataFrame(rows)
