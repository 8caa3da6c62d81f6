"""The embedded sample of images of one's own: drawn photographs in two class folders, and a CSV file of groups."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lesionbook.sample.camera import at_size
from lesionbook.sample.folder import check, complete, each
from lesionbook.sample.shots import FEWEST, counts, repeats, take

COLUMNS = ["file", "group", "age", "sex"]
SHARES = {"benign": 0.6, "malignant": 0.4}  # of the images
# What the lesions of a class are, and how often.
DIAGNOSES = {
    "benign": {"nv": 0.6, "bkl": 0.25, "df": 0.08, "vasc": 0.07},
    "malignant": {"mel": 0.6, "bcc": 0.25, "scc": 0.15},
}
AGES = {"benign": (49, 16), "malignant": (64, 14)}
REPEATS = {1: 0.6, 2: 0.22, 3: 0.12, 4: 0.06}  # photographs per lesion and how often
SIZES = ((320, 320), (400, 300), (480, 360), (500, 500), (600, 400), (700, 525))  # width and height in pixels
ENDINGS = {".jpg": 0.6, ".jpeg": 0.15, ".png": 0.25}
NO_AGE, NO_SEX = 0.05, 0.04  # shares of the lesions


@dataclass(frozen=True)
class Shot:
    """One photograph to take: its number, its lesion's, the diagnosis, the size in pixels, the file."""

    image: int
    lesion: int
    diagnosis: str
    size: tuple[int, int]
    file: str


def draw(folder: Path, *, images: int = 200, seed: int, processes: int = 1) -> None:
    """Draw the sample into a new folder.

    Parameters
    ----------
    folder : Path
        Must not exist or be empty; appears only when everything is written.
    images : int
        Number of images, at least 12 (two classes of at least six lesions each).
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
    table = metadata(images, seed)
    with complete(folder, layout="a folder of class folders", seed=seed) as building:
        for label in SHARES:
            (building / label).mkdir()
        shots = [
            Shot(row.Index, row.lesion, row.diagnosis, row.size, row.file)
            for row in table.sort_values("lesion").itertuples()
        ]
        each(partial(shoot, folder=building, seed=seed), shots, processes=processes)
        table[COLUMNS].to_csv(building / "metadata.csv", index=False, lineterminator="\n")


def shoot(shot: Shot, *, folder: Path, seed: int) -> None:
    """Draw one photograph and write it; everything comes from the seed and what is in `shot`."""
    pixels = take(shot.diagnosis, shot.lesion, shot.image, seed)
    pixels = at_size(pixels, *shot.size, np.random.default_rng([seed, 3, shot.image]))
    Image.fromarray(pixels).save(folder / shot.file, quality=90)


def metadata(images: int, seed: int) -> pd.DataFrame:
    """Draw one row per image, sorted by file, numbered from 0: `COLUMNS`, and ``lesion, diagnosis, size``."""
    rng = np.random.default_rng([seed, 0])
    rows = []
    for label, count in counts(images, SHARES).items():
        for shots in repeats(count, REPEATS, rng):
            kinds = DIAGNOSES[label]
            number = rows[-1]["lesion"] + 1 if rows else 0
            shared = {
                "lesion": number,
                "label": label,
                "diagnosis": str(rng.choice(list(kinds), p=list(kinds.values()))),
                "group": f"lesion-{number:03}",
                "age": "" if rng.random() < NO_AGE else str(int(np.clip(rng.normal(*AGES[label]), 4, 90))),
                "sex": "" if rng.random() < NO_SEX else str(rng.choice(["female", "male"])),
            }
            rows += [shared] * shots
    table = pd.DataFrame(rows)
    table["size"] = [SIZES[kind] for kind in rng.integers(len(SIZES), size=images)]
    endings = rng.choice(list(ENDINGS), images, p=list(ENDINGS.values()))
    names = [f"photo-{place:04}{ending}" for place, ending in zip(rng.permutation(images), endings, strict=True)]
    table["file"] = table["label"] + "/" + names
    return table.sort_values("file", ignore_index=True)
