import dataclasses
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lesionbook.errors import LesionbookError
from lesionbook.sample import fields, ham10000, shots
from lesionbook.sample.camera import at_size
from lesionbook.sample.lesion import plate
from lesionbook.sample.traits import ATYPICAL, LOOKALIKES, RANGES, Traits, traits

IMAGES = 60


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "ham10000"
    ham10000.draw(folder, images=IMAGES, seed=5)
    return folder


@pytest.fixture(scope="module")
def table(drawn: Path) -> pd.DataFrame:
    return pd.read_csv(drawn / "HAM10000_metadata.csv")


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_layout_is_that_of_the_real_download(drawn: Path, table: pd.DataFrame) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == [
        "DRAWN.txt",
        "HAM10000_images_part_1",
        "HAM10000_images_part_2",
        "HAM10000_metadata.csv",
    ]
    assert list(table.columns) == ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]
    halves = [sorted(path.stem for path in (drawn / part).iterdir()) for part in ham10000.PARTS]
    assert len(halves[0]) == len(halves[1]) == IMAGES // 2
    assert sorted(halves[0] + halves[1]) == sorted(table["image_id"])
    assert "are drawn" in (drawn / "DRAWN.txt").read_text()
    assert [path.name for path in drawn.parent.iterdir()] == ["ham10000"]


def test_rows_are_written_like_the_real_ones(drawn: Path) -> None:
    row = re.compile(r"HAM_9\d{6},ISIC_9\d{6},[a-z]{2,5},[a-z_]+,(\d{1,2}\.0)?,(male|female|unknown),[a-z ]+")
    lines = (drawn / "HAM10000_metadata.csv").read_text().splitlines()[1:]
    assert len(lines) == IMAGES
    assert [line for line in lines if not row.fullmatch(line)] == []


def test_images_are_jpeg_of_the_real_size_and_all_differ(drawn: Path) -> None:
    paths = sorted(drawn.glob("*/*.jpg"))
    for path in paths[:10]:
        with Image.open(path) as image:
            assert (image.format, image.size, image.mode) == ("JPEG", (600, 450), "RGB")
            assert np.asarray(image).std() > 5
    assert len({path.read_bytes() for path in paths}) == IMAGES


def test_metadata_has_every_class_repeats_and_gaps() -> None:
    table = pd.DataFrame(ham10000.metadata(480, seed=1))
    counts = table["dx"].value_counts()
    assert counts.to_dict() == {"nv": 250, "mel": 62, "bkl": 62, "bcc": 38, "akiec": 28, "vasc": 20, "df": 20}
    assert table["image_id"].is_unique
    lesions = table.groupby("lesion_id")
    shared = table.drop_duplicates(["lesion_id", "dx", "dx_type", "age", "sex", "localization"])
    assert len(shared) == len(lesions)
    assert 0.15 < (lesions.size() > 1).mean() < 0.35
    assert lesions.size().max() <= 4
    assert (table["age"] == "").sum() >= 3
    assert {"male", "female", "unknown"} == set(table["sex"])
    assert set(table["localization"]) <= set(ham10000.PLACES)
    assert set(table.loc[table["dx"] == "mel", "dx_type"]) == {"histo"}
    ages = pd.to_numeric(table["age"]).groupby(table["dx"]).mean()
    assert ages["nv"] < ages["mel"] < ages["akiec"]


@pytest.mark.parametrize("images", [60, 61, 100, 480])
def test_every_class_has_lesions_for_three_splits(images: int) -> None:
    for seed in range(5):
        table = pd.DataFrame(ham10000.metadata(images, seed))
        assert len(table) == images
        lesions = table.drop_duplicates("lesion_id")["dx"].value_counts()
        assert len(lesions) == 7
        assert lesions.min() >= shots.FEWEST


def test_same_seed_gives_same_bytes_with_two_processes(drawn: Path, tmp_path: Path) -> None:
    ham10000.draw(tmp_path / "again", images=IMAGES, seed=5, processes=2)
    assert bytes_of(tmp_path / "again") == bytes_of(drawn)


def test_another_seed_gives_other_images() -> None:
    first, second = (plate(Traits(melanin=0.8), np.random.default_rng(seed)) for seed in (1, 2))
    assert np.abs(first - second).mean() > 0.01


