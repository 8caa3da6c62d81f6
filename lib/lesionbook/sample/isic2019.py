"""The embedded sample of ISIC 2019: drawn photographs with labels and metadata, in the files of the ISIC archive.

Like the real set it is put together from three collections, whose images differ in size and framing and whose lesions
are numbered apart, and lacks some of the lesion ids, ages, sexes and places.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lesionbook.sample import ham10000
from lesionbook.sample.camera import HEIGHT, WIDTH, at_size
from lesionbook.sample.folder import check, complete, each
from lesionbook.sample.shots import FIRST_ID, counts, repeats, take

FIRST = FIRST_ID["isic2019"]
COLUMNS = ["image", "age_approx", "anatom_site_general", "lesion_id", "sex"]
LABELS = ["MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"]
IMAGES = "ISIC_2019_Training_Input"
DIAGNOSES = {label: label.lower() for label in LABELS[:-1]} | {"AK": "akiec"}
# Share of the images. The real set has 51 % NV, 18 % MEL and 1 % DF and VASC; here a balanced choice of melanoma and
# everything else can be made, and every class keeps enough lesions for three splits.
SHARES = {"NV": 0.33, "MEL": 0.30, "BCC": 0.10, "BKL": 0.10, "AK": 0.05, "SCC": 0.05, "DF": 0.035, "VASC": 0.035}
FEWEST_IMAGES = 60
REPEATS = {1: 0.62, 2: 0.20, 3: 0.10, 4: 0.05, 6: 0.03}  # photographs per lesion and how often
# Collections and how often a lesion comes from one; those of MSK have been photographed once.
ONCE = {"HAM": 0.34, "BCN": 0.35, "MSK4": 0.31}
SEVERAL = {"HAM": 0.42, "BCN": 0.58}
SQUARE = (1024, 1024)  # every image of BCN
ROUND = 0.4  # share of the lesions of BCN that are seen through a round opening
SIZES = ((1022, 767), (1022, 767), (962, 722), (767, 576), (640, 480))  # of MSK
REDUCED = ((1024, 768), (1024, 768), (1024, 680), (1024, 685))  # of MSK, marked in the file's name
DOWNSAMPLED = 0.7  # share of the images of MSK
# Gaps: shares of the images, as in the real file.
NO_LESION, NO_AGE, NO_SITE = 0.082, 0.017, 0.104
AGES = {label: ham10000.AGES.get(name, (72, 12)) for label, name in DIAGNOSES.items()}
MALE = {label: ham10000.MALE.get(name, 0.62) for label, name in DIAGNOSES.items()}
SITES = [
    "anterior torso", "head/neck", "lateral torso", "lower extremity", "oral/genital", "palms/soles",
    "posterior torso", "upper extremity",
]  # fmt: skip
# Parts per thousand of the lesions of a class on each of the sites.
PLACED = {
    "AK": (60, 700, 1, 70, 1, 2, 26, 140),
    "BCC": (260, 450, 2, 110, 1, 1, 86, 90),
    "BKL": (260, 390, 2, 170, 3, 5, 60, 110),
    "DF": (80, 20, 2, 620, 1, 2, 45, 230),
    "MEL": (330, 210, 3, 200, 2, 40, 85, 130),
    "NV": (350, 120, 4, 250, 6, 25, 135, 110),
    "SCC": (120, 420, 1, 210, 2, 7, 30, 210),
    "VASC": (290, 180, 4, 250, 3, 6, 90, 177),
}


@dataclass(frozen=True)
class Shot:
    """One photograph to take: its number, its lesion's, the label, the collection, the size in pixels, the file."""

    image: int
    lesion: int
    label: str
    collection: str
    size: tuple[int, int]
    file: str


def draw(folder: Path, *, images: int = 360, seed: int, processes: int = 1) -> None:
    """Draw the sample into a new folder.

    Parameters
    ----------
    folder : Path
        Must not exist or be empty; appears only when everything is written.
    images : int
        Number of images, at least 60, so that each of the eight classes gets at least six lesions.
    seed : int
        Not negative. The same seed gives the same bytes, whatever `processes` is.
    processes : int
        Number of processes that draw side by side, at least 1.

    Raises
    ------
    LesionbookError
        If `folder` holds something already or a number is out of range.
    """
    check(images=(images, FEWEST_IMAGES), seed=(seed, 0), processes=(processes, 1))
    table = metadata(images, seed)
    with complete(folder, layout="ISIC 2019", seed=seed, what="images and tables") as building:
        (building / IMAGES).mkdir()
        shots = [
            Shot(row.Index, row.lesion, row.label, row.collection, row.size, f"{IMAGES}/{row.image}.jpg")
            for row in table.itertuples()
        ]
        shots.sort(key=lambda shot: shot.lesion)  # photographs of one lesion in a row: it is drawn once
        each(partial(shoot, folder=building, seed=seed), shots, processes=processes)
        marks = pd.DataFrame({label: (table["label"] == label).astype(float) for label in LABELS})
        marks.insert(0, "image", table["image"])
        for name, columns in (("GroundTruth", marks), ("Metadata", table[COLUMNS])):
            columns.to_csv(building / f"ISIC_2019_Training_{name}.csv", index=False, lineterminator="\n")


