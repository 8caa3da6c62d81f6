"""HAM10000: 10,015 dermatoscopic images of 7,470 pigmented skin lesions in seven classes."""

from pathlib import Path

import pandas as pd

from lesionbook.datasets import csv_file, listing
from lesionbook.datasets.listing import Listing
from lesionbook.datasets.record import Record

METADATA = "HAM10000_metadata.csv"
FOLDERS = ("HAM10000_images_part_1", "HAM10000_images_part_2")
COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]

RECORD = Record(
    name="ham10000",
    title="HAM10000",
    subject="skin lesions",
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
    grouping="Images of one lesion share a lesion id; lesions of one patient are not linked.",
    artefacts="hair, rulers, gel bubbles, ink, dark corners, and the colour of the light",
    limits=(
        "Not every label rests on histology, so for some classes the reference itself may err. Actinic keratoses "
        "and intraepithelial carcinoma (Bowen's disease) stand together in one class. Images of one patient are not "
        "linked. They come from two specialised clinics and say little about lesions seen elsewhere; skin tone is "
        "not recorded."
    ),
    metadata=("dx_type", "age", "sex", "localization"),
    known_before=("age", "sex", "localization"),
    licence="CC BY-NC 4.0",
    citation=(
        "P. Tschandl, C. Rosendahl, H. Kittler: The HAM10000 dataset, a large collection of multi-source dermatoscopic "
        "images of common pigmented skin lesions. Scientific Data 5:180161 (2018)."
    ),
    source="https://doi.org/10.7910/DVN/DBW86T",
    original={"label": "dx", "group": "lesion_id"},
    kaggle="kmader/skin-cancer-mnist-ham10000",
    layout=f"{METADATA} and the folders {FOLDERS[0]} and {FOLDERS[1]} with one <image_id>.jpg per row",
)


def read(folder: Path) -> Listing:
    """Read the metadata and find each image.

    Parameters
    ----------
    folder : Path
        Folder in the layout of the Kaggle download.

    Returns
    -------
    Listing
        Table with ``dx_type, age, sex, localization``; age in years, missing as NaN; ``unknown`` in sex and
        localization is a value of the original file and stays one; an image without a lesion is its own group.

    Raises
    ------
    LesionbookError
        If the metadata file or a column is missing, an id stands twice, a class is unknown or has no image.
    """
    found = listing.files(folder)
    path = listing.find(found, METADATA, folder, RECORD)
    metadata, findings = csv_file.read(path, COLUMNS)
    csv_file.check_ids(metadata["image_id"], path)
    csv_file.check_labels(metadata["dx"], list(RECORD.classes), path)
    age, strange = csv_file.numbers(metadata["age"])
    rows = metadata.rename(columns={"dx": "label", "lesion_id": "group"}).assign(age=age)
    rows["expected"] = f"{path.parent / FOLDERS[0]}/" + rows["image_id"] + ".jpg"
    images = pd.concat([listing.within(found, name, listing.JPEG) for name in FOLDERS])
    return listing.join(rows, images, record=RECORD, folder=folder, findings=findings + strange)
