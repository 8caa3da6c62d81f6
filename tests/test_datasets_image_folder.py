import pandas as pd
import pytest
from tiny_datasets import found, picture

from lesionbook import datasets
from lesionbook.datasets import image_folder
from lesionbook.errors import LesionbookError


@pytest.fixture
def flat(tmp_path):
    folder = tmp_path / "data"
    for name in ("benign/a.jpg", "benign/b.PNG", "malignant/c.tif", "malignant/deep/er/d.jpeg"):
        picture(folder / name)
    return folder


@pytest.fixture
def split(tmp_path):
    folder = tmp_path / "data"
    for part in ("train", "Valid", "test"):
        for label in ("benign", "malignant"):
            picture(folder / part / label / f"{part}-{label}.jpg")
    return folder


def refusal(folder):
    with pytest.raises(LesionbookError) as caught:
        image_folder.read(folder)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    return message


def describe(folder, frame, name="facts.csv", **options):
    pd.DataFrame(frame).to_csv(folder / name, index=False, **options)


def test_the_folder_is_the_label_and_the_path_the_id(flat):
    listing = image_folder.read(flat)
    table = listing.table
    assert list(table.columns) == ["image_id", "path", "label", "group"]
    assert table["image_id"].tolist() == ["benign/a.jpg", "benign/b.PNG", "malignant/c.tif", "malignant/deep/er/d.jpeg"]
    assert table["label"].tolist() == ["benign", "benign", "malignant", "malignant"]
    assert table["group"].equals(table["image_id"])
    assert [path.relative_to(flat).as_posix() for path in table["path"]] == table["image_id"].tolist()
    assert all(path.is_file() for path in table["path"])
    assert set(found(listing.findings).values()) == {0}


def test_every_ending_is_read_in_any_case(tmp_path):
    for number, ending in enumerate(image_folder.ENDINGS):
        (tmp_path / "data" / f"class {number % 2}").mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / f"class {number % 2}" / f"{number}{ending.upper()}").touch()
    assert len(image_folder.read(tmp_path / "data").table) == len(image_folder.ENDINGS)


def test_folders_above_the_classes_give_the_split(split):
    table = image_folder.read(split).table
    assert list(table.columns) == ["image_id", "path", "label", "group", "given_split"]
    given = table.set_index("image_id")["given_split"]
    assert given["train/benign/train-benign.jpg"] == "train"
    assert given["Valid/malignant/Valid-malignant.jpg"] == "val"
    assert given["test/benign/test-benign.jpg"] == "test"


def test_a_single_class_is_none(tmp_path):
    picture(tmp_path / "data" / "benign" / "a.jpg")
    assert "data: only one class folder, benign; two classes at least are needed" in refusal(tmp_path / "data")


def test_images_without_class_folders_are_no_data_set(tmp_path):
    picture(tmp_path / "data" / "a.jpg")
    assert "data: no class folder; two classes at least are needed" in refusal(tmp_path / "data")
    (tmp_path / "none").mkdir()
    assert "none: no class folder" in refusal(tmp_path / "none")


def test_class_folders_beside_a_split_stop(split):
    picture(split / "benign" / "a.jpg")
    assert "data: the folder benign beside Valid and test and train; put every class folder below those" in refusal(
        split
    )


def test_images_outside_class_folders_are_counted(flat):
    picture(flat / "top.jpg")
    listing = image_folder.read(flat)
    assert len(listing.table) == 4
    assert found(listing.findings)["images outside the class folders"] == 1


def test_images_between_split_and_class_are_counted(split):
    picture(split / "train" / "loose.jpg")
    listing = image_folder.read(split)
    assert len(listing.table) == 6
    assert found(listing.findings)["images outside the class folders"] == 1


def test_other_files_are_left_out_and_counted_only_beside_images(flat):
    (flat / "benign" / "Thumbs.db").touch()
    (flat / "malignant" / "deep" / "notes").touch()
    (flat / "README.txt").touch()
    listing = image_folder.read(flat)
    assert len(listing.table) == 4
    assert found(listing.findings)["files in class folders that are no images"] == 2


def test_hidden_files_and_folders_are_ignored(flat):
    before = image_folder.read(flat)
    picture(flat / "benign" / ".a.jpg")
    picture(flat / ".cache" / "a.jpg")
    after = image_folder.read(flat)
    assert after.table.equals(before.table) and after.findings == before.findings


@pytest.mark.parametrize("above", ["", "train"])
def test_a_class_without_images_stops(request, above):
    folder = request.getfixturevalue("split" if above else "flat")
    (folder / above / "unsure").mkdir()
    assert "data: no image in the class folder unsure; add images or delete the folder." in refusal(folder)