def shoot(shot: Shot, *, folder: Path, seed: int) -> None:
    """Draw one photograph and write it; everything comes from the seed and what is in `shot`."""
    tools = np.random.default_rng([seed, 4, shot.lesion])
    opening = "round" if shot.collection == "BCN" and tools.random() < ROUND else ""
    pixels = take(DIAGNOSES[shot.label], FIRST + shot.lesion, FIRST + shot.image, seed, opening)
    if shot.size != (WIDTH, HEIGHT):
        pixels = at_size(pixels, *shot.size, np.random.default_rng([seed, 3, shot.image]))
    Image.fromarray(pixels).save(folder / shot.file, quality=88)


def metadata(images: int, seed: int) -> pd.DataFrame:
    """Draw one row per image, sorted by id, numbered from 0: `COLUMNS`, and ``lesion, label, collection, size``."""
    rng = np.random.default_rng([seed, 0])
    lesions = pd.DataFrame(
        [
            {"label": label, "shots": shots} | lesion(label, shots, rng)
            for label, count in counts(images, SHARES).items()
            for shots in repeats(count, REPEATS, rng)
        ]
    )
    lesions = lesions.iloc[rng.permutation(len(lesions))].reset_index(drop=True)
    lesions["lesion_id"] = lesions["collection"] + "_" + (FIRST + lesions.index).astype(str)
    alone = lesions[lesions["collection"] == "MSK4"]
    lesions.loc[gap(alone, NO_LESION * images, rng), "lesion_id"] = ""
    lesions.loc[gap(lesions, NO_SITE * images, rng), "anatom_site_general"] = ""
    unknown = gap(lesions, NO_AGE * images, rng)
    lesions.loc[unknown, "age_approx"] = ""
    lesions.loc[unknown[1:], "sex"] = ""  # most of those without an age
    table = lesions.rename_axis("lesion").reset_index().loc[lambda frame: frame.index.repeat(frame["shots"])]
    ids = (FIRST + rng.permutation(images)).astype(str)
    reduced = (table["collection"] == "MSK4") & (rng.random(images) < DOWNSAMPLED)
    table["image"] = "ISIC_" + pd.Series(ids, table.index) + np.where(reduced, "_downsampled", "")
    table["size"] = [
        size(collection, smaller, rng) for collection, smaller in zip(table["collection"], reduced, strict=True)
    ]
    return table.sort_values("image", ignore_index=True)


def lesion(label: str, shots: int, rng: np.random.Generator) -> dict[str, str]:
    """Where one lesion comes from and its metadata, each value as the text in the file."""
    collections = ONCE if shots == 1 else SEVERAL
    age = np.clip(5 * round(rng.normal(*AGES[label]) / 5), 0, 85)
    weights = np.array(PLACED[label], float)
    return {
        "collection": str(rng.choice(list(collections), p=list(collections.values()))),
        "age_approx": f"{age:.1f}",
        "sex": "male" if rng.random() < MALE[label] else "female",
        "anatom_site_general": str(rng.choice(SITES, p=weights / weights.sum())),
    }


def gap(lesions: pd.DataFrame, images: float, rng: np.random.Generator) -> pd.Index:
    """Choose lesions that have about so many images together, at least one lesion."""
    mixed = lesions["shots"].iloc[rng.permutation(len(lesions))]
    return mixed.index[: max(1, int((mixed.cumsum() <= images).sum()))]


def size(collection: str, reduced: bool, rng: np.random.Generator) -> tuple[int, int]:
    """Width and height of one image of a collection in pixels."""
    if collection == "HAM":
        return WIDTH, HEIGHT
    if collection == "BCN":
        return SQUARE
    choices = REDUCED if reduced else SIZES
    return choices[rng.integers(len(choices))]
