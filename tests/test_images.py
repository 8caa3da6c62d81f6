import numpy as np
import pandas as pd
import pytest

from lesionbook import images
from lesionbook.errors import LesionbookError
from lesionbook.images import Rows, Store


@pytest.fixture
def store(tmp_path):
    """Six images of one grey each, darkest last."""
    folder = tmp_path / "prepare"
    folder.mkdir()
    levels = np.array([250, 200, 150, 100, 50, 0], dtype=np.uint8)
    np.save(folder / "images.npy", np.broadcast_to(levels[:, None, None, None], (6, 3, 3, 3)))
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


def test_the_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert images.digest(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
