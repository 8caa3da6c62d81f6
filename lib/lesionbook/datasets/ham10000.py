"""HAM10000: 10,015 dermatoscopic images of 7,470 pigmented skin lesions in seven classes."""

from pathlib import Path

import pandas as pd

from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError

METADATA = "HAM10000_metadata.csv"
FOLDERS = ("HAM10000_images_part_1", "HAM10000_images_part_2")
COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]

RECORD = Record(
    name="ham10000",
    title="HAM10000",
    classes={
        "akiec": "Actinic keratoses",
        "bcc": "Basal cell carcinoma",
        "bkl": "Benign keratosis-like lesions",
        "df": "Dermatofibroma",
        "mel": "Melanoma",
        "nv": "Melanocytic nevi",
        "vasc": "Vascular lesions",
    },
    counts={"akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142},
    groups=7470,
    group_name="lesion",
    metadata=("dx_type", "age", "sex", "localization"),
    licence="CC BY-NC 4.0",
    citation=(
        "P. Tschandl, C. Rosendahl, H. Kittler: The HAM10000 dataset, a large collection of multi-source dermatoscopic "
        "images of common pigmented skin lesions. Scientific Data 5:180161 (2018)."
    ),
    source="https://doi.org/10.7910/DVN/DBW86T",
    kaggle="kmader/skin-cancer-mnist-ham10000",
    layout=f"{METADATA} and the folders {FOLDERS[0]} and {FOLDERS[1]} with one <image_id>.jpg per row",
)


def read(folder: Path) -> pd.DataFrame:
    """Read the metadata and find each image.

    Parameters
    ----------
    folder : Path
        Folder in the layout of the Kaggle download.

    Returns
    -------
    DataFrame
        ``image_id, path, label, group, dx_type, age, sex, localization``; age in years, missing as NaN; ``unknown`` in
        sex and localization is a value of the original file and stays one; an image without a lesion is its own group.

    Raises
    ------
    LesionbookError
        If the metadata file, a column, or the image of a row is missing, an id stands twice, or a class is unknown.
    """
    path = folder / METADATA
    if not path.exists():
        raise LesionbookError(f"{folder}: {METADATA} is missing; a HAM10000 folder holds {RECORD.layout}.")
    metadata = pd.read_csv(path, dtype={"lesion_id": str, "image_id": str})
    missing = [name for name in COLUMNS if name not in metadata.columns]
    if missing:
        raise LesionbookError(f"{path}: column {missing[0]!r} is missing; expected {', '.join(COLUMNS)}.")
    if metadata.empty:
        raise LesionbookError(f"{path}: no rows; download the data set again.")
    twice = metadata.loc[metadata["image_id"].duplicated(), "image_id"]
    if len(twice):
        raise LesionbookError(f"{path}: image_id {twice.iloc[0]!r} stands twice; keep one row per image.")
    unknown = sorted(set(metadata["dx"].fillna("").astype(str)) - set(RECORD.classes))
    if unknown:
        raise LesionbookError(f"{path}: dx {unknown[0]!r} is none of {', '.join(RECORD.classes)}; correct the row.")
    files = {file.stem: file for name in FOLDERS for file in sorted((folder / name).glob("*.jpg"))}
    absent = metadata.loc[~metadata["image_id"].isin(files.keys()), "image_id"]
    if len(absent):
        raise LesionbookError(
            f"{folder}: no image for {len(absent)} of {len(metadata)} rows, the first {absent.iloc[0]}.jpg; "
            f"expected {RECORD.layout}."
        )
    table = metadata.rename(columns={"dx": "label", "lesion_id": "group"})
    table["group"] = table["group"].fillna(table["image_id"])
    table["path"] = table["image_id"].map(files)
    columns = ["image_id", "path", "label", "group", *RECORD.metadata]
    return table[columns].sort_values("image_id", ignore_index=True)
