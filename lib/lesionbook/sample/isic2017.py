"""The embedded sample of ISIC 2017: drawn photographs of very different sizes, in the folders of Kaggle's version.

As in the real set a few pictures occur twice, encoded anew or taken a second time, some both for training and testing.
"""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from lesionbook.sample.camera import at_size
from lesionbook.sample.folder import check, complete, each
from lesionbook.sample.shots import FEWEST, FIRST_ID, counts, take

FIRST = FIRST_ID["isic2017"]
DIAGNOSES = {"nevus": "nv", "melanoma": "mel", "seborrheic_keratosis": "bkl"}
# Share of the images. The real set has 19 % melanomas and 14 % keratoses; here they are enough for validation and test.
SHARES = {"nevus": 0.5, "melanoma": 0.3, "seborrheic_keratosis": 0.2}
PARTS = {"test": 0.2, "valid": 0.1}  # folders and their share of a class; the rest is in the folder train
FEWEST_PER_PART = 2
TWINS, FEWEST_TWINS = 30, 4  # one near-duplicate in so many images, and how many at least
# Width and height in pixels and how often.
SIZES = {
    (576, 540): 0.06,
    (722, 542): 0.22,
    (767, 576): 0.14,
    (1022, 767): 0.28,
    (1500, 1000): 0.08,
    (1504, 1129): 0.08,
    (2048, 1536): 0.08,
    (3008, 2000): 0.06,
}
LARGE, LARGEST = 50, ((4000, 3000), (4288, 2848))  # one in so many images has one of these sizes
TRIMMED = 0.3  # share of the images that somebody has cut
QUALITIES = (82, 88, 92)  # of JPEG


@dataclass(frozen=True)
class Shot:
    """One file to write: the number of its lesion and photograph, what and how large that is, and how it is stored.

    A `twin` is ``copied``, the same photograph made smaller and encoded anew, or ``retaken``, another one taken a
    moment later; else it is empty.
    """

    number: int
    label: str
    taken: tuple[int, int]
    file: str
    stored: tuple[int, int]
    quality: int
    twin: str = ""


def draw(folder: Path, *, images: int = 300, seed: int, processes: int = 1) -> None:
    """Draw the sample into a new folder.

    Parameters
    ----------
    folder : Path
        Must not exist or be empty; appears only when everything is written.
    images : int
        Number of images, at least 22 (three classes of at least six lesions each, and four near-duplicates).
    seed : int
        Not negative. The same seed gives the same bytes, whatever `processes` is.
    processes : int
        Number of processes that draw side by side, at least 1.

    Raises
    ------
    LesionbookError
        If `folder` holds something already or a number is out of range.
    """
    check(images=(images, FEWEST * len(SHARES) + FEWEST_TWINS), seed=(seed, 0), processes=(processes, 1))
    with complete(folder, layout="ISIC 2017", seed=seed, what="images") as building:
        shots = plan(images, seed)
        for parent in {Path(shot.file).parent for shot in shots}:
            (building / parent).mkdir(parents=True)
        # Large ones first, one at a time: at the end no process is left alone with a large image.
        shots.sort(key=lambda shot: -shot.taken[0] * shot.taken[1])
        each(partial(shoot, folder=building, seed=seed), shots, processes=processes, chunk=1)


def shoot(shot: Shot, *, folder: Path, seed: int) -> None:
    """Draw one photograph and write it; everything comes from the seed and what is in `shot`."""
    pixels = take(DIAGNOSES[shot.label], FIRST + shot.number, FIRST + shot.number, seed)
    moment = 0
    if shot.twin == "retaken":
        moment = 1
        pixels = nudge(pixels, np.random.default_rng([seed, 4, shot.number]))
    pixels = at_size(pixels, *shot.taken, np.random.default_rng([seed, 3, shot.number, moment]))
    if shot.stored != shot.taken:
        pixels = cv2.resize(pixels, shot.stored, interpolation=cv2.INTER_AREA)
    Image.fromarray(pixels).save(folder / shot.file, quality=shot.quality)


def nudge(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Show what the camera sees a moment later: hardly turned or moved, in hardly other light; uint8 (450, 600, 3)."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-0.6, 0.6), rng.uniform(0.993, 1.007))
    matrix[:, 2] += rng.uniform(-2.5, 2.5, 2)
    moved = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    return cv2.convertScaleAbs(moved, alpha=rng.uniform(0.97, 1.03))


def plan(images: int, seed: int) -> list[Shot]:
    """Draw which files there are."""
    rng = np.random.default_rng([seed, 0])
    twins = max(FEWEST_TWINS, images // TWINS)
    ids = iter((FIRST + rng.permutation(images)).tolist())
    taken = iter(sizes(images - twins, rng))
    shots = []
    for label, count in counts(images - twins, SHARES).items():
        parts = [part for part, share in PARTS.items() for _ in range(max(FEWEST_PER_PART, round(share * count)))]
        for part in parts + ["train"] * (count - len(parts)):
            size, quality = next(taken), int(rng.choice(QUALITIES))
            shots.append(Shot(len(shots), label, size, f"{part}/{label}/ISIC_{next(ids)}.jpg", size, quality))
    trained = [shot for shot in shots if shot.file.startswith("train/")]
    for place, original in enumerate(rng.choice(len(trained), twins, replace=False)):
        shot = trained[original]
        twin = replace(
            shot,
            file=f"{('test', 'train')[place % 2]}/{shot.label}/ISIC_{next(ids)}.jpg",
            twin=("copied", "retaken")[place // 2 % 2],
            quality=int(rng.choice(QUALITIES)) - 10,
        )
        if twin.twin == "copied":
            smaller = rng.uniform(0.6, 0.85)
            twin = replace(twin, stored=(round(smaller * twin.taken[0]), round(smaller * twin.taken[1])))
        shots.append(twin)
    return shots


def sizes(count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Draw the width and height of each image in pixels."""
    large = max(1, count // LARGE)
    usual = np.array(list(SIZES))[rng.choice(len(SIZES), count - large, p=list(SIZES.values()))]
    cut = rng.random((len(usual), 1)) < TRIMMED
    usual = np.where(cut, np.rint(usual * rng.uniform(0.88, 1, usual.shape)).astype(int), usual)
    mixed = rng.permutation([*usual.tolist(), *(LARGEST[place % len(LARGEST)] for place in range(large))])
    return [(width, height) for width, height in mixed.tolist()]
