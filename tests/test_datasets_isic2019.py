import pandas as pd
import pytest
from tiny_datasets import edit, found, isic_2019

from lesionbook import datasets
from lesionbook.datasets import isic2019
from lesionbook.errors import LesionbookError


@pytest.fixture
def folder(tmp_path):
    return isic_2019(tmp_path / "data")


def without(*rows):
    return lambda frame: frame.drop(index=list(rows))


def marked(**marks):
    """Change the marks of the first row."""
    return lambda frame: frame.assign(**{name: [value, *frame[name][1:]] for name, value in marks.items()})


def test_labels_metadata_and_lesions_come_from_their_files(folder):
    table = isic2019.read(folder).table
    assert list(table.columns) == ["image_id", "path", "label", "group", "age", "sex", "localization"]
    assert table["label"].tolist() == [name for name in isic2019.RECORD.classes for _ in range(2)]
    assert table["group"].tolist()[:4] == ["ISIC_0000001", "ISIC_0000002", "BCN_1", "BCN_1"]
    assert (table["age"] == 40).all()
    assert (table["localization"] == "anterior torso").all()


def test_the_images_may_lie_in_the_folder_itself(folder):
    deep = folder / isic2019.IMAGES / isic2019.IMAGES
    for path in deep.iterdir():
        path.rename(folder / isic2019.IMAGES / path.name)
    table = isic2019.read(folder).table
    assert {path.parent for path in table["path"]} == {folder / isic2019.IMAGES}


def test_images_of_the_challenge_test_set_are_none_of_ours(folder):
    before = isic2019.read(folder)
    (folder / "ISIC_2019_Test_Input").mkdir()
    (folder / "ISIC_2019_Test_Input" / "ISIC_0999999.jpg").touch()
    assert isic2019.read(folder).findings == before.findings


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({"NV": "1.0"}, "(MEL 1, NV 1)"),
        ({"MEL": "0.0"}, "(none marked)"),
        ({"MEL": "0.5", "NV": "0.5"}, "(MEL 0.5, NV 0.5)"),
        ({"MEL": "yes"}, "(none marked)"),
    ],
)
def test_a_row_must_mark_one_class(folder, marks, said):
    edit(folder / isic2019.LABELS, marked(**marks))
    with pytest.raises(LesionbookError) as caught:
        isic2019.read(folder)
    assert str(caught.value).endswith(
        f"{isic2019.LABELS}: the row of ISIC_0000001 does not mark one class with 1 and the others with 0 {said}; "
        "correct the row."
    )


def test_rows_of_no_class_are_left_out_with_their_images(folder):
    edit(folder / isic2019.LABELS, marked(MEL="0.0", UNK="1.0"))
    listing = isic2019.read(folder)
    assert "ISIC_0000001" not in set(listing.table["image_id"])
    counts = found(listing.findings)
    assert counts.pop("rows marked UNK, none of the classes") == 1
    assert set(counts.values()) == {0}


def test_ids_in_one_file_only_are_counted(folder):
    edit(folder / isic2019.METADATA, without(0))
    listing = isic2019.read(folder)
    assert len(listing.table) == 16
    assert listing.table["age"].isna().tolist()[:2] == [True, False]
    assert listing.table["group"].iloc[0] == "ISIC_0000001"
    assert found(listing.findings)["labels without metadata"] == 1
    edit(folder / isic2019.LABELS, without(1, 3, 5))
    listing = isic2019.read(folder)
    assert len(listing.table) == 13
    counts = found(listing.findings)
    assert (counts["labels without metadata"], counts["metadata without a label"]) == (1, 3)
    assert counts["images without a label"] == 3


def test_the_metadata_file_is_checked_like_the_labels(folder):
    path = folder / isic2019.METADATA
    whole = path.read_bytes()
    edit(path, lambda frame: frame.rename(columns={"age_approx": "age_approximate"}))
    with pytest.raises(LesionbookError, match=r"Metadata\.csv: column 'age_approx' is missing \(did you mean 'age_app"):
        isic2019.read(folder)
    path.write_bytes(whole)
    edit(path, lambda frame: pd.concat([frame, frame.head(1)]))
    with pytest.raises(LesionbookError, match=r"Metadata\.csv: image 'ISIC_0000001' stands twice"):
        isic2019.read(folder)
    path.write_text(whole.decode().replace(",", ";"))
    assert found(isic2019.read(folder).findings)[f"separator or encoding of {path.name}"] == "semicolon"
    path.unlink()
    with pytest.raises(LesionbookError, match=r"data: ISIC_2019_Training_Metadata\.csv is missing"):
        isic2019.read(folder)


def test_the_record_agrees_with_itself():
    record = isic2019.RECORD
    assert record.images == 25331
    assert list(record.counts) == list(record.classes)
    assert datasets.adapter(record.name) is isic2019
