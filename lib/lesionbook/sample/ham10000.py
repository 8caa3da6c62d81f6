"""The embedded sample of HAM10000: drawn photographs with metadata, in the files and folders of the real download."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lesionbook.sample.folder import check, complete, each
from lesionbook.sample.shots import FEWEST, FIRST_ID, counts, repeats, take

FIRST = FIRST_ID["ham10000"]
COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]
PARTS = ["HAM10000_images_part_1", "HAM10000_images_part_2"]

# Share of the images. The real set has 1 % df and vasc; here every class keeps enough lesions for three splits.
SHARES = {"nv": 0.521, "mel": 0.129, "bkl": 0.129, "bcc": 0.079, "akiec": 0.058, "vasc": 0.042, "df": 0.042}
# How the diagnosis was confirmed, per lesion, as in the real metadata.
CONFIRMED = {
    "nv": {"follow_up": 0.69, "histo": 0.25, "consensus": 0.06},
    "mel": {"histo": 1.0},
    "bkl": {"histo": 0.67, "consensus": 0.28, "confocal": 0.05},
    "bcc": {"histo": 1.0},
    "akiec": {"histo": 1.0},
    "vasc": {"consensus": 0.66, "histo": 0.34},
    "df": {"consensus": 0.60, "histo": 0.40},
}
AGES = {
    "nv": (46, 15),
    "mel": (61, 15),
    "bkl": (64, 14),
    "bcc": (67, 13),
    "akiec": (67, 11),
    "vasc": (51, 21),
    "df": (53, 13),
}
MALE = {"nv": 0.52, "mel": 0.60, "bkl": 0.57, "bcc": 0.63, "akiec": 0.65, "vasc": 0.51, "df": 0.48}
PLACES = [
    "abdomen", "acral", "back", "chest", "ear", "face", "foot", "genital", "hand", "lower extremity", "neck", "scalp",
    "trunk", "upper extremity", "unknown",
]  # fmt: skip
# Parts per thousand of the lesions of a class on each of the places, as in the real metadata.
PLACED = {
    "akiec": (13, 1, 96, 39, 9, 368, 1, 1, 35, 180, 35, 35, 4, 184, 1),
    "bcc": (28, 1, 376, 98, 1, 187, 6, 1, 3, 110, 34, 34, 18, 98, 9),
    "bkl": (50, 1, 183, 69, 6, 267, 1, 1, 17, 150, 28, 33, 78, 92, 26),
    "df": (27, 1, 14, 1, 1, 1, 14, 14, 1, 740, 1, 1, 1, 192, 1),
    "mel": (50, 1, 301, 55, 16, 106, 24, 1, 2, 169, 29, 15, 41, 181, 10),
    "nv": (133, 1, 196, 21, 4, 11, 39, 8, 7, 227, 11, 4, 213, 93, 32),
    "vasc": (224, 1, 122, 31, 1, 51, 1, 1, 31, 163, 20, 20, 276, 61, 1),
}
REPEATS = {1: 0.75, 2: 0.16, 3: 0.07, 4: 0.02}  # photographs per lesion and how often


@dataclass(frozen=True)
class Shot:
    """One photograph to take: its row number, its lesion's number, diagnosis and file name."""

    image: int
    lesion: int
    dx: str
    file: str


def draw(folder: Path, *, images: int = 480, seed: int, processes: int = 1) -> None:
    """Draw the sample into a new folder.

    Parameters
    ----------
    folder : Path
        Must not exist or be empty; appears only when everything is written.
    images : int
        Number of images, at least 42 (seven classes of at least six lesions each).
    seed : int
        Not negative. The same seed gives the same bytes, whatever `processes` is.
    processes : int
        Number of processes that draw side by side, at least 1.

    Raises
    ------
    LesionbookError
        If `folder` holds something already or a number is out of range.
    """
    check(images=(images, FEWEST * len(SHARES)), seed=(seed, 0), processes=(processes, 1))
    rows = metadata(images, seed)
    with complete(folder, layout="HAM10000", seed=seed) as building:
        for part in PARTS:
            (building / part).mkdir()
        shots = [
            Shot(index, int(row["lesion_id"][4:]), row["dx"], f"{PARTS[2 * index >= images]}/{row['image_id']}.jpg")
            for index, row in enumerate(rows)
        ]
        shots.sort(key=lambda shot: shot.lesion)  # photographs of one lesion in a row: it is drawn once
        each(partial(shoot, folder=building, seed=seed), shots, processes=processes)
        metadata_file = building / "HAM10000_metadata.csv"
        pd.DataFrame(rows, columns=COLUMNS).to_csv(metadata_file, index=False, lineterminator="\n")


def shoot(shot: Shot, *, folder: Path, seed: int) -> None:
    """Draw one photograph and write it; everything comes from the seed and the numbers in `shot`."""
    pixels = take(shot.dx, shot.lesion, shot.image, seed)
    Image.fromarray(pixels).save(folder / shot.file, quality=90)


def metadata(images: int, seed: int) -> list[dict[str, str]]:
    """Draw the rows of the metadata table, with the columns of `COLUMNS`, one per image, in the order of the ids."""
    rng = np.random.default_rng([seed, 0])
    lesions = []
    for dx, count in counts(images, SHARES).items():
        for shots in repeats(count, REPEATS, rng):
            lesions.append({"dx": dx, "shots": shots} | patient(dx, rng))
    rng.shuffle(lesions)
    blank(lesions, max(3, round(images * 57 / 10015)), rng)
    rows = []
    for number, lesion in enumerate(lesions):
        for _ in range(lesion["shots"]):
            rows.append({"lesion_id": f"HAM_{FIRST + number}"} | {name: lesion[name] for name in COLUMNS[2:]})
    order = rng.permutation(len(rows))
    for place, row in zip(order, rows, strict=True):
        row["image_id"] = f"ISIC_{FIRST + int(place)}"
    return sorted(rows, key=lambda row: row["image_id"])


def patient(dx: str, rng: np.random.Generator) -> dict[str, str]:
    """Metadata of one lesion, each value as the text in the file."""
    mean, deviation = AGES[dx]
    age = float(np.clip(5 * round(rng.normal(mean, deviation) / 5), 0, 85))
    weights = np.array(PLACED[dx], float)
    return {
        "dx_type": str(rng.choice(list(CONFIRMED[dx]), p=list(CONFIRMED[dx].values()))),
        "age": f"{age:.1f}",
        "sex": "male" if rng.random() < MALE[dx] else "female",
        "localization": str(rng.choice(PLACES, p=weights / weights.sum())),
    }


def blank(lesions: list[dict], count: int, rng: np.random.Generator) -> None:
    """Remove the ages of `count` images; as in the real file most of these lack sex and place too."""
    candidates = [lesion for lesion in lesions if lesion["dx"] in ("nv", "bkl") and lesion["shots"] == 1]
    for place, index in enumerate(rng.choice(len(candidates), min(count, len(candidates)), replace=False)):
        candidates[index]["age"] = ""
        if place == 0 or rng.random() < 0.8:
            candidates[index] |= {"sex": "unknown", "localization": "unknown"}
