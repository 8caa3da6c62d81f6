"""What the drawn samples of skin lesions photograph: how many images of each class and lesion, and the photograph."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

import numpy as np

from lesionbook.sample.camera import Device, device, photograph
from lesionbook.sample.lesion import plate
from lesionbook.sample.skin import Skin, person
from lesionbook.sample.traits import traits

# Seven digits like the numbers of the ISIC archive, far above all of them. Each data set draws lesions of its own, so
# that a network trained on one has not seen those of the next.
FIRST_ID = {"ham10000": 9_000_000, "isic2017": 8_000_000, "isic2019": 7_000_000}
FEWEST = 6  # lesions per class, so that each of three splits gets some


def counts(images: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Images per class: by `shares`, rounded, at least `FEWEST`; the rest is of the first class."""
    first, *others = shares
    result = {label: max(FEWEST, round(shares[label] * images)) for label in others}
    return {first: images - sum(result.values())} | result


def repeats(images: int, chances: Mapping[int, float], rng: np.random.Generator) -> Iterator[int]:
    """Deal the images of a class out to at least `FEWEST` lesions.

    Parameters
    ----------
    images : int
        At least `FEWEST`.
    chances : mapping of int to float
        Photographs of one lesion and how often that happens, adding up to 1.
    rng : numpy.random.Generator
        Drawn from once before each number, so that a caller may draw a lesion's other properties in between.

    Yields
    ------
    int
        Photographs of the next lesion; together `images`.
    """
    lesions = 0
    while images:
        lesions += 1
        # Repeats stop where the remaining images are needed for the class's fewest lesions.
        most = images - max(FEWEST - lesions, 0)
        shots = min(int(rng.choice(list(chances), p=list(chances.values()))), max(1, most))
        images -= shots
        yield shots


def take(diagnosis: str, lesion: int, image: int, seed: int, vignette: str = "") -> np.ndarray:
    """Take a photograph of a lesion; everything comes from the numbers given.

    Parameters
    ----------
    diagnosis : str
        One of the keys of `lesionbook.sample.traits.RANGES`.
    lesion : int
        Number of the lesion.
    image : int
        Number of the photograph.
    seed : int
    vignette : str
        ``none``, ``soft`` or ``round`` instead of the one drawn for the lesion.

    Returns
    -------
    ndarray of uint8, shape (450, 600, 3)
        Red, green, blue.
    """
    drawn, diameter, skin, tools = subject(diagnosis, lesion, seed)
    if vignette:
        tools = replace(tools, vignette=vignette)
    return photograph(drawn, diameter, skin, tools, np.random.default_rng([seed, 2, image]))


@lru_cache(maxsize=2)
def subject(diagnosis: str, lesion: int, seed: int) -> tuple[np.ndarray, float, Skin, Device]:
    """Draw what all photographs of one lesion share: its plate, its diameter, the skin, the circumstances."""
    rng = np.random.default_rng([seed, 1, lesion])
    looks = traits(diagnosis, rng)
    skin = person(rng, looks.damage)
    tools = device(rng)
    return plate(looks, rng), looks.diameter, skin, tools
