"""What all adapters share: listing a folder, and joining the rows of its label files with its images."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pandas as pd

from lesionbook import paths
from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError
from lesionbook.findings import Finding

COLUMNS = ["image_id", "path", "label", "group"]
JPEG = (".jpg", ".jpeg")
SPLITS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}  # folder to given_split
EMPTY = Finding("classes without an image", 0, "would have stopped the run")
STOPPED = [
    Finding("ids that stand twice", 0, EMPTY.treatment),
    Finding("labels that are none of the classes", 0, EMPTY.treatment),
    EMPTY,
]


@dataclass(frozen=True)
class Listing:
    """What an adapter found in a folder.

    Attributes
    ----------
    table : DataFrame
        One row per labelled image, sorted by ``image_id``; columns ``image_id, path, label, group`` and metadata.
    findings : list of Finding
        What was looked for, for the table of checks.
    absent : int
        Rows whose image is not there; their path is where it was expected.
    """

    table: pd.DataFrame
    findings: list[Finding]
    absent: int = 0


def files(folder: Path) -> pd.DataFrame:
    """List all files at or below a folder, reading each folder once and opening no file; hidden ones are ignored.

    Returns
    -------
    DataFrame
        ``path``, ``parent`` (of the folder, relative and with slashes, empty at the top), ``name``, ``stem`` and
        ``ending`` (lower case, with its dot), all str, in the order of the names.

    Raises
    ------
    LesionbookError
        If a folder cannot be read.
    """
    columns = ["path", "parent", "name", "stem", "ending"]
    rows = []
    for place, folders, names in os.walk(folder, onerror=_unreadable, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        parent = Path(place).relative_to(folder).as_posix()
        for name in sorted(names):
            if not name.startswith("."):
                stem, dot, ending = name.rpartition(".")
                parts = (stem, dot + ending.lower()) if dot else (name, "")
                rows.append((f"{place}{os.sep}{name}", "" if parent == "." else parent, name, *parts))
    return pd.DataFrame(rows, columns=columns, dtype=str)


def within(found: pd.DataFrame, folder: str, endings: tuple[str, ...]) -> pd.DataFrame:
    """Files with one of the endings at or below any folder of this name, however deep it lies."""
    inside = ("/" + found["parent"] + "/").str.contains(f"/{folder}/", regex=False)
    return found[inside & found["ending"].isin(endings)]


def find(found: pd.DataFrame, name: str, folder: Path, record: Record) -> Path:
    """Path of the one file of this name.

    Raises
    ------
    LesionbookError
        If there is none, or more than one.
    """
    here = found.loc[found["name"] == name, "path"].to_list()
    if not here:
        raise LesionbookError(
            f"{paths.relative(folder)}: {name} is missing; a folder of {record.title} holds {record.layout}."
        )
    if len(here) > 1:
        raise LesionbookError(
            f"{paths.relative(folder)}: {name} stands in {len(here)} folders; keep one of "
            f"{' and '.join(paths.relative(Path(path)) for path in here)}."
        )
    return Path(here[0])


def attach(rows: pd.DataFrame, metadata: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """Add metadata to rows by ``image_id``, counting what stands on one side only."""
    known = rows["image_id"].isin(metadata["image_id"])
    return rows.merge(metadata, on="image_id", how="left"), [
        Finding("labels without metadata", int((~known).sum()), "kept, metadata as not recorded"),
        Finding("metadata without a label", len(metadata) - int(known.sum()), "left out"),
    ]


def join(rows: pd.DataFrame, images: pd.DataFrame, *, record: Record, folder: Path, findings: list[Finding]) -> Listing:
    """Give each row its image and bring everything into the form of a listing.

    Parameters
    ----------
    rows : DataFrame
        ``image_id``, ``label``, ``group`` (may be missing), ``expected`` (path of the image if it is not found) and
        metadata; ids and labels already checked.
    images : DataFrame
        Image files as `files` lists them; the stem is the id.
    record : Record
        Of the data set.
    folder : Path
        Of the data set, for messages.
    findings : list of Finding
        What was found so far.

    Raises
    ------
    LesionbookError
        If an image of a row stands twice, no row has an image, or a class has none.
    """
    where = paths.relative(folder)
    labelled = images[images["stem"].isin(rows["image_id"])]
    twice = labelled[labelled["stem"].duplicated(keep=False)].sort_values(["stem", "path"])
    if len(twice):
        first, second = (paths.relative(Path(path)) for path in twice["path"].iloc[:2])
        raise LesionbookError(f"{where}: two files for the image {twice['stem'].iloc[0]}; keep {first} or {second}.")
    located = rows["image_id"].map(labelled.set_index("stem")["path"])
    absent = located.isna()
    if absent.all():
        raise LesionbookError(
            f"{where}: no image for any of the {len(rows)} rows, the first {Path(rows['expected'].iloc[0]).name}; "
            f"a folder of {record.title} holds {record.layout}."
        )
    present = set(rows.loc[~absent, "label"])
    empty = [name for name in record.classes if name not in present]
    if empty:
        raise LesionbookError(
            f"{where}: no image of class {empty[0]}; complete the folder, which holds {record.layout}."
        )
    groups = rows["group"].fillna(rows["image_id"]).astype(str)
    table = rows.assign(path=located.fillna(rows["expected"]).map(Path), group=groups)
    columns = [*COLUMNS, *(name for name in record.metadata if name in rows)]
    return Listing(
        table[columns].sort_values("image_id", ignore_index=True),
        [
            *findings,
            Finding("images without a label", len(images) - len(labelled), "left out"),
            Finding("labels without an image", int(absent.sum()), "counted as files that do not decode"),
            *STOPPED,
        ],
        int(absent.sum()),
    )


def _unreadable(error: OSError) -> NoReturn:
    """Turn a failure of the operating system into a sentence."""
    where = paths.relative(Path(error.filename))
    raise LesionbookError(f"{where}: cannot be read ({error.strerror}); check the name and its permissions.") from error
