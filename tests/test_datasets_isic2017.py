import pytest
from tiny_datasets import edit, found, isic_2017, picture

from lesionbook import datasets
from lesionbook.datasets import isic2017
from lesionbook.errors import LesionbookError


@pytest.fixture
def archive(tmp_path):
    return isic_2017(tmp_path / "data")


@pytest.fixture
def kaggle(tmp_path):
    """Class folders, nested as in the download."""
    folder = tmp_path / "data"
    names = iter(range(1, 10))
    for part in ("train", "valid", "test"):
        for label in isic2017.RECORD.classes:
            picture(folder / "skin-lesions" / part / label / f"ISIC_000000{next(names)}.jpg")
    return folder


def refusal(folder):
    with pytest.raises(LesionbookError) as caught:
        isic2017.read(folder)
    return str(caught.value)


def test_class_folders_give_label_and_split_and_nothing_else(kaggle):
    listing = isic2017.read(kaggle)
    table = listing.table
    assert list(table.columns) == ["image_id", "path", "label", "group", "given_split"]
    assert table["label"].tolist() == ["melanoma", "nevus", "seborrheic_keratosis"] * 3
    assert table["given_split"].tolist() == ["train"] * 3 + ["val"] * 3 + ["test"] * 3
    assert table["group"].equals(table["image_id"])
    assert all(path.is_file() for path in table["path"])
    assert set(found(listing.findings).values()) == {0}


def test_the_archive_gives_age_and_sex_as_well(archive):
    table = isic2017.read(archive).table
    assert list(table.columns) == ["image_id", "path", "label", "group", "given_split", "age", "sex"]
    assert table["label"].tolist() == ["melanoma", "seborrheic_keratosis", "nevus"] * 3
    assert table["given_split"].tolist() == ["train"] * 3 + ["val"] * 3 + ["test"] * 3
    assert table["age"].fillna(-1).tolist() == [55, -1, 60] * 3
    assert table["sex"].tolist() == ["male", "unknown", "female"] * 3


def test_the_archive_without_metadata_has_no_age(archive):
    for path in archive.glob("*/*_metadata.csv"):
        path.unlink()
    assert list(isic2017.read(archive).table.columns) == ["image_id", "path", "label", "group", "given_split"]


def test_metadata_of_one_part_only_is_counted(archive):
    for path in [*archive.glob("*/*Validation*_metadata.csv"), *archive.glob("*/*Test*_metadata.csv")]:
        path.unlink()
    listing = isic2017.read(archive)
    assert found(listing.findings)["labels without metadata"] == 6
    assert listing.table["age"].notna().sum() == 2


def test_a_part_without_its_label_file_is_told_and_its_images_counted(archive):
    (archive / isic2017.LABELS.format("Test_v2")).unlink()
    listing = isic2017.read(archive)
    counts = found(listing.findings)
    assert counts["parts without a label file"] == "test"
    assert counts["images without a label"] == 3
    assert set(listing.table["given_split"]) == {"train", "val"}


def test_a_row_marked_as_both_stops(archive):
    edit(archive / isic2017.LABELS.format("Validation"), lambda frame: frame.assign(melanoma="1.0"))
    message = refusal(archive)
    assert "Validation_Part3_GroundTruth.csv: the row of ISIC_0000005 does not mark one class" in message
    assert "(melanoma 1, seborrheic_keratosis 1); correct the row." in message


def test_an_image_in_two_parts_stops(archive):
    edit(
        archive / isic2017.LABELS.format("Test_v2"),
        lambda frame: frame.replace({"image_id": {"ISIC_0000007": "ISIC_0000001"}}),
    )
    assert "data: the image ISIC_0000001 has a row in two of the label files; keep one." in refusal(archive)


def test_metadata_is_checked_like_the_labels(archive):
    path = archive / isic2017.IMAGES.format("Training") / isic2017.METADATA.format("Training")
    edit(path, lambda frame: frame.rename(columns={"age_approximate": "age_approx"}))
    assert "column 'age_approximate' is missing (did you mean 'age_approx'?" in refusal(archive)


def test_an_image_in_two_class_folders_stops(kaggle):
    picture(kaggle / "skin-lesions" / "test" / "nevus" / "ISIC_0000001.jpg")
    message = refusal(kaggle)
    assert "data: two files for the image ISIC_0000001; keep " in message
    assert "test/nevus/ISIC_0000001.jpg" in message and "train/melanoma/ISIC_0000001.jpg" in message


def test_a_folder_of_another_class_stops(kaggle):
    picture(kaggle / "skin-lesions" / "train" / "naevus" / "ISIC_0000020.jpg")
    message = refusal(kaggle)
    assert "data: the folder skin-lesions/train/naevus is none of the classes melanoma, nevus, " in message


def test_images_outside_the_class_folders_are_counted(kaggle):
    picture(kaggle / "skin-lesions" / "train" / "ISIC_0000020.jpg")
    picture(kaggle / "ISIC_0000021.jpg")
    listing = isic2017.read(kaggle)
    assert len(listing.table) == 9
    assert found(listing.findings)["images without a label"] == 2


def test_a_class_without_images_stops(kaggle):
    for path in kaggle.glob("*/*/nevus/*.jpg"):
        path.unlink()
    assert "data: no image of class nevus; complete the folder" in refusal(kaggle)


def test_one_side_alone_is_read(kaggle):
    for path in [*kaggle.glob("*/valid/*/*"), *kaggle.glob("*/test/*/*")]:
        path.unlink()
    assert isic2017.read(kaggle).table["given_split"].tolist() == ["train"] * 3


def test_the_record_agrees_with_itself():
    record = isic2017.RECORD
    assert record.images == 2750
    assert list(record.counts) == list(record.classes)
    assert datasets.adapter(record.name) is isic2017
