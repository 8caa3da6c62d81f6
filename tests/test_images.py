import hashlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lesionbook import images
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows, Store

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def thirds(width=60, height=20):
    """Left third red, middle green, right blue."""
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    for number, colour in enumerate((RED, GREEN, BLUE)):
        pixels[:, number * width // 3 : (number + 1) * width // 3] = colour
    return pixels


def saved(path, pixels, mode="RGB", **options):
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


@pytest.fixture
def table(tmp_path):
    """Six images of one grey each, darkest last."""
    levels = [250, 200, 150, 100, 50, 0]
    files = [
        saved(tmp_path / f"i{number}.png", np.full((4, 6, 3), level, dtype=np.uint8))
        for number, level in enumerate(levels)
    ]
    return pd.DataFrame({"image_id": [path.stem for path in files], "path": files, "level": levels})


def test_crop_keeps_the_centre_and_squash_keeps_everything(tmp_path):
    path = saved(tmp_path / "a.png", thirds())
    cropped, facts = images.decode(path, 20, "crop")
    assert cropped.shape == (20, 20, 3) and cropped.dtype == np.uint8
    assert (cropped == GREEN).all(), "the central square of the original is its middle third"
    squashed, _ = images.decode(path, 30, "squash")
    assert squashed.shape == (30, 30, 3)
    assert [tuple(squashed[15, column]) for column in (3, 15, 26)] == [RED, GREEN, BLUE]
    assert (facts["width"], facts["height"], facts["mode"]) == (60, 20, "RGB")


def test_content_is_the_hash_of_the_decoded_pixels_whatever_the_file(tmp_path):
    png = saved(tmp_path / "a.png", thirds())
    facts = [
        images.decode(path, 8, fit)[1]
        for path, fit in (
            (png, "crop"),
            (png, "squash"),
            (saved(tmp_path / "b.bmp", thirds()), "crop"),
            (saved(tmp_path / "c.png", np.ascontiguousarray(thirds()[:, ::-1])), "crop"),
            (saved(tmp_path / "d.png", np.full((20, 60, 3), 7, dtype=np.uint8)), "crop"),
            (saved(tmp_path / "e.png", np.full((60, 20, 3), 7, dtype=np.uint8)), "crop"),
        )
    ]
    assert facts[0] == facts[1]
    contents = [one["content"] for one in facts]
    assert contents[0] == contents[2]
    assert len(set(contents)) == 4, "mirrored, or of the same bytes in another shape, is another picture"


@pytest.mark.parametrize(
    ("mode", "ending", "expected"),
    [
        ("L", "png", (76, 76, 76)),  # ITU-R 601-2: 0.299 of 255
        ("RGBA", "png", RED),
        ("P", "png", RED),
        ("CMYK", "tif", RED),
        ("1", "png", None),
    ],
)
def test_every_mode_becomes_rgb(tmp_path, mode, ending, expected):
    path = saved(tmp_path / f"a.{ending}", np.full((12, 12, 3), RED, dtype=np.uint8), mode)
    pixels, facts = images.decode(path, 6, "crop")
    assert pixels.shape == (6, 6, 3) and pixels.dtype == np.uint8
    assert facts["mode"] == mode
    if expected is not None:
        assert (pixels == expected).all()
    assert images.original(path).shape == (12, 12, 3)


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_photograph_held_sideways_is_turned_upright(tmp_path, ending):
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: to be turned by 90 degrees clockwise
    path = saved(tmp_path / f"a.{ending}", thirds(), exif=exif)
    _, facts = images.decode(path, 10, "crop")
    assert (facts["width"], facts["height"]) == (20, 60)
    upright = images.original(path)
    assert upright.shape == (60, 20, 3)
    assert [upright[row, 10].argmax() for row in (5, 30, 55)] == [0, 1, 2], "left comes to the top"


def test_what_cannot_be_decoded_is_named(tmp_path):
    whole = saved(tmp_path / "whole.jpg", np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    folder = tmp_path / "part_1"
    folder.mkdir()
    broken = {
        "cut.jpg": whole.read_bytes()[:-400],
        "cut.png": saved(tmp_path / "whole.png", images.original(whole)).read_bytes()[:-400],
        "text.jpg": b"<html>not found</html>",
        "empty.jpg": b"",
    }
    for name, content in broken.items():
        (folder / name).write_bytes(content)
    for name in [*broken, "absent.jpg"]:
        with pytest.raises(LesionbookError, match=rf"^part_1/{name} cannot be decoded \(.*\); replace .*\.$") as caught:
            images.decode(folder / name, 8, "crop")
        assert str(tmp_path) not in str(caught.value), "a failed report must not say where a machine keeps its files"


def test_the_store_follows_the_table(tmp_path, table, monkeypatch):
    monkeypatch.setattr(images, "CHUNK", 4)
    shuffled = table.iloc[[3, 0, 5, 2, 4, 1]]
    progress = []
    path = tmp_path / "new" / "images.npy"
    files = images.build(shuffled, path, size=3, fit="crop", on_progress=lambda *now: progress.append(now))
    assert files["image_id"].tolist() == shuffled["image_id"].tolist()
    assert list(files.columns) == ["image_id", "width", "height", "mode", "content"]
    assert progress == [(4, 6), (6, 6)]
    mapped = np.load(path, mmap_mode="r")
    assert isinstance(mapped, np.memmap) and mapped.dtype == np.uint8
    assert mapped[:, 1, 1, 0].tolist() == shuffled["level"].tolist()
    assert (mapped == images.decode_many(shuffled["path"], 3, "crop")).all()
    assert [file.name for file in path.parent.iterdir()] == ["images.npy"]
    assert images.digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_images_give_the_same_bytes(tmp_path, table):
    for name in ("a.npy", "b.npy"):
        images.build(table, tmp_path / name, size=5, fit="squash")
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_a_failure_leaves_what_was_there_and_nothing_else(tmp_path, table):
    path = tmp_path / "store" / "images.npy"
    images.build(table, path, size=3, fit="crop")
    before = path.read_bytes()
    table["path"].iloc[4].write_bytes(b"broken")
    with pytest.raises(LesionbookError, match=r"/i4\.png cannot be decoded"):
        images.build(table, path, size=4, fit="crop")
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["images.npy"]
    with pytest.raises(LesionbookError, match="no images to prepare"):
        images.build(table.iloc[:0], path, size=4, fit="crop")


@pytest.fixture
def store(tmp_path, table):
    folder = tmp_path / "prepare"
    images.build(table, folder / "images.npy", size=3, fit="crop")
    index = pd.DataFrame(
        {
            "image_id": ["001", "002", "003", "004", "005", "006"],
            "group": ["1", "1", "2", "3", "3", "4"],
            "label": ["nv", "nv", "mel", "nv", "mel", "nv"],
            "split": ["train", "train", "val", "test", "val", "train"],
        }
    )
    index.to_csv(folder / "index.csv", index=False)
    return folder


def test_an_opened_store_gives_the_rows_of_a_split(store):
    opened = Store.open(store, ["mel", "nv", "df"])
    assert opened.size == 3
    rows = opened.rows("val", "test")
    assert isinstance(rows, Rows) and len(rows) == 3
    assert rows.index["image_id"].tolist() == ["003", "004", "005"], "ids are texts, zeros and all"
    assert rows.index.index.tolist() == [0, 1, 2]
    assert rows.codes.tolist() == [0, 1, 0]
    assert rows.images()[:, 0, 0, 0].tolist() == [150, 100, 50]
    assert rows.images(slice(1, 3))[:, 0, 0, 0].tolist() == [100, 50]
    assert rows.images(np.array([2, 0]))[:, 0, 0, 0].tolist() == [50, 150]
    assert len(opened.rows("nothing")) == 0
    assert isinstance(opened.array, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        opened.array[0] = 0


def test_images_of_ids_come_in_the_order_of_the_ids(store):
    rows = Store.open(store, ["mel", "nv"]).rows("val", "test")
    wanted = pd.Series(["005", "003", "005"], index=[7, 8, 9])
    assert rows.of(wanted)[:, 0, 0, 0].tolist() == [50, 150, 50]
    with pytest.raises(LesionbookError, match=r"^The image '001' is not among these 3 rows"):
        rows.of(pd.Series(["003", "001"]))


def test_a_store_that_is_missing_or_does_not_fit_its_index(store):
    with pytest.raises(LesionbookError, match=r"^No image store in nowhere; run the preparation notebook"):
        Store.open(store.parent / "nowhere", [])
    lines = (store / "index.csv").read_text().splitlines()
    (store / "index.csv").write_text("\n".join(lines[:-1]) + "\n")
    with pytest.raises(LesionbookError, match=r"^prepare: 5 rows but 6 images; run preparation again"):
        Store.open(store, [])
    (store / "images.npy").unlink()
    with pytest.raises(LesionbookError, match=r"^No image store in prepare"):
        Store.open(store, [])
