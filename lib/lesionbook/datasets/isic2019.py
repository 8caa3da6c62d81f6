"""ISIC 2019: 25,331 dermoscopic images in eight classes, the training set of the ISIC challenge of that year."""

from pathlib import Path

from lesionbook.datasets import csv_file, listing
from lesionbook.datasets.listing import Listing
from lesionbook.datasets.record import Record
from lesionbook.findings import Finding

LABELS = "ISIC_2019_Training_GroundTruth.csv"
METADATA = "ISIC_2019_Training_Metadata.csv"
IMAGES = "ISIC_2019_Training_Input"
UNKNOWN = "UNK"  # a ninth column of the file: none of the eight classes
COLUMNS = {"age_approx": "age", "sex": "sex", "anatom_site_general": "localization", "lesion_id": "group"}

RECORD = Record(
    name="isic2019",
    title="ISIC 2019",
    subject="skin lesions",
    classes={
        "MEL": "Melanoma",
        "NV": "Melanocytic nevus",
        "BCC": "Basal cell carcinoma",
        "AK": "Actinic keratosis",
        "BKL": "Benign keratosis",
        "DF": "Dermatofibroma",
        "VASC": "Vascular lesion",
        "SCC": "Squamous cell carcinoma",
    },
    counts={"MEL": 4522, "NV": 12875, "BCC": 3323, "AK": 867, "BKL": 2624, "DF": 239, "VASC": 253, "SCC": 628},
    groups=None,
    group_name="lesion",
    grouping="Images of one lesion share a lesion id where the metadata gives one; the others stand alone.",
    artefacts="hair, rulers, gel bubbles, ink, dark corners, and the colour of the light",
    limits=(
        "The images come from three sources with different cameras and sizes, and the classes are not spread evenly "
        "over them: size and colour cast alone say something about the class. Images of one patient are not linked, "
        "and some have no lesion id. Skin tone is not recorded."
    ),
    metadata=("age", "sex", "localization"),
    known_before=("age", "sex", "localization"),
    licence="CC BY-NC 4.0",
    citation=(
        "P. Tschandl, C. Rosendahl, H. Kittler: The HAM10000 dataset. Scientific Data 5:180161 (2018); N. C. F. "
        "Codella et al.: Skin lesion analysis toward melanoma detection. arXiv:1710.05006 (2017); M. Combalia et al.: "
        "BCN20000: Dermoscopic lesions in the wild. arXiv:1908.02288 (2019)."
    ),
    source="https://challenge.isic-archive.com/data/#2019",
    kaggle="andrewmvd/isic-2019",
    layout=f"{LABELS}, {METADATA} and the folder {IMAGES} with one <image>.jpg per row",
)


def read(folder: Path) -> Listing:
    """Read labels and metadata and find each image.

    Parameters
    ----------
    folder : Path
        Folder with the files of the ISIC archive; the image folder may lie deeper.

    Returns
    -------
    Listing
        Table with ``age, sex, localization``; age in years; an image without a lesion id is its own group; rows marked
        as unknown are left out.

    Raises
    ------
    LesionbookError
        If a file or column is missing, an id stands twice, a row does not mark one class, or a class has no image.
    """
    found = listing.files(folder)
    path = listing.find(found, LABELS, folder, RECORD)
    columns = [*RECORD.classes, UNKNOWN]
    marked, findings = csv_file.read(path, ["image", *columns])
    csv_file.check_ids(marked["image"], path)
    marks = marked.set_index("image")[columns].apply(lambda column: csv_file.numbers(column)[0])
    labels = csv_file.one_hot(marks, path).rename("label").rename_axis("image_id").reset_index()
    unknown = labels["label"] == UNKNOWN

    source = listing.find(found, METADATA, folder, RECORD)
    metadata, unusual = csv_file.read(source, ["image", *COLUMNS])
    csv_file.check_ids(metadata["image"], source)
    age, strange = csv_file.numbers(metadata["age_approx"])
    metadata = metadata[["image", *COLUMNS]].assign(age_approx=age).rename(columns={"image": "image_id", **COLUMNS})
    outside = metadata["image_id"].isin(labels.loc[unknown, "image_id"])
    rows, sides = listing.attach(labels[~unknown], metadata[~outside])

    images = listing.within(found, IMAGES, listing.JPEG)
    place = Path(images["path"].iloc[0]).parent if len(images) else path.parent / IMAGES
    rows["expected"] = f"{place}/" + rows["image_id"] + ".jpg"
    return listing.join(
        rows,
        images[~images["stem"].isin(labels.loc[unknown, "image_id"])],
        record=RECORD,
        folder=folder,
        findings=[
            *findings,
            *unusual,
            *strange,
            *sides,
            Finding(f"rows marked {UNKNOWN}, none of the classes", int(unknown.sum()), "left out with their images"),
        ],
    )
