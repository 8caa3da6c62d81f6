"""The embedded sample of PatchCamelyon: drawn patches of lymph nodes, in the files and folders of Kaggle's version."""

import hashlib
import itertools
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from lesionbook.sample.folder import check, complete, each
from lesionbook.sample.slides import Slide, slide
from lesionbook.sample.tissue import SIDE, field

PATCH = 96
CENTRE = slice(32, 64)  # the label says whether the central 32 x 32 pixels hold tumour
PER_FIELD = (4, 16)  # patches, in small samples and in large ones; 16 have about the area of the field
ENOUGH = 60  # fields; from here on each gives more patches
POSITIVE = 0.405
FULL = (1.0, 0.9, 0.75, 0.55, 0.3)  # share of positive patches in a field with tumour
UNLABELLED = 57_458 / 220_025  # per labelled image
SLIDES = (216, 184)  # most, labelled and unlabelled: together the 400 of Camelyon16
FIELDS_PER_SLIDE = 3  # least, unless there are fewer
METASTATIC = 0.6  # share of the slides
FEWEST_IMAGES = 40
ROOM = 400  # least number of places to choose each patch from
CLOSE = 0.08  # share of the patches that overlap another one strongly, like the neighbours in the real data
NEAR = 24  # pixels at most between two such patches


@dataclass(frozen=True)
class Field:
    """A field to draw: its number, its slide's, and the files of its positive and of its negative patches."""

    number: int
    slide: int
    positive: list[str]
    negative: list[str]


def draw(folder: Path, *, images: int, seed: int, processes: int = 1) -> None:
    """Draw the sample into a new folder.

    Parameters
    ----------
    folder : Path
        Must not exist or be empty; appears only when everything is written.
    images : int
        Number of labelled images, at least 40; about a quarter as many without a label come on top.
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
    fields, labels = plan(images, seed)
    with complete(folder, layout="Kaggle's histopathologic-cancer-detection", seed=seed, what="patches") as building:
        for part in ("train", "test"):
            (building / part).mkdir()
        each(partial(cut, folder=building, seed=seed), fields, processes=processes)
        labels.to_csv(building / "train_labels.csv", index=False, lineterminator="\n")


def plan(images: int, seed: int) -> tuple[list[Field], pd.DataFrame]:
    """Decide which patches come from which field and slide.

    Parameters
    ----------
    images : int
        Number of labelled patches.
    seed : int

    Returns
    -------
    fields : list of Field
        Sorted by slide.
    labels : DataFrame
        `id` and `label` (0 or 1) of the labelled patches, in random order.
    """
    rng = np.random.default_rng([seed, 0])
    fields: list[Field] = []
    slides = 0
    for part, count, most in (("train", images, SLIDES[0]), ("test", round(UNLABELLED * images), SLIDES[1])):
        shares = divide(count, int(np.clip(images // ENOUGH, *PER_FIELD)), rng)
        here = min(most, -(-len(shares) // FIELDS_PER_SLIDE))
        for place, (positive, negative) in enumerate(shares):
            # Fields with tumour come first and go round the first slides; the other fields go round all of them.
            number = len(fields)
            on = place % (max(1, round(METASTATIC * here)) if positive else here)
            names = [f"{part}/{name(seed, number, k)}.tif" for k in range(positive + negative)]
            fields.append(Field(number, slides + on, names[:positive], names[positive:]))
        slides += here
    rows = [
        (Path(file).stem, label)
        for field in fields
        for label, files in ((1, field.positive), (0, field.negative))
        for file in files
        if file.startswith("train/")
    ]
    labels = pd.DataFrame([rows[k] for k in rng.permutation(len(rows))], columns=["id", "label"])
    return sorted(fields, key=lambda field: field.slide), labels


def divide(count: int, per_field: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Positive and negative patches of each field: `POSITIVE` of the `count` patches are positive, in few fields."""
    positive = round(POSITIVE * count)
    negative = count - positive
    shares = []
    while positive:
        here = min(positive, round(per_field * rng.choice(FULL)))
        beside = min(negative, per_field - here)
        shares.append((here, beside))
        positive, negative = positive - here, negative - beside
    while negative:
        shares.append((0, min(negative, per_field)))
        negative -= shares[-1][1]
    return shares


def name(seed: int, number: int, k: int) -> str:
    """40 hexadecimal digits for patch `k` of field `number`."""
    return hashlib.sha1(f"drawn {seed} {number} {k}".encode(), usedforsecurity=False).hexdigest()


def cut(item: Field, *, folder: Path, seed: int) -> None:
    """Draw one field and write its patches; everything comes from the seed and the numbers in `item`."""
    pixels, _, corners = compose(item, seed)
    for file, (y, x) in corners.items():
        Image.fromarray(pixels[y : y + PATCH, x : x + PATCH]).save(folder / file)


def compose(item: Field, seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, tuple[int, int]]]:
    """Draw one field and decide where its patches are.

    Parameters
    ----------
    item : Field
    seed : int

    Returns
    -------
    pixels : ndarray of uint8, shape (384, 384, 3)
    tumour : ndarray of bool, shape (384, 384)
    corners : dict of (int, int)
        Upper left corner (y, x) of the patch in each file.
    """
    for attempt in itertools.count():  # until the outline of the tumour leaves room for what is asked
        rng = np.random.default_rng([seed, 2, item.number, attempt])
        share = 0.0
        if item.positive:
            full = len(item.positive) / (len(item.positive) + len(item.negative))
            share = rng.uniform(0.4, 0.7) * full if item.negative else 1.0
        pixels, tumour = field(base(item.slide, seed), share, rng)
        central = centres(tumour)
        wanted = ((item.positive, central), (item.negative, ~central))
        if all(where.sum() >= ROOM * len(files) for files, where in wanted):
            break
    corners = {}
    for files, where in wanted:
        spots = places(where, len(files), rng).tolist()
        corners |= {file: (y, x) for file, (y, x) in zip(files, spots, strict=True)}
    return pixels, tumour, corners


@lru_cache(maxsize=1)
def base(number: int, seed: int) -> Slide:
    """Draw what all fields of one slide share."""
    return slide(np.random.default_rng([seed, 1, number]))


def centres(tumour: np.ndarray) -> np.ndarray:
    """Labels of all patches of a field.

    Parameters
    ----------
    tumour : ndarray of bool, shape (384, 384)

    Returns
    -------
    ndarray of bool, shape (289, 289)
        For each upper left corner (y, x) whether the central 32 x 32 pixels of the patch hold a pixel of tumour.
    """
    total = cv2.integral(tumour.astype(np.uint8))
    low, high, last = CENTRE.start, CENTRE.stop, SIDE - PATCH + 1
    a, b = slice(low, low + last), slice(high, high + last)
    return total[b, b] - total[a, b] - total[b, a] + total[a, a] > 0


def places(where: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Choose upper left corners (y, x) where `where` is true, int (count, 2).

    As a rule each is the one of some candidates that is farthest from those before (Mitchell, 1991); a few lie close.
    """
    allowed = np.argwhere(where)
    chosen = np.empty((count, 2), int)
    for k in range(count):
        candidates = allowed[rng.integers(0, len(allowed), 30)]
        if k and rng.random() < CLOSE:
            candidates = allowed[np.abs(allowed - chosen[k - 1]).max(axis=1) < NEAR]
            candidates = candidates[rng.integers(0, len(candidates), 3)]
        gaps = np.abs(candidates[:, None] - chosen[None, :k]).max(axis=2).min(axis=1, initial=SIDE)
        chosen[k] = candidates[gaps.argmax()]
    return chosen
