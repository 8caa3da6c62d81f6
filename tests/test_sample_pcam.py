import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from lesionbook.errors import LesionbookError
from lesionbook.sample import nuclei, pcam, tissue
from lesionbook.sample.pcam import CENTRE, PATCH, centres, compose, places, plan
from lesionbook.sample.slides import slide

IMAGES = 600
SEED = 5


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "pcam"
    pcam.draw(folder, images=IMAGES, seed=SEED)
    return folder


@pytest.fixture(scope="module")
def table(drawn: Path) -> pd.DataFrame:
    return pd.read_csv(drawn / "train_labels.csv")


@pytest.fixture(scope="module")
def patches(drawn: Path, table: pd.DataFrame) -> np.ndarray:
    return np.stack([np.asarray(Image.open(drawn / "train" / f"{name}.tif")) for name in table["id"]])


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_layout_is_that_of_the_real_download(drawn: Path, table: pd.DataFrame) -> None:
    assert sorted(path.name for path in drawn.iterdir()) == ["DRAWN.txt", "test", "train", "train_labels.csv"]
    assert list(table.columns) == ["id", "label"]
    labelled = {path.name for path in (drawn / "train").iterdir()}
    unlabelled = {path.name for path in (drawn / "test").iterdir()}
    assert labelled == set(table["id"] + ".tif")
    assert len(unlabelled) == round(IMAGES * 57_458 / 220_025)
    assert not labelled & unlabelled
    assert all(re.fullmatch(r"[0-9a-f]{40}\.tif", name) for name in labelled | unlabelled)
    assert "are drawn" in (drawn / "DRAWN.txt").read_text()


def test_patches_are_uncompressed_tiff_of_the_real_size_and_all_differ(drawn: Path) -> None:
    paths = sorted(drawn.glob("t*/*.tif"))
    for path in paths[:10]:
        assert 96 * 96 * 3 < path.stat().st_size < 28_500
        with Image.open(path) as image:
            assert (image.format, image.size, image.mode) == ("TIFF", (96, 96), "RGB")
            assert image.info["compression"] == "raw"
    assert len({Image.open(path).tobytes() for path in paths}) == len(paths)


