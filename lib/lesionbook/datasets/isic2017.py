"""ISIC 2017: 2,750 dermoscopic images of melanoma, nevus and seborrheic keratosis, of very different sizes."""

from pathlib import Path

import pandas as pd

from lesionbook import paths
from lesionbook.datasets import csv_file, listing
from lesionbook.datasets.listing import Listing
from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError
from lesionbook.findings import Finding

PARTS = {"Training": "train", "Validation": "val", "Test_v2": "test"}  # as the archive names its files
LABELS = "ISIC-2017_{}_Part3_GroundTruth.csv"
IMAGES = "ISIC-2017_{}_Data"
METADATA = "ISIC-2017_{}_Data_metadata.csv"
NEITHER = "nevus"  # the archive's files mark the other two classes only

RECORD = Record(
    name="isic2017",
    title="ISIC 2017",
    subject="skin lesions",
    classes={"melanoma": "Melanoma", "nevus": "Nevus", "seborrheic_keratosis": "Seborrheic keratosis"},
    counts={"melanoma": 521, "nevus": 1843, "seborrheic_keratosis": 386},
    groups=None,
    group_name="lesion",
    grouping="No lesion or patient id is published: every image stands alone, near-duplicates apart.",
    artefacts="hair, rulers, gel bubbles, ink, dark corners, and the colour of the light",
    limits=(
        "Neither lesion nor patient is recorded in the Kaggle version, and images of one lesion may stand on two "
        "sides of a split unless they look nearly the same. Melanomas are far more frequent than in any clinic. "
        "Skin tone is not recorded."
    ),
    metadata=("given_split", "age", "sex"),
    known_before=("age", "sex"),
    licence="CC0",
    citation=(
        "N. C. F. Codella et al.: Skin lesion analysis toward melanoma detection: a challenge at the 2017 "
        "International Symposium on Biomedical Imaging (ISBI), hosted by the International Skin Imaging Collaboration "
        "(ISIC). arXiv:1710.05006 (2017)."
    ),
    source="https://challenge.isic-archive.com/data/#2017",
    kaggle="wanderdust/skin-lesion-analysis-toward-melanoma-detection",
    layout=(
        "the folders train, valid and test, each with the folders melanoma, nevus and seborrheic_keratosis of .jpg "
        f"files, or the archive's own {LABELS.format('Training')} and {IMAGES.format('Training')}, the same for "
        "Validation and Test_v2"
    ),
)


def read(folder: Path) -> Listing:
    """Find the images in their class folders (Kaggle) or by the label files of the ISIC archive.

    Parameters
    ----------
    folder : Path
        Folder in either layout; the named folders may lie deeper.

    Returns
    -------
    Listing
        Table with ``given_split``, and ``age`` (years) and ``sex`` where the archive's metadata files are there.

    Raises
    ------
    LesionbookError
        If neither layout is there, a column is missing, an image stands twice, or a class is unknown or has no image.
    """
    found = listing.files(folder)
    labelled = [part for part in PARTS if (found["name"] == LABELS.format(part)).any()]
    return _archive(folder, found, labelled) if labelled else _class_folders(folder, found)


def _class_folders(folder: Path, found: pd.DataFrame) -> Listing:
    """Layout of the Kaggle version."""
    images = found[found["ending"].isin(listing.JPEG)]
    place = images["parent"].str.extract(rf"(?:^|/)({'|'.join(listing.SPLITS)})/([^/]+)")
    images = images.assign(given_split=place[0].map(listing.SPLITS), label=place[1])
    rows = images[images["label"].notna()].rename(columns={"stem": "image_id", "path": "expected"})
    if rows.empty:
        raise LesionbookError(f"{paths.relative(folder)}: no labelled image; put there {RECORD.layout}.")
    strangers = rows[~rows["label"].isin(RECORD.classes)]
    if len(strangers):
        raise LesionbookError(
            f"{paths.relative(folder)}: the folder {strangers['parent'].iloc[0]} is none of the classes "
            f"{', '.join(RECORD.classes)}; rename it or move it away."
        )
    return listing.join(rows.assign(group=None), images, record=RECORD, folder=folder, findings=[])


def _archive(folder: Path, found: pd.DataFrame, labelled: list[str]) -> Listing:
    """Layout of the ISIC archive: one label file per part, metadata beside the images where they were downloaded."""
    rows, metadata, findings = [], [], []
    for part in labelled:
        path = listing.find(found, LABELS.format(part), folder, RECORD)
        marked, unusual = csv_file.read(path, ["image_id", "melanoma", "seborrheic_keratosis"])
        csv_file.check_ids(marked["image_id"], path)
        columns = [name for name in RECORD.classes if name != NEITHER]
        marks = marked.set_index("image_id")[columns].apply(lambda column: csv_file.numbers(column)[0])
        marks[NEITHER] = 1 - marks.sum(axis=1)
        labels = csv_file.one_hot(marks, path).rename("label").reset_index()
        labels["expected"] = f"{path.parent / IMAGES.format(part)}/" + labels["image_id"] + ".jpg"
        rows.append(labels.assign(given_split=PARTS[part], group=None))
        findings += unusual
        if (found["name"] == METADATA.format(part)).any():
            source = listing.find(found, METADATA.format(part), folder, RECORD)
            facts, unusual = csv_file.read(source, ["image_id", "age_approximate", "sex"])
            csv_file.check_ids(facts["image_id"], source)
            age, strange = csv_file.numbers(facts["age_approximate"])
            metadata.append(facts[["image_id", "sex"]].assign(age=age))
            findings += unusual + strange
    table = pd.concat(rows, ignore_index=True)
    twice = table.loc[table["image_id"].duplicated(), "image_id"]
    if len(twice):
        raise LesionbookError(
            f"{paths.relative(folder)}: the image {twice.iloc[0]} has a row in two of the label files; keep one."
        )
    if metadata:
        table, sides = listing.attach(table, pd.concat(metadata, ignore_index=True).drop_duplicates("image_id"))
        findings += sides
    images = pd.concat([listing.within(found, IMAGES.format(part), listing.JPEG) for part in PARTS])
    unlabelled = [PARTS[part] for part in PARTS if part not in labelled]
    if unlabelled:
        findings.append(Finding("parts without a label file", ", ".join(unlabelled), "their images are left out"))
    return listing.join(table, images, record=RECORD, folder=folder, findings=findings)
