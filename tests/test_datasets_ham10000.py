import importlib
from pathlib import Path

import pandas as pd
import pytest

from lesionbook import datasets, paths
from lesionbook.datasets import ham10000
from lesionbook.errors import LesionbookError

REAL = paths.root().parent / "shared" / "data" / "ham10000"
ROWS = [
    ("HAM_2", "ISIC_0000003", "nv", "histo", "", "unknown", "back"),
    ("HAM_1", "ISIC_0000001", "mel", "histo", "55.0", "male", "unknown"),
    ("HAM_2", "ISIC_0000002", "nv", "follow_up", "0.0", "female", "back"),
]


def write(folder: Path, rows=ROWS, columns=tuple(ham10000.COLUMNS), images=None):
    """A data folder of empty image files, split over the two folders."""
    folder.mkdir(exist_ok=True)
    pd.DataFrame(rows, columns=list(columns)).to_csv(folder / ham10000.METADATA, index=False)
    for part in ham10000.FOLDERS:
        (folder / part).mkdir(exist_ok=True)
    for number, name in enumerate(images if images is not None else [row[1] for row in rows]):
        (folder / ham10000.FOLDERS[number % 2] / f"{name}.jpg").touch()
    return folder


def test_one_row_per_image_sorted_with_its_file(tmp_path):
    table = ham10000.read(write(tmp_path / "data"))
    assert list(table.columns) == ["image_id", "path", "label", "group", "dx_type", "age", "sex", "localization"]
    assert table["image_id"].tolist() == ["ISIC_0000001", "ISIC_0000002", "ISIC_0000003"]
    assert table.index.tolist() == [0, 1, 2]
    assert table["label"].tolist() == ["mel", "nv", "nv"]
    assert table["group"].tolist() == ["HAM_1", "HAM_2", "HAM_2"]
    assert [path.relative_to(tmp_path / "data").as_posix() for path in table["path"]] == [
        "HAM10000_images_part_2/ISIC_0000001.jpg",
        "HAM10000_images_part_1/ISIC_0000002.jpg",
        "HAM10000_images_part_1/ISIC_0000003.jpg",
    ]


def test_gaps_stay_gaps_and_unknown_stays_a_value(tmp_path):
    table = ham10000.read(write(tmp_path / "data"))
    assert table["age"].tolist()[:2] == [55.0, 0.0]
    assert table["age"].isna().tolist() == [False, False, True]
    assert table["sex"].tolist() == ["male", "female", "unknown"]
    assert table["localization"].isna().sum() == 0


def test_an_image_of_no_known_lesion_is_its_own_group(tmp_path):
    table = ham10000.read(write(tmp_path / "data", [(None, *row[1:]) for row in ROWS[:2]] + ROWS[2:]))
    assert table["group"].tolist() == ["ISIC_0000001", "HAM_2", "ISIC_0000003"]


def test_further_images_without_a_row_are_left_alone(tmp_path):
    folder = write(tmp_path / "data", images=[row[1] for row in ROWS] + ["ISIC_9999999"])
    assert len(ham10000.read(folder)) == 3


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([], "no rows; download"),
        ([*ROWS, ROWS[0]], "image_id 'ISIC_0000003' stands twice"),
        (
            [("HAM_1", "ISIC_0000001", "melanoma", "histo", "55", "male", "back")],
            "dx 'melanoma' is none of akiec, bcc,",
        ),
        (
            [(*ROWS[0][:2], None, *ROWS[0][3:]), (*ROWS[1][:2], "naevus", *ROWS[1][3:])],
            "dx '' is none of akiec, bcc, bkl, df, mel, nv, vasc; correct the row",
        ),
    ],
)
def test_wrong_rows_are_named(tmp_path, rows, complaint):
    with pytest.raises(LesionbookError) as caught:
        ham10000.read(write(tmp_path / "data", rows))
    assert f"{ham10000.METADATA}: {complaint}" in str(caught.value)


def test_missing_file_column_and_images_are_named(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(LesionbookError, match=r"empty: HAM10000_metadata\.csv is missing; a HAM10000 folder holds "):
        ham10000.read(tmp_path / "empty")
    columns = ["lesion", *ham10000.COLUMNS[1:]]
    with pytest.raises(LesionbookError, match="column 'lesion_id' is missing; expected lesion_id, image_id, dx, "):
        ham10000.read(write(tmp_path / "columns", columns=columns))
    folder = write(tmp_path / "images", images=["ISIC_0000001"])
    with pytest.raises(
        LesionbookError, match=r"images: no image for 2 of 3 rows, the first ISIC_0000003\.jpg; expected"
    ):
        ham10000.read(folder)


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
    table, record = ham10000.read(REAL), ham10000.RECORD
    assert len(table) == record.images
    assert table["label"].value_counts().to_dict() == record.counts
    assert table["group"].nunique() == record.groups
    assert (table.groupby("group")["label"].nunique() == 1).all()
    assert table["age"].isna().sum() == 57
    assert table["image_id"].is_monotonic_increasing
    assert table.equals(table.sort_values("image_id", ignore_index=True))
    assert all(path.stem == name for path, name in zip(table["path"], table["image_id"], strict=True))
