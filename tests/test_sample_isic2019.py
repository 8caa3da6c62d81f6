"""Tests of `lesionbook.sample.isic2019`."""

import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from lesionbook.errors import LesionbookError
from lesionbook.sample import isic2019

IMAGES = 60


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "isic2019"
    isic2019.draw(folder, images=IMAGES, seed=5)
    return folder


def test_layout_is_that_of_the_real_download(drawn: Path) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == [
        "DRAWN.txt",
        "ISIC_2019_Training_GroundTruth.csv",
        "ISIC_2019_Training_Input",
        "ISIC_2019_Training_Metadata.csv",
    ]
    labels = pd.read_csv(drawn / "ISIC_2019_Training_GroundTruth.csv")
    metadata = pd.read_csv(drawn / "ISIC_2019_Training_Metadata.csv")
    assert list(labels.columns) == ["image", "MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK"]
    assert list(metadata.columns) == ["image", "age_approx", "anatom_site_general", "lesion_id", "sex"]
    images = sorted(path.stem for path in (drawn / "ISIC_2019_Training_Input").iterdir())
    assert len(images) == IMAGES
    assert images == labels["image"].to_list() == metadata["image"].to_list()


def test_rows_are_written_like_the_real_ones(drawn: Path) -> None:
    row = re.compile(
        r"ISIC_7\d{6}(_downsampled)?,(\d{1,2}\.0)?,[a-z/ ]*,((HAM|BCN|MSK4)_7\d{6})?,(male|female)?"  # gaps are empty
    )
    lines = (drawn / "ISIC_2019_Training_Metadata.csv").read_text().splitlines()[1:]
    assert [line for line in lines if not row.fullmatch(line)] == []
    marks = [
        line.split(",", 1)[1] for line in (drawn / "ISIC_2019_Training_GroundTruth.csv").read_text().splitlines()[1:]
    ]
    assert {mark.count("1.0") for mark in marks} == {1}
    assert {mark.count("0.0") for mark in marks} == {8}
    assert {mark[-3:] for mark in marks} == {"0.0"}  # as in the real file, none is unknown


def test_images_have_the_sizes_of_their_collection(drawn: Path) -> None:
    lesions = pd.read_csv(drawn / "ISIC_2019_Training_Metadata.csv", index_col="image")["lesion_id"].fillna("MSK4")
    seen = set()
    for path in (drawn / "ISIC_2019_Training_Input").iterdir():
        with Image.open(path) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB")
            collection = lesions[path.stem].split("_")[0]
            seen.add((collection, image.size))
            assert (image.size == (600, 450)) is (collection == "HAM")
            assert (image.size == (1024, 1024)) is (collection == "BCN")
            assert not path.stem.endswith("_downsampled") or image.size in isic2019.REDUCED
    assert len(seen) > 3


def test_metadata_has_repeats_and_gaps_in_real_shares() -> None:
    table = isic2019.metadata(360, seed=1)
    assert table["image"].is_unique
    assert (table["label"] == "MEL").mean() == pytest.approx(0.3)
    assert (table["lesion_id"] == "").mean() == pytest.approx(0.08, abs=0.02)
    assert (table["anatom_site_general"] == "").mean() == pytest.approx(0.1, abs=0.02)
    assert (table["age_approx"] == "").mean() == pytest.approx(0.015, abs=0.01)
    assert 0 < (table["sex"] == "").sum() < (table["age_approx"] == "").sum()
    assert table["image"].str.endswith("_downsampled").mean() == pytest.approx(0.08, abs=0.03)
    known = table[table["lesion_id"] != ""].groupby("lesion_id")
    assert known.size().max() >= 4
    assert (known[["label", "age_approx", "sex", "anatom_site_general"]].nunique() == 1).all(axis=None)
    ages = pd.to_numeric(table["age_approx"]).groupby(table["label"]).mean()
    assert ages["NV"] < ages["MEL"] < ages["SCC"]


@pytest.mark.parametrize("images", [60, 61, 100, 360])
def test_every_class_has_lesions_for_three_splits(images: int) -> None:
    for seed in range(5):
        table = isic2019.metadata(images, seed)
        assert len(table) == images
        lesions = table.groupby("label")["lesion"].nunique()
        assert len(lesions) == 8
        assert lesions.min() >= 6


def test_same_seed_gives_same_bytes_with_two_processes(drawn: Path, tmp_path: Path) -> None:
    isic2019.draw(tmp_path / "again", images=IMAGES, seed=5, processes=2)
    for path in drawn.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(drawn)).read_bytes(), path.name


@pytest.mark.parametrize("wrong", [{"images": 59}, {"seed": -1}, {"processes": 0}])
def test_numbers_out_of_range_are_named(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(LesionbookError, match=f"{next(iter(wrong))} is {next(iter(wrong.values()))}"):
        isic2019.draw(tmp_path / "sample", **{"images": IMAGES, "seed": 1} | wrong)
    assert list(tmp_path.iterdir()) == []
