"""Data folders of a few 8 × 8 images in every layout that is read from label files, and ways to damage them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pandas as pd
from PIL import Image

from lesionbook.datasets import ham10000, isic2017, isic2019, pcam
from lesionbook.findings import Finding


@dataclass(frozen=True)
class Layout:
    """What a test must know to damage a data folder: its label file, the columns in it, and where an image lies."""

    adapter: ModuleType
    write: Callable[[Path], Path]
    csv: str
    columns: list[str]  # that must be there, the id first
    image: Callable[[Path, str], Path]


def picture(path: Path, shade: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8), (shade, 60, 60)).save(path)
    return path


def edit(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Change a CSV file, all values being texts."""
    change(pd.read_csv(path, dtype=str)).to_csv(path, index=False)


def found(findings: list[Finding]) -> dict[str, int | str]:
    assert len({one.check for one in findings}) == len(findings), "one row per check"
    return {one.check: one.found for one in findings}


def ids(count: int) -> list[str]:
    return [f"ISIC_{number:07d}" for number in range(1, count + 1)]


def ham(folder: Path) -> Path:
    """Two images of one lesion per class."""
    labels = [name for name in ham10000.RECORD.classes for _ in range(2)]
    names = ids(len(labels))
    for number, name in enumerate(names):
        picture(folder / ham10000.FOLDERS[number % 2] / f"{name}.jpg")
    lesions = [f"HAM_{number // 2}" for number in range(len(labels))]
    frame = pd.DataFrame({"lesion_id": lesions, "image_id": names, "dx": labels, "dx_type": "histo", "age": "55.0"})
    frame.assign(sex="male", localization="back").to_csv(folder / ham10000.METADATA, index=False)
    return folder


def isic_2019(folder: Path) -> Path:
    """Two images of one lesion per class, a class with no lesion id, and the folder nested in itself like a mirror."""
    labels = [name for name in isic2019.RECORD.classes for _ in range(2)]
    names = ids(len(labels))
    marks = pd.DataFrame(
        {name: [f"{label == name:.1f}" for label in labels] for name in [*isic2019.RECORD.classes, "UNK"]}
    )
    for name in names:
        picture(folder / isic2019.IMAGES / isic2019.IMAGES / f"{name}.jpg")
    marks.insert(0, "image", names)
    marks.to_csv(folder / isic2019.LABELS, index=False)
    lesions = [f"BCN_{number // 2}" if number > 1 else None for number in range(len(labels))]
    facts = pd.DataFrame({"image": names, "age_approx": "40.0", "anatom_site_general": "anterior torso"})
    facts.assign(lesion_id=lesions, sex="female").to_csv(folder / isic2019.METADATA, index=False)
    return folder


def isic_2017(folder: Path) -> Path:
    """The archive's own layout: three images per part, one of each class, with superpixel files beside them."""
    names = iter(ids(9))
    for part in isic2017.PARTS:
        images = folder / isic2017.IMAGES.format(part)
        rows = []
        for marks in (("1.0", "0.0"), ("0.0", "1.0"), ("0.0", "0.0")):
            name = next(names)
            picture(images / f"{name}.jpg")
            picture(images / f"{name}_superpixels.png")
            rows.append((name, *marks))
        labels = pd.DataFrame(rows, columns=["image_id", "melanoma", "seborrheic_keratosis"])
        labels.to_csv(folder / isic2017.LABELS.format(part), index=False)
        facts = labels[["image_id"]].assign(age_approximate=["55", "unknown", "60"], sex=["male", "unknown", "female"])
        facts.to_csv(images / isic2017.METADATA.format(part), index=False)
    return folder


def pcam_files(folder: Path) -> Path:
    """Four labelled and two unlabelled patches as on Kaggle; an id may look like a number."""
    frame = pd.DataFrame({"id": ["1e5", "0012", "bb", "aa"], "label": ["0", "1", "0", "1"]})
    for name in frame["id"]:
        picture(folder / "train" / f"{name}.tif")
    for name in ("zz", "yy"):
        picture(folder / "test" / f"{name}.tif")
    frame.to_csv(folder / pcam.LABELS, index=False)
    return folder


def pcam_hdf5(folder: Path, parts: dict[str, int], *, slides: bool = True) -> Path:
    """PatchCamelyon's own layout: so many patches per part, in turns normal and metastasis, two per slide."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in parts.items():
        with h5py.File(folder / pcam.HDF5.format(part, "x"), "w") as file:
            file["x"] = np.full((count, 96, 96, 3), 100, dtype=np.uint8)
        with h5py.File(folder / pcam.HDF5.format(part, "y"), "w") as file:
            file["y"] = (np.arange(count) % 2).astype(np.uint8).reshape(-1, 1, 1, 1)
        if slides:
            meta = pd.DataFrame({"tumor_patch": True, "wsi": [f"{part}_slide_{row // 2}" for row in range(count)]})
            meta.to_csv(folder / pcam.SLIDES.format(part))
    return folder


def _part_of(folder: Path, name: str) -> Path:
    return next(folder.glob(f"HAM10000_images_part_*/{name}.jpg"))


LAYOUTS = {
    "ham10000": Layout(ham10000, ham, ham10000.METADATA, ["image_id", "dx", "age", "lesion_id"], _part_of),
    "isic2019": Layout(
        isic2019,
        isic_2019,
        isic2019.LABELS,
        ["image", *isic2019.RECORD.classes, "UNK"],
        lambda folder, name: folder / isic2019.IMAGES / isic2019.IMAGES / f"{name}.jpg",
    ),
    "isic2017": Layout(
        isic2017,
        isic_2017,
        isic2017.LABELS.format("Training"),
        ["image_id", "melanoma", "seborrheic_keratosis"],
        lambda folder, name: folder / isic2017.IMAGES.format("Training") / f"{name}.jpg",
    ),
    "pcam": Layout(
        pcam, pcam_files, pcam.LABELS, ["id", "label"], lambda folder, name: folder / "train" / f"{name}.tif"
    ),
}
