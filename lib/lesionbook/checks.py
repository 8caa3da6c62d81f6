"""Checks of the files and of the split; the last one is a gate that nothing passes with a leak."""

import pandas as pd

from lesionbook.errors import LesionbookError


def duplicates(files: pd.DataFrame) -> pd.DataFrame:
    """Images whose decoded pixels are the same.

    Parameters
    ----------
    files : DataFrame
        With ``image_id``, ``label``, ``group`` and ``content`` (a hash of the decoded pixels).

    Returns
    -------
    DataFrame
        One row per image that has a twin: ``set`` (twins share a number, from 1), ``image_id``, ``label``, ``group``.
    """
    twins = files[files["content"].duplicated(keep=False)].sort_values(["content", "image_id"])
    numbered = twins.assign(set=pd.factorize(twins["content"])[0] + 1)
    return numbered[["set", "image_id", "label", "group"]].sort_values(["set", "image_id"], ignore_index=True)


def summary(files: pd.DataFrame) -> pd.DataFrame:
    """What was looked at in every file, how many were found, and what was done.

    Parameters
    ----------
    files : DataFrame
        As returned by `lesionbook.images.build`, with ``label`` and ``group``.

    Returns
    -------
    DataFrame
        Columns ``check``, ``found``, ``treatment``.
    """
    twins = duplicates(files)
    across_labels = int((twins.groupby("set")["label"].nunique() > 1).sum())
    across_groups = int((twins.groupby("set")["group"].nunique() > 1).sum())
    sizes = files.groupby(["width", "height"]).size()
    usual = sizes.idxmax()
    rows = [
        ("files that decode to the last pixel", len(files), "a file that does not would have stopped the run"),
        ("image size most common", f"{usual[0]} × {usual[1]}", "resized as described below"),
        ("images of another size", len(files) - int(sizes.max()), "resized in the same way"),
        ("images not stored as RGB", int((files["mode"] != "RGB").sum()), "converted to RGB"),
        ("images whose pixels stand twice", len(twins), "kept, and always on the same side of the split"),
        ("identical pictures under two groups", across_groups, "treated as one group in the split"),
        ("identical pictures under two labels", across_labels, "kept; no model can be right on both"),
    ]
    return pd.DataFrame(rows, columns=["check", "found", "treatment"])


def leakage_gate(index: pd.DataFrame, content: pd.Series) -> None:
    """Stop if a group or an identical picture stands on two sides of the split.

    Parameters
    ----------
    index : DataFrame
        With ``image_id``, ``group`` and ``split``.
    content : Series
        Hash of the decoded pixels of each row.

    Raises
    ------
    LesionbookError
        With the group or image, the sides, and how many there are.
    """
    for what, key in (("group", index["group"]), ("identical picture", content)):
        sides = index["split"].groupby(key.to_numpy()).nunique()
        leaks = sides[sides > 1].index
        if len(leaks):
            rows = index[(key == leaks[0]).to_numpy()]
            raise LesionbookError(
                f"leakage: {len(leaks)} {what}(s) on more than one side of the split, for instance that of the image "
                f"{rows['image_id'].iloc[0]} on {' and '.join(sorted(rows['split'].unique()))}; split by the sets of "
                "splits.together, so that groups and identical pictures stay whole."
            )
