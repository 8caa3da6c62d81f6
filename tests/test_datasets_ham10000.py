import importlib

import pytest
from tiny_datasets import edit, found, ham

from lesionbook import datasets, paths
from lesionbook.datasets import ham10000

REAL = paths.root().parent / "shared" / "data" / "ham10000"


def test_rows_are_found_in_both_folders_and_keep_their_lesion(tmp_path):
    table = ham10000.read(ham(tmp_path / "data")).table
    assert list(table.columns) == ["image_id", "path", "label", "group", "dx_type", "age", "sex", "localization"]
    assert table["label"].tolist() == [name for name in ham10000.RECORD.classes for _ in range(2)]
    assert table["group"].tolist()[:4] == ["HAM_0", "HAM_0", "HAM_1", "HAM_1"]
    assert [path.relative_to(tmp_path / "data").as_posix() for path in table["path"][:2]] == [
        "HAM10000_images_part_1/ISIC_0000001.jpg",
        "HAM10000_images_part_2/ISIC_0000002.jpg",
    ]


def test_gaps_stay_gaps_and_unknown_stays_a_value(tmp_path):
    folder = ham(tmp_path / "data")
    ages, sexes = ["", "unknown", "0.0", "forty", "52,5"], ["unknown", "", "male", "male", "male"]
    edit(
        folder / ham10000.METADATA,
        lambda frame: frame.assign(age=[*ages, *frame["age"][5:]], sex=[*sexes, *frame["sex"][5:]]),
    )
    listing = ham10000.read(folder)
    table = listing.table
    assert table["age"].dtype == float
    assert table["age"].isna().tolist()[:6] == [True, True, False, True, False, False]
    assert table["age"].tolist()[2::2][:2] == [0.0, 52.5]
    assert table["sex"].iloc[0] == "unknown"
    assert table["sex"].isna().tolist()[:3] == [False, True, False]
    assert found(listing.findings)["values of age that are no number"] == 1


def test_an_image_of_no_known_lesion_is_its_own_group(tmp_path):
    folder = ham(tmp_path / "data")
    edit(folder / ham10000.METADATA, lambda frame: frame.assign(lesion_id=[None, *frame["lesion_id"][1:]]))
    assert ham10000.read(folder).table["group"].tolist()[:3] == ["ISIC_0000001", "HAM_0", "HAM_1"]


def test_the_record_agrees_with_itself_and_with_the_adapter():
    record = ham10000.RECORD
    assert record.images == 10015
    assert list(record.counts) == list(record.classes)
    assert set(record.metadata) < set(ham10000.COLUMNS)
    assert datasets.adapter(record.name) is ham10000
    assert datasets.drawer(record.name) is importlib.import_module("lesionbook.sample.ham10000")


def test_the_drawn_sample_has_the_layout_of_the_adapter():
    drawer = datasets.drawer("ham10000")
    assert tuple(drawer.PARTS) == ham10000.FOLDERS
    assert drawer.COLUMNS == ham10000.COLUMNS
    assert sorted(drawer.SHARES) == sorted(ham10000.RECORD.classes)


@pytest.mark.skipif(not (REAL / ham10000.METADATA).exists(), reason="the real images are not beside the project")
def test_the_real_set_is_what_the_record_says():
    listing, record = ham10000.read(REAL), ham10000.RECORD
    table = listing.table
    assert len(table) == record.images
    assert table["label"].value_counts().to_dict() == record.counts
    assert table["group"].nunique() == record.groups
    assert (table.groupby("group")["label"].nunique() == 1).all()
    assert table["age"].isna().sum() == 57
    assert set(found(listing.findings).values()) == {0}
    assert all(path.stem == name for path, name in zip(table["path"], table["image_id"], strict=True))
