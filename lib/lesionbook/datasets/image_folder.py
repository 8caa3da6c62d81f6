"""Images of one's own: one folder per class, optionally below train, val and test, optionally with a CSV file."""

import os
from pathlib import Path

import pandas as pd

from lesionbook import paths
from lesionbook.datasets import csv_file, listing
from lesionbook.datasets.listing import SPLITS, Listing
from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError
from lesionbook.findings import Finding

ENDINGS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".webp")
TAKEN = ("image_id", "path", "label", "split", "given_split")  # columns that mean something of their own in every table

RECORD = Record(
    name="image_folder",
    title="images of one's own",
    subject="the real thing",
    classes={},
    counts={},
    groups=None,
    group_name="group",
    grouping="Images share a group where a CSV file has a column group; every other image stands alone.",
    artefacts="whatever the images of a class share besides what makes the class: background, light, camera, writing",
    limits=(
        "Where these images come from, how their labels were found, and which of them show the same thing, only "
        "their owner knows; the numbers here are as good as these answers."
    ),
    metadata=("given_split",),
    licence="as the owner of the images says",
    citation="",
    source="",
    kaggle="",
    layout=(
        f"one folder of images ({', '.join(ENDINGS)}) per class, either directly or below train, val and test, and "
        "where wanted one CSV file with a column file (or image_id), a column group and any metadata columns"
    ),
)


def read(folder: Path) -> Listing:
    """Find the images in their class folders.

    Parameters
    ----------
    folder : Path
        ``<class>/…`` or ``train|val|test/<class>/…``; images may lie deeper inside a class folder.

    Returns
    -------
    Listing
        The id is the path inside the folder, the label the name of the class folder. ``given_split`` is there where
        the folders give one; other metadata columns are those of the CSV file, as numbers where all values are.

    Raises
    ------
    LesionbookError
        If there are fewer than two class folders, one without an image, class folders beside train, val and test, or a
        CSV file that does not fit the images.
    """
    where, found = paths.relative(folder), listing.files(folder)
    tops = _folders(folder)
    splits = [name for name in tops if name.lower() in SPLITS]
    if 0 < len(splits) < len(tops):
        other = next(name for name in tops if name not in splits)
        raise LesionbookError(
            f"{where}: the folder {other} beside {' and '.join(splits)}; put every class folder below those, or none."
        )
    classes = sorted({name for split in splits for name in _folders(folder / split)} if splits else tops)
    if len(classes) < 2:
        there = f"only one class folder, {classes[0]}" if classes else "no class folder"
        raise LesionbookError(
            f"{where}: {there}; two classes at least are needed, and the folder holds {RECORD.layout}."
        )

    levels = found["parent"].str.split("/")
    label = levels.str.get(1 if splits else 0).replace("", None)
    is_image, in_class = found["ending"].isin(ENDINGS), label.notna()
    images = found.assign(label=label, given_split=levels.str.get(0).str.lower().map(SPLITS))[is_image & in_class]
    if images.empty:
        raise LesionbookError(f"{where}: no image in any class folder; the folder holds {RECORD.layout}.")
    present = set(images["label"])
    empty = [name for name in classes if name not in present]
    if empty:
        raise LesionbookError(f"{where}: no image in the class folder {empty[0]}; add images or delete the folder.")

    table = pd.DataFrame(
        {
            "image_id": images["parent"] + "/" + images["name"],
            "path": images["path"].map(Path),
            "label": images["label"],
        }
    )
    table["group"] = table["image_id"]
    if splits:
        table["given_split"] = images["given_split"]
    findings = [
        Finding("images outside the class folders", int((is_image & ~in_class).sum()), "left out"),
        Finding("files in class folders that are no images", int((~is_image & in_class).sum()), "left out"),
        listing.EMPTY,
    ]
    lists = found.loc[(found["parent"] == "") & (found["ending"] == ".csv"), "path"].to_list()
    if len(lists) > 1:
        names = " and ".join(Path(path).name for path in lists)
        raise LesionbookError(f"{where}: more than one CSV file, {names}; keep one.")
    if lists:
        table, more = _described(table, images, Path(lists[0]))
        findings += more
    return Listing(table.sort_values("image_id", ignore_index=True), findings)


def _folders(folder: Path) -> list[str]:
    """Names of the folders in a folder, hidden ones left out."""
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))


def _described(table: pd.DataFrame, images: pd.DataFrame, path: Path) -> tuple[pd.DataFrame, list[Finding]]:
    """Add groups and metadata from a CSV file that names each image by path, file name or stem."""
    facts, findings = csv_file.read(path, [])
    key = "image_id" if "image_id" in facts.columns and "file" not in facts.columns else "file"
    csv_file.require(facts, [key], path)
    taken = [name for name in facts.columns.drop(key) if name in TAKEN]
    if taken:
        raise LesionbookError(
            f"{paths.relative(path)}: the column {taken[0]!r} has a meaning of its own here (labels and splits are "
            "folders); rename or delete it."
        )
    csv_file.check_ids(facts[key], path)
    named = _positions(facts[key].str.replace("\\", "/").str.removeprefix("./"), table["image_id"], images, path)
    if (named < 0).all():
        raise LesionbookError(
            f"{paths.relative(path)}: no row names an image, the first {key} is {facts[key].iloc[0]!r}; give the path "
            f"inside the folder, such as {table['image_id'].iloc[0]}."
        )
    twice = named[(named >= 0) & named.duplicated()]
    if len(twice):
        image = table["image_id"].iloc[twice.iloc[0]]
        raise LesionbookError(f"{paths.relative(path)}: two rows for the image {image}; keep one.")
    facts = facts.drop(columns=key).assign(position=named)[named >= 0].set_index("position")
    facts = facts.reindex(range(len(table))).set_axis(table.index)
    if "group" in facts:
        table = table.assign(group=facts.pop("group").fillna(table["group"]))
    return table.join(facts.apply(_plain)), [
        *findings,
        Finding(f"rows of {path.name} without an image", int((named < 0).sum()), "left out"),
        Finding(
            f"images without a row in {path.name}", len(table) - int((named >= 0).sum()), "kept, each its own group"
        ),
    ]


def _positions(keys: pd.Series, image_ids: pd.Series, images: pd.DataFrame, path: Path) -> pd.Series:
    """Position of the image that each key names, -1 where it names none."""
    positions = pd.Series(-1, index=keys.index)
    for names in (image_ids, images["name"], images["stem"]):
        ambiguous = keys[(positions < 0) & keys.isin(names[names.duplicated()])]
        if len(ambiguous):
            raise LesionbookError(
                f"{paths.relative(path)}: {ambiguous.iloc[0]!r} names more than one image; give the path inside the "
                "folder, with the class folder."
            )
        lookup = pd.Series(range(len(names)), index=names.to_numpy())
        places = keys.map(lookup[~lookup.index.duplicated()]).fillna(-1).astype(int)
        positions = positions.where(positions >= 0, places)
    return positions


def _plain(values: pd.Series) -> pd.Series:
    """Numbers where every value is one, else the texts as they are."""
    try:
        return pd.to_numeric(values)
    except ValueError:
        return values
