"""Tests of `lesionbook.sample.image_folder`."""

from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from lesionbook.errors import LesionbookError
from lesionbook.sample import image_folder

IMAGES = 30


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "image_folder"
    image_folder.draw(folder, images=IMAGES, seed=5)
    return folder


def test_layout_is_class_folders_and_a_table(drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == ["DRAWN.txt", "benign", "malignant", "metadata.csv"]
    table = pd.read_csv(drawn / "metadata.csv")
    assert list(table.columns) == ["file", "group", "age", "sex"]
    files = sorted(path.relative_to(drawn).as_posix() for path in drawn.glob("*/*"))
    assert len(files) == IMAGES
    assert files == table["file"].to_list()


def test_images_are_small_jpeg_and_png_of_several_sizes(drawn: Path) -> None:
    seen = set()
    for path in drawn.glob("*/*"):
        with Image.open(path) as image:
            assert image.format == ("PNG" if path.suffix == ".png" else "JPEG")
            assert min(image.size) >= 300 and max(image.size) <= 700
            seen.add((image.format, image.size))
    assert len({size for _, size in seen}) > 3
    assert {name for name, _ in seen} == {"JPEG", "PNG"}


@pytest.mark.parametrize("images", [12, 13, 200])
def test_every_class_has_groups_for_three_splits(images: int) -> None:
    for seed in range(5):
        table = image_folder.metadata(images, seed)
        assert len(table) == images
        groups = table.groupby("label")["group"].nunique()
        assert len(groups) == 2
        assert groups.min() >= 6
        assert table.groupby("group")["label"].nunique().max() == 1


def test_metadata_has_repeats_and_gaps() -> None:
    table = image_folder.metadata(200, seed=1)
    assert table["group"].value_counts().max() >= 3
    assert 0 < (table["age"] == "").mean() < 0.1
    assert 0 < (table["sex"] == "").mean() < 0.1
    assert table["label"].value_counts().to_dict() == {"benign": 120, "malignant": 80}


def test_same_seed_gives_same_bytes_with_two_processes(drawn: Path, tmp_path: Path) -> None:
    image_folder.draw(tmp_path / "again", images=IMAGES, seed=5, processes=2)
    for path in drawn.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(drawn)).read_bytes(), path.name


@pytest.mark.parametrize("wrong", [{"images": 11}, {"seed": -1}, {"processes": 0}])
def test_numbers_out_of_range_are_named(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(LesionbookError, match=f"{next(iter(wrong))} is {next(iter(wrong.values()))}"):
        image_folder.draw(tmp_path / "sample", **{"images": IMAGES, "seed": 1} | wrong)
    assert list(tmp_path.iterdir()) == []
