import os

import h5py
import numpy as np
import pandas as pd
import pytest
from tiny_datasets import edit, found, pcam_files, pcam_hdf5, picture

from lesionbook import datasets
from lesionbook.datasets import pcam
from lesionbook.errors import LesionbookError

PARTS = {"train": 6, "valid": 2, "test": 2}


@pytest.fixture
def files(tmp_path):
    return pcam_files(tmp_path / "data")


@pytest.fixture
def hdf5(tmp_path):
    return pcam_hdf5(tmp_path / "data", PARTS)


def refusal(folder):
    with pytest.raises(LesionbookError) as caught:
        pcam.read(folder)
    return str(caught.value)


def test_ids_are_texts_even_where_they_look_like_numbers(files):
    table = pcam.read(files).table
    assert list(table.columns) == ["image_id", "path", "label", "group", "file_order"]
    assert table["image_id"].tolist() == ["0012", "1e5", "aa", "bb"]
    assert table["label"].tolist() == ["metastasis", "normal", "metastasis", "normal"]
    assert table["group"].equals(table["image_id"])


def test_unlabelled_patches_are_no_part_of_the_table_and_can_be_listed(files):
    assert found(pcam.read(files).findings)["images without a label"] == 0
    table = pcam.unlabelled(files)
    assert table["image_id"].tolist() == ["yy", "zz"]
    assert [path.relative_to(files).as_posix() for path in table["path"]] == ["test/yy.tif", "test/zz.tif"]


def test_without_unlabelled_patches_it_says_so(tmp_path):
    picture(tmp_path / "data" / "train" / "aa.tif")
    with pytest.raises(
        LesionbookError, match=r"data: no \.tif file in a folder test; PatchCamelyon holds train_labels"
    ):
        pcam.unlabelled(tmp_path / "data")


def test_the_download_may_be_unpacked_into_a_folder_of_its_own(tmp_path):
    pcam_files(tmp_path / "data" / "histopathologic-cancer-detection")
    assert len(pcam.read(tmp_path / "data").table) == 4
    assert len(pcam.unlabelled(tmp_path / "data")) == 2


def test_hdf5_files_give_label_slide_and_split(hdf5):
    listing = pcam.read(hdf5)
    table = listing.table.set_index("image_id")
    assert list(table.columns) == ["path", "label", "group", "given_split", "file_order"]
    assert len(table) == 10 and table.index.is_monotonic_increasing
    assert table.loc["train_000003"].tolist() == [
        hdf5 / "camelyonpatch_level_2_split_train_x.h5" / "3",
        "metastasis",
        "train_slide_1",
        "train",
        3,
    ]
    assert table["given_split"].value_counts().to_dict() == {"train": 6, "val": 2, "test": 2}
    assert set(found(listing.findings).values()) == {0}


def test_hdf5_files_without_slides_say_so(tmp_path):
    listing = pcam.read(pcam_hdf5(tmp_path / "data", {"valid": 4}, slides=False))
    assert listing.table["group"].equals(listing.table["image_id"])
    assert found(listing.findings)["patches without a slide (valid)"] == 4


def test_hdf5_files_that_do_not_belong_together_stop(hdf5):
    with h5py.File(hdf5 / pcam.HDF5.format("valid", "y"), "w") as file:
        file["y"] = np.zeros((3, 1, 1, 1), np.uint8)
    assert "split_valid_y.h5: 3 labels for 2 patches; download both" in refusal(hdf5)


def test_slides_must_be_as_many_as_patches(hdf5):
    edit(hdf5 / pcam.SLIDES.format("train"), lambda frame: frame.iloc[1:])
    assert "split_train_meta.csv: 5 rows for 6 patches; download it again." in refusal(hdf5)
    edit(hdf5 / pcam.SLIDES.format("train"), lambda frame: frame.rename(columns={"wsi": "wsi_id"}))
    assert "column 'wsi' is missing (did you mean 'wsi_id'?" in refusal(hdf5)


def test_labels_and_pixels_must_both_be_there(hdf5):
    (hdf5 / pcam.HDF5.format("test", "y")).unlink()
    assert "camelyonpatch_level_2_split_test_y.h5 is missing; a folder of PatchCamelyon holds " in refusal(hdf5)


@pytest.mark.parametrize("kind", ["x", "y"])
def test_a_truncated_hdf5_file_is_named(hdf5, kind):
    path = hdf5 / pcam.HDF5.format("train", kind)
    path.write_bytes(path.read_bytes()[:-1000])
    assert f"split_train_{kind}.h5: not a whole HDF5 file with the data set {kind!r}; unpack the .gz" in refusal(hdf5)
    with h5py.File(path, "w") as file:
        file["other"] = [1]
    assert f"split_train_{kind}.h5: not a whole HDF5 file with the data set {kind!r}" in refusal(hdf5)


def test_patches_of_another_kind_and_labels_of_none_stop(hdf5):
    with h5py.File(hdf5 / pcam.HDF5.format("valid", "y"), "w") as file:
        file["y"] = np.full((2, 1, 1, 1), 2, np.uint8)
    assert "split_valid_y.h5: y '2' is none of 0, 1" in refusal(hdf5)
    with h5py.File(hdf5 / pcam.HDF5.format("train", "x"), "w") as file:
        file["x"] = np.zeros((6, 32, 32, 3), np.uint8)
    assert "split_train_x.h5: patches of uint8 and shape (32, 32, 3), not of uint8 and (96, 96, 3)" in refusal(hdf5)


def test_hdf5_files_of_one_class_stop(tmp_path):
    assert "no patch of class metastasis; put there " in refusal(pcam_hdf5(tmp_path / "data", {"train": 1}))


def test_packed_files_must_be_unpacked(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"{pcam.HDF5.format('train', 'x')}.gz").touch()
    assert "split_train_x.h5.gz is packed; unpack the .gz files" in refusal(tmp_path / "data")


def test_many_patches_are_listed_without_looking_at_each(tmp_path, monkeypatch):
    """A look at each file costs milliseconds on network drives, and there are 220,025 of them."""
    folder = tmp_path / "data"
    (folder / "train").mkdir(parents=True)
    names = [f"{number:040x}" for number in range(3000)]
    for name in names:
        (folder / "train" / f"{name}.tif").touch()
    pd.DataFrame({"id": names, "label": ["0", "1"] * 1500}).to_csv(folder / pcam.LABELS, index=False)
    looks, real = [], os.stat
    monkeypatch.setattr(os, "stat", lambda path, **options: looks.append(path) or real(path, **options))
    (folder / "train").exists()
    assert len(looks) == 1, "a look is noticed"
    assert len(pcam.read(folder).table) == 3000
    assert len(looks) < 10


def test_the_record_agrees_with_itself():
    record = pcam.RECORD
    assert record.images == 220025
    assert list(record.counts) == list(record.classes) == list(pcam.KEYS.values())
    assert record.counts["metastasis"] / record.images == pytest.approx(0.405031, abs=5e-7), "mean of the label column"
    named = {pcam.HDF5.format(part, kind) for part in pcam.PARTS for kind in "xy"}
    assert set(record.checksums) == named | {pcam.SLIDES.format(part) for part in pcam.PARTS}
    assert datasets.adapter(record.name) is pcam
