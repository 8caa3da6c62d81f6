"""PatchCamelyon: 96 × 96 pixel patches of lymph-node sections, with metastatic tissue in their centre or without.

Two layouts are read: the Kaggle competition's (220,025 labelled TIFF files, PatchCamelyon without its duplicates) and
PatchCamelyon's own (327,680 patches in HDF5 files, with the slide of each patch).
"""

from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from lesionbook import paths
from lesionbook.datasets import csv_file, listing
from lesionbook.datasets.listing import Listing
from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError
from lesionbook.findings import Finding

LABELS = "train_labels.csv"
TIFF = (".tif", ".tiff")
KEYS = {"0": "normal", "1": "metastasis"}  # as the label files write the classes
HDF5 = "camelyonpatch_level_2_split_{}_{}.h5"
SLIDES = "camelyonpatch_level_2_split_{}_meta.csv"
PARTS = ("train", "valid", "test")
SIDE = 96  # pixels

RECORD = Record(
    name="pcam",
    title="PatchCamelyon",
    subject="lymph-node tissue",
    classes={"normal": "No metastasis in the centre", "metastasis": "Metastasis in the centre"},
    counts={"normal": 130908, "metastasis": 89117},
    groups=None,
    group_name="slide",
    grouping=(
        "The Kaggle version names no slide, so every patch stands alone there and neighbours must be found as "
        "near-duplicates; the meta files of PatchCamelyon's own version name the slide, which is then the group."
    ),
    artefacts=(
        "the strength and tint of the stain, which belong to the slide and not to the tissue; focus; folds; air and "
        "empty glass; and tumour tissue in the margin, which does not count"
    ),
    limits=(
        "The label speaks of the central 32 × 32 pixels only. The slides come from two hospitals. Patches of one "
        "slide, and overlapping ones, resemble each other; the Kaggle version does not say which those are, and "
        "patches that overlap are found only where they are shifted by less than three pixels, so that some neighbours "
        "of training patches will be among the test patches."
    ),
    metadata=("given_split", "file_order"),
    licence="CC0",
    citation=(
        "B. S. Veeling, J. Linmans, J. Winkens, T. Cohen, M. Welling: Rotation equivariant CNNs for digital pathology. "
        "arXiv:1806.03962 (2018); B. Ehteshami Bejnordi et al.: Diagnostic assessment of deep learning algorithms for "
        "detection of lymph node metastases in women with breast cancer. JAMA 318(22):2199-2210 (2017)."
    ),
    source="https://github.com/basveeling/pcam",
    kaggle="histopathologic-cancer-detection",
    competition=True,
    layout=(
        f"{LABELS} and the folders train and test with one <id>.tif per patch, or PatchCamelyon's own "
        f"{HDF5.format('train', 'x')}, {HDF5.format('train', 'y')} and {SLIDES.format('train')}, the same for valid "
        "and test"
    ),
    checksums={
        "camelyonpatch_level_2_split_train_x.h5": "01844da899645b4d6f84946d417ba453",
        "camelyonpatch_level_2_split_train_y.h5": "0781386bf6c2fb62d58ff18891466aca",
        "camelyonpatch_level_2_split_train_meta.csv": "5a3dd671e465cfd74b5b822125e65b0a",
        "camelyonpatch_level_2_split_valid_x.h5": "81cf9680f1724c40673f10dc88e909b1",
        "camelyonpatch_level_2_split_valid_y.h5": "94d8aacc249253159ce2a2e78a86e658",
        "camelyonpatch_level_2_split_valid_meta.csv": "67589e00a4a37ec317f2d1932c7502ca",
        "camelyonpatch_level_2_split_test_x.h5": "2614b2e6717d6356be141d9d6dbfcb7e",
        "camelyonpatch_level_2_split_test_y.h5": "11ed647efe9fe457a4eb45df1dba19ba",
        "camelyonpatch_level_2_split_test_meta.csv": "3455fd69135b66734e1008f3af684566",
    },
)


