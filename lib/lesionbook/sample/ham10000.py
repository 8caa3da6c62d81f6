"""The embedded sample of HAM10000: drawn photographs with metadata, in the files and folders of the real download."""

import csv
import multiprocessing
import shutil
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lesionbook.errors import LesionbookError
from lesionbook.sample.camera import Device, device, photograph
from lesionbook.sample.lesion import plate
from lesionbook.sample.skin import Skin, person
from lesionbook.sample.traits import traits

COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]
PARTS = ["HAM10000_images_part_1", "HAM10000_images_part_2"]
FIRST_ID = 9_000_000  # seven digits like the real numbers, far above all of them
FEWEST_LESIONS = 6  # per class, so that each of three splits gets some
NOTE = (
    "The images and metadata in this folder are drawn by a program (seed {seed}); they show no patient, "
    "mean nothing clinically, and only follow the file layout of HAM10000.\n"
)

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
REPEATS = ((1, 2, 3, 4), (0.75, 0.16, 0.07, 0.02))  # photographs per lesion and how often


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
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LesionbookError(f"sample: {folder} exists already; delete it or name another folder.")
    for name, value, least in (
        ("images", images, FEWEST_LESIONS * len(SHARES)),
        ("seed", seed, 0),
        ("processes", processes, 1),
    ):
        if value < least:
            raise LesionbookError(f"sample: {name} is {value}; give a whole number of at least {least}.")
    rows = metadata(images, seed)
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    building.chmod(0o755)  # others on the machine may read it
    try:
        for part in PARTS:
            (building / part).mkdir()
        shots = [
            Shot(index, int(row["lesion_id"][4:]), row["dx"], f"{PARTS[2 * index >= images]}/{row['image_id']}.jpg")
            for index, row in enumerate(rows)
        ]
        shots.sort(key=lambda shot: shot.lesion)  # photographs of one lesion in a row: it is drawn once
        take = partial(shoot, folder=building, seed=seed)
        if processes == 1:
            for shot in shots:
                take(shot)
        else:
            # Spawned, not forked: a forked child would inherit the locks of threads that TensorFlow may have started.
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(processes, mp_context=context) as pool:
                list(pool.map(take, shots, chunksize=8))
        with (building / "HAM10000_metadata.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        (building / "DRAWN.txt").write_text(NOTE.format(seed=seed), encoding="utf-8")
        building.chmod(0o755)  # temporary folders start out private
        building.replace(folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def shoot(shot: Shot, *, folder: Path, seed: int) -> None:
    """Draw one photograph and write it; everything comes from the seed and the numbers in `shot`."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        drawn, diameter, skin, tools = subject(shot.dx, shot.lesion, seed)
        pixels = photograph(drawn, diameter, skin, tools, np.random.default_rng([seed, 2, shot.image]))
    finally:
        cv2.setNumThreads(threads)
    Image.fromarray(pixels).save(folder / shot.file, quality=90)


@lru_cache(maxsize=2)
def subject(dx: str, lesion: int, seed: int) -> tuple[np.ndarray, float, Skin, Device]:
    """Draw what all photographs of one lesion share: its plate, its diameter, the skin, the circumstances."""
    rng = np.random.default_rng([seed, 1, lesion])
    looks = traits(dx, rng)
    skin = person(rng, looks.damage)
    tools = device(rng)
    return plate(looks, rng), looks.diameter, skin, tools


def metadata(images: int, seed: int) -> list[dict[str, str]]:
    """Draw the rows of the metadata table, with the columns of `COLUMNS`, one per image, in the order of the ids."""
    rng = np.random.default_rng([seed, 0])
    lesions = []
    for dx, count in counts(images).items():
        left = count
        while left:
            # Repeats stop where the remaining images are needed for the class's fewest lesions.
            missing = FEWEST_LESIONS - sum(lesion["dx"] == dx for lesion in lesions) - 1
            shots = int(min(rng.choice(REPEATS[0], p=REPEATS[1]), max(1, left - max(missing, 0))))
            lesions.append({"dx": dx, "shots": shots} | patient(dx, rng))
            left -= shots
    rng.shuffle(lesions)
    blank(lesions, max(3, round(images * 57 / 10015)), rng)
    rows = []
    for number, lesion in enumerate(lesions):
        for _ in range(lesion["shots"]):
            rows.append({"lesion_id": f"HAM_{FIRST_ID + number}"} | {name: lesion[name] for name in COLUMNS[2:]})
    order = rng.permutation(len(rows))
    for place, row in zip(order, rows, strict=True):
        row["image_id"] = f"ISIC_{FIRST_ID + int(place)}"
    return sorted(rows, key=lambda row: row["image_id"])


def counts(images: int) -> dict[str, int]:
    """Images per class: by `SHARES`, rounded, at least `FEWEST_LESIONS`; the rest is nv."""
    result = {dx: max(FEWEST_LESIONS, round(share * images)) for dx, share in SHARES.items() if dx != "nv"}
    return {"nv": images - sum(result.values())} | result


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
