"""Tests of `lesionbook.sample.isic2017`."""

import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesionbook.errors import LesionbookError
from lesionbook.sample import isic2017

IMAGES = 24


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "isic2017"
    isic2017.draw(folder, images=IMAGES, seed=5, processes=2)
    return folder


def small(folder: Path, shot: isic2017.Shot) -> np.ndarray:
    with Image.open(folder / shot.file) as image:
        return np.asarray(image.convert("L").resize((32, 32), Image.Resampling.BOX), float)


def test_layout_is_that_of_the_real_download(drawn: Path) -> None:
    files = [path.relative_to(drawn).as_posix() for path in drawn.rglob("*") if path.is_file()]
    pattern = re.compile(r"(train|valid|test)/(melanoma|nevus|seborrheic_keratosis)/ISIC_8\d{6}\.jpg")
    assert len(files) == IMAGES + 1
    assert [file for file in files if not pattern.fullmatch(file)] == ["DRAWN.txt"]
    assert len({Path(file).name for file in files}) == len(files)
    assert len({Path(file).parent for file in files}) == 1 + 3 * 3


def test_images_are_jpeg_of_very_different_sizes(drawn: Path) -> None:
    sizes = []
    for path in sorted(drawn.glob("*/*/*.jpg")):
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")
            sizes.append(image.size)
    assert len(set(sizes)) > 6
    pixels = sorted(width * height for width, height in sizes)
    assert pixels[0] < 500_000
    assert pixels[-1] == 12_000_000
    assert np.median(pixels) < 2_000_000


def test_whole_sample_has_the_sizes_classes_and_parts_of_a_study() -> None:
    shots = isic2017.plan(300, seed=1)
    assert len(shots) == len({shot.file for shot in shots}) == 300
    megapixels = np.array([shot.stored[0] * shot.stored[1] for shot in shots]) / 1e6
    assert 0.7 < np.mean((megapixels > 0.3) & (megapixels < 3)) < 1
    assert (megapixels > 12).sum() == 2
    assert Counter(shot.label for shot in shots if not shot.twin) == {
        "nevus": 145, "melanoma": 87, "seborrheic_keratosis": 58,
    }  # fmt: skip
    parts = Counter(shot.file.split("/")[0] for shot in shots if not shot.twin)
    assert parts == {"train": 203, "test": 58, "valid": 29}


@pytest.mark.parametrize("images", [22, 23, 50, 300])
def test_every_class_stands_in_every_part(images: int) -> None:
    for seed in range(5):
        shots = isic2017.plan(images, seed)
        assert len(shots) == images
        counts = Counter((shot.file.split("/")[0], shot.label) for shot in shots if not shot.twin)
        assert len(counts) == 9
        assert min(counts.values()) >= isic2017.FEWEST_PER_PART


def test_near_duplicates_are_nearer_than_any_other_pair_and_lie_across_parts(drawn: Path) -> None:
    shots = isic2017.plan(IMAGES, seed=5)
    images = [small(drawn, shot) for shot in shots]
    images = [(image - image.mean()) / image.std() for image in images]
    within, between = [], []
    for first, shot in enumerate(shots):
        for second in range(first):
            apart = np.abs(images[first] - images[second]).mean()
            (within if shot.number == shots[second].number else between).append(apart)
    assert len(within) == isic2017.FEWEST_TWINS
    assert min(within) > 0
    assert max(within) < 0.7 * min(between)
    twins = {(shot.file.split("/")[0], shot.twin) for shot in shots if shot.twin}
    assert twins == {("test", "copied"), ("train", "copied"), ("test", "retaken"), ("train", "retaken")}
    originals = {shot.number: shot for shot in shots if not shot.twin}
    for shot in shots:
        if shot.twin:
            assert originals[shot.number].label == shot.label
            assert originals[shot.number].file.startswith("train/")
            assert (shot.stored == shot.taken) is (shot.twin == "retaken")


def test_same_seed_gives_same_bytes_in_any_order_and_process(drawn: Path, tmp_path: Path) -> None:
    shots = [shot for shot in isic2017.plan(IMAGES, seed=5) if shot.taken[0] < 2000][::-4]
    for shot in shots:
        (tmp_path / shot.file).parent.mkdir(parents=True, exist_ok=True)
        isic2017.shoot(shot, folder=tmp_path, seed=5)
        assert (tmp_path / shot.file).read_bytes() == (drawn / shot.file).read_bytes()
    assert len(shots) > 3


@pytest.mark.parametrize("wrong", [{"images": 21}, {"seed": -1}, {"processes": 0}])
def test_numbers_out_of_range_are_named(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(LesionbookError, match=f"{next(iter(wrong))} is {next(iter(wrong.values()))}"):
        isic2017.draw(tmp_path / "sample", **{"images": IMAGES, "seed": 1} | wrong)
    assert list(tmp_path.iterdir()) == []