def test_share_of_positives_is_the_real_one_in_random_order(table: pd.DataFrame) -> None:
    assert table["label"].sum() == round(0.405 * IMAGES)
    half = table["label"][: IMAGES // 2].mean()
    assert 0.25 < half < 0.55
    assert not table["id"].is_monotonic_increasing


def test_label_says_whether_the_centre_holds_tumour(drawn: Path, table: pd.DataFrame) -> None:
    labels = dict(zip(table["id"], table["label"], strict=True))
    beside = partly = seen = 0
    for item in plan(IMAGES, SEED)[0]:
        pixels, tumour, corners = compose(item, SEED)
        for file, (y, x) in corners.items():
            patch = np.s_[y : y + PATCH, x : x + PATCH]
            expected = tumour[patch][CENTRE, CENTRE].any()
            assert expected == (file in item.positive)
            if file.startswith("train/"):
                assert labels[Path(file).stem] == expected
                assert (np.asarray(Image.open(drawn / file)) == pixels[patch]).all()
                seen += 1
            beside += tumour[patch].any() and not expected
            partly += expected and not tumour[patch][CENTRE, CENTRE].all()
    assert seen == IMAGES
    assert beside > 3  # tumour in the border only: negative
    assert partly > 3  # some tumour in the centre is enough: positive


def test_brightness_is_spread_like_in_the_real_data(patches: np.ndarray, table: pd.DataFrame) -> None:
    # Published of the real set: positive mean 160, variance 760; negative mean 169, variance 1933.
    brightness = patches.reshape(IMAGES, -1).mean(axis=1)
    positive, negative = (brightness[table["label"] == label] for label in (1, 0))
    assert 140 < positive.mean() < 180
    assert 145 < negative.mean() < 190
    assert 250 < positive.var() < 1400
    assert 1200 < negative.var() < 2800
    assert positive.var() < negative.var()
    assert brightness.max() > 225


def test_brightness_alone_does_not_tell_the_classes(patches: np.ndarray, table: pd.DataFrame) -> None:
    brightness = patches.reshape(IMAGES, -1).mean(axis=1)[:, None] / 255
    model = LogisticRegression(class_weight="balanced").fit(brightness, table["label"])
    hit = model.predict(brightness) == table["label"]
    assert hit.groupby(table["label"]).mean().mean() < 0.65


def test_colours_are_those_of_haematoxylin_and_eosin(patches: np.ndarray) -> None:
    red, green, blue = patches.reshape(-1, 3).mean(axis=0)
    assert green + 15 < min(red, blue)
    assert abs(red - blue) < 30


def test_same_seed_gives_same_bytes_with_two_processes(tmp_path: Path) -> None:
    for number in (1, 2):
        pcam.draw(tmp_path / str(number), images=40, seed=7, processes=number)
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2")


def test_another_seed_gives_other_patches(tmp_path: Path) -> None:
    pcam.draw(tmp_path / "other", images=40, seed=8)
    pcam.draw(tmp_path / "first", images=40, seed=7)
    one, two = ({path.read_bytes() for path in tmp_path.glob(f"{name}/t*/*")} for name in ("first", "other"))
    assert not one & two


def test_draw_does_not_touch_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(LesionbookError, match="exists already"):
        pcam.draw(tmp_path, images=40, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("wrong", [{"images": 39}, {"seed": -1}, {"processes": 0}])
def test_numbers_out_of_range_are_named(tmp_path: Path, wrong: dict[str, int]) -> None:
    with pytest.raises(LesionbookError, match=f"{next(iter(wrong))} is {next(iter(wrong.values()))}"):
        pcam.draw(tmp_path / "sample", **{"images": 40, "seed": 1} | wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("images", [40, 41, 1000, 20_000])
def test_plan_has_every_patch_once(images: int) -> None:
    fields, labels = plan(images, 3)
    assert len(labels) == images
    assert labels["id"].is_unique
    assert labels["label"].sum() == round(0.405 * images)
    assert [item.slide for item in fields] == sorted(item.slide for item in fields)
    assert sorted(item.number for item in fields) == list(range(len(fields)))
    assert max(len(item.positive) + len(item.negative) for item in fields) <= min(16, max(4, images // 60))
    parts = {part: set() for part in ("train", "test")}
    for item in fields:
        for file in item.positive + item.negative:
            parts[file.split("/")[0]].add(item.slide)
    assert not parts["train"] & parts["test"]
    assert len(parts["train"]) <= 216


def test_fields_with_tumour_lie_on_some_slides_only() -> None:
    fields, _ = plan(4000, 3)
    slides = {item.slide for item in fields}
    metastatic = {item.slide for item in fields if item.positive}
    assert 0.5 < len(metastatic) / len(slides) < 0.7


def test_centres_count_the_central_pixels() -> None:
    tumour = np.zeros((tissue.SIDE, tissue.SIDE), bool)
    tumour[100, 200] = tumour[383, 10] = True
    labels = centres(tumour)
    for y in (0, 36, 37, 68, 69, 200, 288):
        for x in (0, 136, 137, 168, 169, 288):
            assert labels[y, x] == tumour[y : y + PATCH, x : x + PATCH][CENTRE, CENTRE].any()
    assert labels.sum() == 32 * 32


def test_places_are_allowed_apart_and_now_and_then_close() -> None:
    where = np.zeros((289, 289), bool)
    where[:, :150] = True
    nearest = []
    for seed in range(30):
        spots = places(where, 12, np.random.default_rng(seed))
        assert where[tuple(spots.T)].all()
        gaps = np.abs(spots[:, None] - spots[None]).max(axis=2) + 1000 * np.eye(12, dtype=int)
        assert gaps.min() > 0
        nearest.extend(gaps.min(axis=1))
    assert 0.02 < np.mean(np.array(nearest) < 15) < 0.35
    assert np.median(nearest) > 35


def test_kinds_of_tissue_fit_together() -> None:
    grounds = {"eosin", "haze", "fibre", "cleft"}
    assert set(tissue.SPACING) == set(nuclei.LOOKS)
    for kind, strengths in tissue.KINDS.items():
        assert set(strengths) <= {*nuclei.LOOKS, "tumour"} | grounds, kind
        assert all(0 < value <= 1 for value in strengths.values()), kind
    for often, ground, layers in tissue.ARCHITECTURES.values():
        assert 0 < often < 1
        assert {ground, *(layer[0] for layer in layers)} <= set(tissue.KINDS)


def test_layout_adds_up_and_leaves_no_tumour_on_glass() -> None:
    growth = slide(np.random.default_rng(1)).growth
    glass = 0
    for seed in range(60):
        weights, tumour = tissue.layout(growth, 0.5, np.random.default_rng(seed))
        assert sum(weights.values()) == pytest.approx(1, abs=1e-4)
        assert 0.1 < tumour.mean() < 0.7
        if "glass" in weights:
            glass += 1
            assert not (tumour & (tissue.enlarge(weights["glass"]) > 0.9)).any()
    assert glass


def test_share_of_tumour_goes_from_none_to_all() -> None:
    base = slide(np.random.default_rng(1))
    for share, least, most in ((0.0, 0, 0), (0.4, 0.15, 0.6), (1.0, 0.4, 1)):
        pixels, tumour = tissue.field(base, share, np.random.default_rng(4))
        assert pixels.shape == (384, 384, 3) and pixels.dtype == np.uint8
        assert least <= tumour.mean() <= most


def test_stamps_lie_within_their_square_and_turn() -> None:
    for kind, looks in nuclei.LOOKS.items():
        drawn = nuclei.stamps(np.random.default_rng(2), 40, **looks)
        assert drawn.dtype == np.float32
        assert drawn.min() >= 0, kind
        assert drawn[:, 0].max() == drawn[:, -1].max() == drawn[:, :, 0].max() == drawn[:, :, -1].max() == 0, kind
        assert drawn.shape[1] <= 2 * tissue.REACH, kind
    # The long axis turns with the number of the stamp: x varies most in the first, y in the one halfway.
    spindles = nuclei.stamps(np.random.default_rng(2), 40, **nuclei.LOOKS["spindle"])
    across, along = spindles.sum(axis=1), spindles.sum(axis=2)
    assert np.count_nonzero(across[0]) > 1.3 * np.count_nonzero(along[0])
    assert np.count_nonzero(along[20]) > 1.3 * np.count_nonzero(across[20])


def test_nuclei_of_the_tumour_are_larger_and_paler_as_a_rule() -> None:
    larger = paler = 0
    for seed in range(20):
        stamps = slide(np.random.default_rng(seed)).nuclei
        area, density = ({kind: [] for kind in ("lymphocyte", "tumour")} for _ in range(2))
        for kind in area:
            inside = stamps[kind] > 0.1
            area[kind] = inside.sum(axis=(1, 2)).mean()
            density[kind] = stamps[kind][inside].mean()
        larger += area["tumour"] > 2 * area["lymphocyte"]
        paler += density["tumour"] < density["lymphocyte"]
    assert 12 <= larger < 20  # tumours of small cells are the hard ones
    assert paler >= 18


def test_strewn_points_follow_the_chance() -> None:
    chance = np.zeros((100, 100), np.float32)
    chance[:, 50:] = 0.5
    points = nuclei.strew(np.random.default_rng(0), chance, 2, 8)
    assert (points[:, 0] >= 100).all() and (points < 200).all()
    assert len(points) == pytest.approx(0.5 * 100 * 200 / (0.87 * 64), rel=0.2)