def test_a_class_may_be_absent_from_one_side(split):
    for path in (split / "test" / "benign").iterdir():
        path.unlink()
    assert len(image_folder.read(split).table) == 5


def test_class_folders_without_any_image_stop(tmp_path):
    for name in ("benign", "malignant"):
        (tmp_path / "data" / name).mkdir(parents=True)
    assert "data: no image in any class folder; the folder holds one folder of images" in refusal(tmp_path / "data")


@pytest.mark.parametrize("key", ["file", "image_id"])
@pytest.mark.parametrize(
    "names",
    [
        ["benign/a.jpg", "benign/b.PNG", "malignant/c.tif"],
        ["./benign/a.jpg", "benign\\b.PNG", "c.tif"],
        ["a", "b.PNG", "c"],
    ],
)
def test_a_csv_file_names_images_by_path_name_or_stem(flat, key, names):
    describe(flat, {key: names, "group": ["01", "01", None], "age": ["40", "", "52,5"], "clinic": ["Bern", "Ulm", ""]})
    listing = image_folder.read(flat)
    table = listing.table
    assert list(table.columns) == ["image_id", "path", "label", "group", "age", "clinic"]
    assert table["group"].tolist() == ["01", "01", "malignant/c.tif", "malignant/deep/er/d.jpeg"]
    assert table["clinic"].isna().tolist() == [False, False, True, True]
    counts = found(listing.findings)
    assert counts["images without a row in facts.csv"] == 1
    assert counts["rows of facts.csv without an image"] == 0


def test_columns_of_numbers_become_numbers(flat):
    describe(flat, {"file": ["a", "b"], "age": ["40", ""], "code": ["7", "x"]}, sep=";")
    listing = image_folder.read(flat)
    assert listing.table["age"].dtype == float and listing.table["age"].iloc[0] == 40
    assert listing.table["code"].tolist()[:2] == ["7", "x"]
    assert found(listing.findings)["separator or encoding of facts.csv"] == "semicolon"


def test_rows_naming_no_image_are_counted(flat):
    describe(flat, {"file": ["a", "benign/gone.jpg"], "group": ["1", "2"]})
    listing = image_folder.read(flat)
    assert len(listing.table) == 4
    assert listing.table["group"].iloc[0] == "1"
    assert found(listing.findings)["rows of facts.csv without an image"] == 1
    assert found(listing.findings)["images without a row in facts.csv"] == 3


def test_rows_naming_no_image_at_all_stop(flat):
    describe(flat, {"file": ["x.jpg", "y.jpg"], "group": ["1", "2"]})
    assert (
        "data/facts.csv: no row names an image, the first file is 'x.jpg'; give the path inside the folder, such as "
        "benign/a.jpg."
    ) in refusal(flat)


def test_a_name_of_two_images_stops_where_the_path_does_not(flat):
    picture(flat / "malignant" / "a.jpg")
    describe(flat, {"file": ["a.jpg"], "group": ["1"]})
    assert "data/facts.csv: 'a.jpg' names more than one image; give the path inside the folder" in refusal(flat)
    describe(flat, {"file": ["malignant/a.jpg"], "group": ["1"]})
    assert image_folder.read(flat).table.set_index("image_id")["group"]["malignant/a.jpg"] == "1"


@pytest.mark.parametrize("names", [["a.jpg", "a.jpg"], ["a", "benign/a.jpg"]])
def test_an_image_named_by_two_rows_stops(flat, names):
    describe(flat, {"file": names, "group": ["1", "2"]})
    message = refusal(flat)
    assert "file 'a.jpg' stands twice" in message or "two rows for the image benign/a.jpg; keep one" in message


def test_a_csv_file_without_names_of_images_stops(flat):
    describe(flat, {"filename": ["a"], "group": ["1"]})
    assert "data/facts.csv: column 'file' is missing (did you mean 'filename'? then rename it)" in refusal(flat)


@pytest.mark.parametrize("column", ["label", "split", "given_split", "path", "image_id"])
def test_columns_that_contradict_the_folders_stop(flat, column):
    describe(flat, {"file": ["a"], column: ["x"]})
    assert f"data/facts.csv: the column {column!r} has a meaning of its own here" in refusal(flat)


def test_two_csv_files_stop(flat):
    describe(flat, {"file": ["a"]}, "one.csv")
    describe(flat, {"file": ["a"]}, "two.csv")
    assert "data: more than one CSV file, one.csv and two.csv; keep one." in refusal(flat)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    assert "gone: cannot be read" in refusal(tmp_path / "gone")


def test_the_record_leaves_the_classes_to_the_folders():
    record = image_folder.RECORD
    assert (record.classes, record.counts, record.images, record.kaggle) == ({}, {}, 0, "")
    assert datasets.adapter(record.name) is image_folder
