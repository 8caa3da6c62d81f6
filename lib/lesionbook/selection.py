"""Which images a study uses, under which classes, and on which side of the split each of them stands."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from lesionbook import splits
from lesionbook.errors import LesionbookError
from lesionbook.study import Class, Selection, Split


def reformulate(table: pd.DataFrame, classes: Mapping[str, Class] | None, labels: list[str]) -> pd.DataFrame:
    """Put the classes of a study in the place of the labels of its data set.

    Parameters
    ----------
    table : DataFrame
        As an adapter returns it.
    classes : mapping of str to Class, or None
        Class key to the labels it takes in; None keeps the labels.
    labels : list of str
        Labels that the data set can have; empty where its folders name them.

    Returns
    -------
    DataFrame
        With the class as ``label`` and, under `classes`, the former label as ``diagnosis``; images whose label belongs
        to no class are left out.

    Raises
    ------
    LesionbookError
        If two classes share a label, a label does not exist, a folder is of no class, or a class has no image.
    """
    if classes is None:
        return table
    belongs: dict[str, str] = {}
    for key, one in classes.items():
        for label in one.labels or (key,):
            if label in belongs:
                raise LesionbookError(
                    f"classes: label {label!r} stands under {belongs[label]} and {key}; name it once."
                )
            belongs[label] = key
    known = labels or sorted(table["label"].unique())
    unknown = [label for label in belongs if label not in known]
    if unknown:
        raise LesionbookError(f"classes: the data set has no label {unknown[0]!r}; it has {', '.join(known)}.")
    unnamed = [] if labels else [label for label in known if label not in belongs]
    if unnamed:
        raise LesionbookError(
            f"classes: the folder {unnamed[0]!r} is of no class of the study file; name it there or move it away."
        )
    chosen = table[table["label"].isin(belongs)].reset_index(drop=True)
    chosen = chosen.rename(columns={"label": "diagnosis"})
    chosen.insert(chosen.columns.get_loc("diagnosis"), "label", chosen["diagnosis"].map(belongs))
    return _complete(chosen, list(classes))


def choose(table: pd.DataFrame, selection: Selection, *, seed: int) -> pd.DataFrame:
    """Choose the images of a study.

    Parameters
    ----------
    table : DataFrame of N rows
        With ``image_id`` and ``label``; ``file_order`` where the order of the label file is not that of the ids.
    selection : Selection
        Rows looked at, images per class or in all, at random or from the top.
    seed : int
        Decides the choice at random; with a number in all, class shares are kept (scikit-learn's ``train_test_split``).

    Returns
    -------
    DataFrame of M rows
        In the order of `table`.

    Raises
    ------
    LesionbookError
        If there are fewer images than asked for.
    """
    order = table["file_order"] if "file_order" in table.columns else pd.Series(np.arange(len(table)))
    ranked = table.iloc[np.argsort(order.to_numpy(), kind="stable")].iloc[: selection.first]
    if selection.images is None:
        return table.loc[ranked.index.sort_values()].reset_index(drop=True)
    if isinstance(selection.images, int):
        wanted = {"all classes together": selection.images}
        parts = {"all classes together": ranked}
    else:
        wanted = selection.images
        parts = {name: ranked[ranked["label"] == name] for name in wanted}
    chosen: list[pd.Index] = []
    for name, count in wanted.items():
        part = parts[name]
        if count > len(part):
            raise LesionbookError(
                f"selection: {count} images of {name} are asked for, but there are {len(part)}; ask for fewer."
            )
        if selection.order == "file" or count == len(part):
            chosen.append(part.index[:count])
        elif isinstance(selection.images, int):
            chosen.append(train_test_split(part.index, train_size=count, stratify=part["label"], random_state=seed)[0])
        else:
            chosen.append(part.sample(count, random_state=seed).index)
    rows = np.sort(np.concatenate(chosen))
    return table.loc[rows].reset_index(drop=True)


def sides(table: pd.DataFrame, units: np.ndarray, split: Split, *, seed: int) -> np.ndarray:
    """Give each image its side of the split, in the way that the study file names.

    Parameters
    ----------
    table : DataFrame of N rows
        With ``label`` and, for a given split, ``given_split``.
    units : ndarray of int, shape (N,)
        Images of one unit stay together; see `lesionbook.splits.together`.
    split : Split
        By fractions, by images per class, or as given.
    seed : int

    Returns
    -------
    ndarray of str, shape (N,)
        ``train``, ``val`` or ``test``.

    Raises
    ------
    LesionbookError
        If the data set gives no split, or a class has too few groups.
    """
    if split.given:
        if "given_split" not in table.columns:
            raise LesionbookError("split: the data set has no folders train, valid and test; give fractions instead.")
        return table["given_split"].to_numpy(dtype=object)
    if split.train is None:
        return splits.by_count(
            table["label"], units, validation=split.validation_per_class, test=split.test_per_class, seed=seed
        )
    return splits.by_group(table["label"], units, (split.train, split.validation, split.test), seed=seed)


def flow(stages: Mapping[str, pd.DataFrame], classes: list[str]) -> pd.DataFrame:
    """Count how many images are left after each stage between the folder and the study.

    Parameters
    ----------
    stages : mapping of str to DataFrame
        What was done, and the rows that were left after it, with ``label`` and ``group``.
    classes : list of str
        Classes of the study; a stage before the classes were formed has no counts of them.

    Returns
    -------
    DataFrame
        ``stage``, ``images``, ``groups`` and one column per class.
    """
    rows = []
    for stage, table in stages.items():
        counts = table["label"].value_counts()
        formed = set(counts.index) <= set(classes)
        rows.append(
            {"stage": stage, "images": len(table), "groups": table["group"].nunique()}
            | {name: int(counts.get(name, 0)) if formed else None for name in classes}
        )
    return pd.DataFrame(rows).astype(dict.fromkeys(classes, "Int64"))


def _complete(table: pd.DataFrame, classes: list[str]) -> pd.DataFrame:
    empty = [name for name in classes if not (table["label"] == name).any()]
    if empty:
        raise LesionbookError(
            f"classes: class {empty[0]!r} has no image; add images of it or take it out of the study file."
        )
    return table