def read(folder: Path) -> Listing:
    """Read the labels and find each patch, in TIFF files (Kaggle) or in HDF5 files (PatchCamelyon's own).

    Parameters
    ----------
    folder : Path
        Folder in either layout; the named files may lie deeper.

    Returns
    -------
    Listing
        For TIFF files every patch is its own group. For HDF5 files the table has ``given_split``, the group is the
        slide where the meta file is there, and a path is ``<file>.h5/<row>``.

    Raises
    ------
    LesionbookError
        If a file or column is missing, an id stands twice, a label is unknown, a class has no image, or the HDF5 files
        do not belong together.
    """
    found = listing.files(folder)
    parts = [part for part in PARTS if found["name"].isin([HDF5.format(part, kind) for kind in "xy"]).any()]
    if parts and not (found["name"] == LABELS).any():
        return _hdf5(folder, found, parts)
    packed = found.loc[found["name"].str.endswith(".h5.gz"), "name"]
    if len(packed) and not (found["name"] == LABELS).any():
        raise LesionbookError(f"{paths.relative(folder)}: {packed.iloc[0]} is packed; unpack the .gz files (gunzip).")
    path = listing.find(found, LABELS, folder, RECORD)
    rows, findings = csv_file.read(path, ["id", "label"])
    csv_file.check_ids(rows["id"], path)
    csv_file.check_labels(rows["label"], list(KEYS), path)
    rows = pd.DataFrame({"image_id": rows["id"], "label": rows["label"].map(KEYS), "group": rows["id"]})
    rows["file_order"] = range(len(rows))  # a study takes the first ones
    rows["expected"] = f"{path.parent / 'train'}/" + rows["image_id"] + ".tif"
    images = listing.within(found, "train", TIFF)
    return listing.join(rows, images, record=RECORD, folder=folder, findings=findings)


def unlabelled(folder: Path) -> pd.DataFrame:
    """List the unlabelled patches of the Kaggle version, which predictions are submitted for.

    Returns
    -------
    DataFrame
        ``image_id`` and ``path``, sorted by ``image_id``.

    Raises
    ------
    LesionbookError
        If there is none.
    """
    images = listing.within(listing.files(folder), "test", TIFF)
    if images.empty:
        raise LesionbookError(
            f"{paths.relative(folder)}: no .tif file in a folder test; {RECORD.title} holds {RECORD.layout}."
        )
    table = pd.DataFrame({"image_id": images["stem"], "path": images["path"].map(Path)})
    return table.sort_values("image_id", ignore_index=True)


def _hdf5(folder: Path, found: pd.DataFrame, parts: list[str]) -> Listing:
    """Layout of PatchCamelyon's own files; the pixels stay unread."""
    tables, findings = [], []
    for part in parts:
        pixels, labels = (listing.find(found, HDF5.format(part, kind), folder, RECORD) for kind in "xy")
        rows = _length(pixels)
        classes = _labels(labels)
        if len(classes) != rows:
            raise LesionbookError(
                f"{paths.relative(labels)}: {len(classes)} labels for {rows} patches; download both files again."
            )
        table = pd.DataFrame({"label": classes, "given_split": listing.SPLITS[part]})
        table["image_id"] = [f"{part}_{row:06d}" for row in range(rows)]
        table["path"] = [pixels / str(row) for row in range(rows)]
        table["group"] = table["image_id"]
        if (found["name"] == SLIDES.format(part)).any():
            source = listing.find(found, SLIDES.format(part), folder, RECORD)
            slides, unusual = csv_file.read(source, ["wsi"])
            if len(slides) != rows:
                raise LesionbookError(
                    f"{paths.relative(source)}: {len(slides)} rows for {rows} patches; download it again."
                )
            table["group"] = slides["wsi"].fillna(table["group"])
            findings += unusual
        else:
            findings.append(Finding(f"patches without a slide ({part})", rows, "each is its own group"))
        tables.append(table)
    table = pd.concat(tables).assign(file_order=range(sum(map(len, tables))))
    empty = [name for name in RECORD.classes if name not in set(table["label"])]
    if empty:
        raise LesionbookError(f"{paths.relative(folder)}: no patch of class {empty[0]}; put there {RECORD.layout}.")
    columns = [*listing.COLUMNS, *RECORD.metadata]
    return Listing(table[columns].sort_values("image_id", ignore_index=True), [*findings, *listing.STOPPED])


def _length(path: Path) -> int:
    """Number of patches in a file of pixels."""
    try:
        with h5py.File(path) as file:
            shape, kind = file["x"].shape, file["x"].dtype
    except (OSError, KeyError) as error:
        raise _unsound(path, "x") from error
    if shape[1:] != (SIDE, SIDE, 3) or kind != np.uint8:
        raise LesionbookError(
            f"{paths.relative(path)}: patches of {kind} and shape {shape[1:]}, not of uint8 and {(SIDE, SIDE, 3)}; "
            "download it again."
        )
    return shape[0]


def _labels(path: Path) -> pd.Series:
    """Class key of each patch in a file of labels."""
    try:
        with h5py.File(path) as file:
            values = pd.Series(file["y"][:].reshape(-1), name="y")
    except (OSError, KeyError) as error:
        raise _unsound(path, "y") from error
    texts = values.astype(str)
    csv_file.check_labels(texts, list(KEYS), path)
    return texts.map(KEYS)


def _unsound(path: Path, dataset: str) -> LesionbookError:
    """What to say of a file that HDF5 cannot read."""
    return LesionbookError(
        f"{paths.relative(path)}: not a whole HDF5 file with the data set {dataset!r}; unpack the .gz file or download "
        "it again."
    )