def test_photographs_of_one_lesion_are_alike_but_not_the_same(drawn: Path, table: pd.DataFrame) -> None:
    colour = {
        path.stem: np.asarray(Image.open(path).resize((8, 6))).reshape(-1, 3).mean(axis=0)
        for path in drawn.glob("*/*.jpg")
    }
    groups = [group["image_id"].tolist() for _, group in table.groupby("lesion_id") if len(group) > 1]
    within = np.mean([np.abs(colour[ids[0]] - colour[ids[1]]).mean() for ids in groups])
    names = sorted(colour)
    between = np.mean([np.abs(colour[a] - colour[b]).mean() for a, b in itertools.pairwise(names)])
    assert 0 < within < between


@pytest.mark.parametrize("wrong", [{"images": 41}, {"seed": -1}, {"processes": 0}])
def test_numbers_out_of_range_are_named(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(LesionbookError, match=f"{next(iter(wrong))} is {next(iter(wrong.values()))}"):
        ham10000.draw(tmp_path / "sample", **{"images": IMAGES, "seed": 1} | wrong)
    assert list(tmp_path.iterdir()) == []


def test_every_range_names_a_trait_and_rises() -> None:
    names = {field.name for field in dataclasses.fields(Traits)}
    assert set(RANGES) == set(LOOKALIKES)
    assert {other for others in LOOKALIKES.values() for other in others} <= set(RANGES)
    for dx, ranges in RANGES.items():
        assert set(ranges) <= names, dx
        assert all(0 < probability <= 1 and low < high for probability, low, high in ranges.values()), dx


def test_a_share_of_lesions_is_atypical() -> None:
    # Nothing but a look-alike makes a vasc larger than the largest vasc.
    rng = np.random.default_rng(0)
    large = np.mean([traits("vasc", rng).diameter > RANGES["vasc"]["diameter"][2] for _ in range(4000)])
    assert 0.01 < large < ATYPICAL


def test_plate_is_density_inside_the_lesion_and_nothing_at_the_rim() -> None:
    for dx in RANGES:
        field = plate(traits(dx, np.random.default_rng(3)), np.random.default_rng(4))
        assert field.shape == (4, 480, 480)
        assert field.dtype == np.float32
        assert np.isfinite(field).all()
        assert field[:3, 140:340, 140:340].mean() > 0.02, dx
        assert np.abs(field[:3, :4]).max() < 0.02, dx
        assert field[3].min() >= 0
        assert field[3].max() <= 0.8


def test_noise_has_zero_mean_and_unit_spread() -> None:
    values = np.stack([fields.noise(np.random.default_rng(seed), (90, 120), 6, octaves=3) for seed in range(40)])
    assert abs(values.mean()) < 0.1
    assert 0.8 < values.std() < 1.25


def test_cells_measure_the_distance_in_spacings() -> None:
    distance, level = fields.cells(np.random.default_rng(0), (200, 200), 20, jitter=0)
    assert distance.min() == 0
    assert 0.45 < distance[20:-20, 20:-20].max() < 0.75
    assert level.min() >= 0 and level.max() < 1


def test_ramp_rises_and_falls() -> None:
    field = np.array([-1.0, 0.0, 0.5, 1.0, 2.0], np.float32)
    assert fields.ramp(field, 0, 1).tolist() == [0, 0, 0.5, 1, 1]
    assert fields.ramp(field, 1, 0).tolist() == [1, 1, 0.5, 0, 0]


@pytest.mark.parametrize("size", [(400, 300), (500, 500), (600, 450), (1022, 767), (1500, 1000), (541, 575)])
def test_a_photograph_of_another_size_shows_the_same(size: tuple[int, int]) -> None:
    width, height = size
    y, x = np.mgrid[0:450, 0:600]
    drawn = np.where(np.hypot(x - 299.5, y - 224.5) < 120, 60, 190).astype(np.uint8)  # a disc in the middle
    shown = at_size(np.dstack([drawn] * 3), width, height, np.random.default_rng(0))
    assert shown.shape == (height, width, 3)
    assert shown.dtype == np.uint8
    y, x = np.mgrid[0:height, 0:width]
    scale = max(width / 600, height / 450)
    far = np.hypot(x + 0.5 - width / 2, y + 0.5 - height / 2) / scale
    for area, value in ((far < 115, 60), (far > 125, 190)):
        assert abs(shown[area].mean() - value) < 2
        assert 1 < shown[area].std() < 8  # the grain


def test_shares_are_dealt_out_to_enough_lesions() -> None:
    counts = shots.counts(40, {"a": 0.5, "b": 0.45, "c": 0.05})
    assert counts == {"a": 16, "b": 18, "c": shots.FEWEST}
    for seed in range(20):
        dealt = list(shots.repeats(8, {1: 0.2, 5: 0.8}, np.random.default_rng(seed)))
        assert sum(dealt) == 8
        assert len(dealt) >= shots.FEWEST
