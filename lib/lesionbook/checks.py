"""Checks of the files and of the split; the last one is a gate that nothing passes with a leak."""

from collections.abc import Iterable, Mapping
from dataclasses import astuple
from pathlib import Path

import pandas as pd
from PIL import Image

from lesionbook.errors import LesionbookError
from lesionbook.findings import Finding


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


def summary(
    files: pd.DataFrame, set_aside: pd.DataFrame, findings: Iterable[Finding], near: pd.DataFrame
) -> pd.DataFrame:
    """What was looked for, how often it was found, and what was done.

    Parameters
    ----------
    files : DataFrame
        The sound files, as returned by `lesionbook.storing.build`, with ``path``, ``label`` and ``group``.
    set_aside : DataFrame
        The files that could not be used.
    findings : iterable of Finding
        What reading the data folder came across.
    near : DataFrame
        Pairs of near-duplicates, with ``first_label`` and ``second_label``.

    Returns
    -------
    DataFrame
        Columns ``check``, ``found``, ``treatment``.
    """
    twins = duplicates(files).groupby("set")
    sizes = files.groupby(["width", "height"]).size()
    usual = sizes.idxmax()
    endings = files["path"].map(lambda path: Path(path).suffix.lower())
    formats = endings.map(Image.registered_extensions())
    modes = files.loc[files["mode"] != "RGB", "mode"].value_counts()
    own = [
        Finding("files that decode to their last pixel", len(files), "stored"),
        Finding("files that cannot be used", len(set_aside), "set aside, listed below" if len(set_aside) else "none"),
        Finding("image size most common", f"{usual[0]} × {usual[1]}", "resized as described below"),
        Finding("images of another size", len(files) - int(sizes.max()), "resized in the same way"),
        *(Finding(f"images stored as {mode}", int(count), "converted to RGB") for mode, count in modes.items()),
        Finding("images with an EXIF rotation", int(files["rotated"].sum()), "turned upright"),
        Finding(
            "files of another format than their ending says",
            int((formats.notna() & (formats != files["format"])).sum()),
            "read as what they are",
        ),
        Finding("sets of identical pictures", twins.ngroups, "kept, each on one side of the split"),
        Finding("identical pictures under two groups", _differing(twins["group"]), "one unit in the split"),
        Finding("identical pictures under two labels", _differing(twins["label"]), "kept; no model is right on both"),
        Finding("pairs of near-duplicates", len(near), "kept, each on one side unless the split is given"),
        Finding(
            "of these under two labels", int((near["first_label"] != near["second_label"]).sum()), "kept; worth a look"
        ),
    ]
    return pd.DataFrame([astuple(one) for one in [*findings, *own]], columns=["check", "found", "treatment"])


def leakage_gate(index: pd.DataFrame, keys: Mapping[str, pd.Series]) -> None:
    """Stop if anything that belongs together stands on two sides of the split.

    Parameters
    ----------
    index : DataFrame of N rows
        With ``image_id`` and ``split``.
    keys : mapping of str to Series of N values
        What must stay together by its name (``the same lesion``, ``an identical picture``): images with the same value
        do; a missing value is shared with no other image.

    Raises
    ------
    LesionbookError
        With what leaks, the sides, and how many there are.
    """
    for what, key in keys.items():
        sides = index["split"].groupby(key.to_numpy()).nunique()
        leaks = sides[sides > 1].index
        if len(leaks):
            rows = index[(key == leaks[0]).to_numpy()]
            raise LesionbookError(
                f"leakage: {what}, {len(leaks)} times on more than one side of the split, for instance that of the "
                f"image {rows['image_id'].iloc[0]} on {' and '.join(sorted(rows['split'].unique()))}; split by "
                "fractions or numbers per class, which keep together what belongs together."
            )


def unseen_gate(own: pd.DataFrame, other: pd.DataFrame, source: str) -> None:
    """Stop if a network was trained, or chosen, on images that it is to be judged on here.

    Parameters
    ----------
    own, other : DataFrame
        Images of this study and of the one that trained the network, with ``image_id``, ``content`` (a hash of the
        decoded pixels) and ``split``.
    source : str
        Where the weights come from, for the message.

    Raises
    ------
    LesionbookError
        If an image that the other study trained on or chose by is a validation or test image here, by its id or its
        pixels; or with how many are.
    """
    judged, seen = own[own["split"].isin(["val", "test"])], other[other["split"].isin(["train", "val"])]
    known = judged[judged["image_id"].isin(seen["image_id"]) | judged["content"].isin(seen["content"])]
    if len(known):
        raise LesionbookError(
            f"weights: {source} has been trained on {len(known):,} of the {len(judged):,} validation and test images "
            f"of this study, {known['image_id'].iloc[0]} for instance; name weights that were trained on other images."
        )


def _differing(sets: "pd.api.typing.SeriesGroupBy") -> int:
    return int((sets.nunique() > 1).sum())
