"""Every fault that a data folder can have, put into each layout that is read from a label file."""

import pandas as pd
import pytest
from tiny_datasets import LAYOUTS, edit, found, picture

from lesionbook.errors import LesionbookError


@pytest.fixture(params=LAYOUTS)
def case(request, tmp_path):
    layout = LAYOUTS[request.param]
    return layout, layout.write(tmp_path / "data")


def refusal(layout, folder):
    with pytest.raises(LesionbookError) as caught:
        layout.adapter.read(folder)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    assert "data" in message, "it says where"
    return message


def first(layout, folder):
    return pd.read_csv(folder / layout.csv, dtype=str)[layout.columns[0]].iloc[0]


def test_a_sound_folder_has_one_row_per_image_sorted_with_its_file(case):
    layout, folder = case
    listing = layout.adapter.read(folder)
    table, record = listing.table, layout.adapter.RECORD
    assert table.columns.tolist() == ["image_id", "path", "label", "group", *(c for c in record.metadata if c in table)]
    assert table["image_id"].is_unique and table["image_id"].is_monotonic_increasing
    assert table.index.tolist() == list(range(len(table)))
    assert all(
        path.is_file() and path.stem == name for path, name in zip(table["path"], table["image_id"], strict=True)
    )
    assert set(table["label"]) == set(record.classes)
    assert table["group"].notna().all()
    assert listing.absent == 0
    assert {count for check, count in found(listing.findings).items()} == {0}


def test_without_its_label_file_it_is_no_data_folder(case):
    layout, folder = case
    if layout.adapter.__name__.endswith("isic2017"):
        for path in folder.glob("*.csv"):
            path.unlink()
        assert "no labelled image; put there the folders train, valid and test" in refusal(layout, folder)
        return
    (folder / layout.csv).unlink()
    assert f"data: {layout.csv} is missing; a folder of {layout.adapter.RECORD.title} holds " in refusal(layout, folder)


def test_an_empty_folder_is_none(case, tmp_path):
    layout, _ = case
    (tmp_path / "data-none").mkdir()
    assert layout.adapter.RECORD.layout in refusal(layout, tmp_path / "data-none")


def test_each_column_that_is_missing_is_named(case):
    layout, folder = case
    whole = (folder / layout.csv).read_bytes()
    for column in layout.columns:
        edit(folder / layout.csv, lambda frame, column=column: frame.drop(columns=column))
        assert f"{layout.csv}: column {column!r} is missing" in refusal(layout, folder)
        (folder / layout.csv).write_bytes(whole)


def test_a_renamed_column_is_guessed(case):
    layout, folder = case
    column = layout.columns[0]
    edit(folder / layout.csv, lambda frame: frame.rename(columns={column: f"{column.upper()}s"}))
    expected = f"column {column!r} is missing (did you mean '{column.upper()}s'? then rename it); expected "
    assert expected in refusal(layout, folder)


@pytest.mark.parametrize(
    ("separator", "encoding", "said"),
    [
        (";", "utf-8", "semicolon"),
        ("\t", "utf-8", "tab"),
        (",", "utf-8-sig", "UTF-8 with byte-order mark"),
        (";", "utf-16", "semicolon, UTF-16"),
        ("\t", "utf-16-le", "tab, UTF-16"),
        (",", "cp1252", "Windows-1252"),
    ],
)
def test_other_separators_and_encodings_are_read_and_told(case, separator, encoding, said):
    layout, folder = case
    before = layout.adapter.read(folder).table
    path = folder / layout.csv
    frame = pd.read_csv(path, dtype=str).assign(remark="Größe")
    path.write_text(frame.to_csv(index=False, sep=separator), encoding=encoding)
    listing = layout.adapter.read(folder)
    pd.testing.assert_frame_equal(listing.table, before)
    assert found(listing.findings)[f"separator or encoding of {layout.csv}"] == said


def test_a_file_without_rows_is_refused(case):
    layout, folder = case
    edit(folder / layout.csv, lambda frame: frame.head(0))
    assert f"{layout.csv}: no rows; put the complete file there." in refusal(layout, folder)
    (folder / layout.csv).write_bytes(b"")
    assert f"{layout.csv}: no rows" in refusal(layout, folder)


def test_an_id_that_stands_twice_is_named(case):
    layout, folder = case
    name = first(layout, folder)
    edit(folder / layout.csv, lambda frame: pd.concat([frame, frame.head(1)]))
    assert f"{layout.csv}: {layout.columns[0]} {name!r} stands twice; keep one row" in refusal(layout, folder)


def test_a_row_without_an_id_is_named(case):
    layout, folder = case
    edit(folder / layout.csv, lambda frame: frame.assign(**{layout.columns[0]: [None, *frame[layout.columns[0]][1:]]}))
    assert f"{layout.csv}: {layout.columns[0]} is empty in row 1; fill it in" in refusal(layout, folder)


@pytest.mark.parametrize("label", ["9", None])
def test_an_unknown_class_is_named(case, label):
    layout, folder = case
    column = layout.columns[1]
    edit(folder / layout.csv, lambda frame: frame.assign(**{column: [label, *frame[column][1:]]}))
    message = refusal(layout, folder)
    assert layout.csv in message and "correct the row" in message
    if column in ("dx", "label"):
        assert f"{column} {label or ''!r} is none of " in message
    else:
        assert f"the row of {first(layout, folder)} does not mark one class" in message


def test_a_class_without_any_image_stops(case):
    layout, folder = case
    table = layout.adapter.read(folder).table
    gone = table["label"].iloc[0]
    for path in table.loc[table["label"] == gone, "path"]:
        path.unlink()
    assert f"data: no image of class {gone}; complete the folder" in refusal(layout, folder)


def test_an_image_without_a_label_is_left_out_and_counted(case):
    layout, folder = case
    before = layout.adapter.read(folder).table
    picture(before["path"].iloc[0].with_stem("stranger"))
    listing = layout.adapter.read(folder)
    pd.testing.assert_frame_equal(listing.table, before)
    assert found(listing.findings)["images without a label"] == 1


def test_a_label_without_an_image_keeps_its_row_and_is_counted(case):
    layout, folder = case
    before = layout.adapter.read(folder).table
    name = first(layout, folder)
    layout.image(folder, name).unlink()
    listing = layout.adapter.read(folder)
    pd.testing.assert_frame_equal(listing.table.drop(columns="path"), before.drop(columns="path"))
    gone = listing.table.set_index("image_id").loc[name, "path"]
    assert gone.stem == name and not gone.exists() and gone.suffix == before["path"].iloc[0].suffix
    assert gone.parent in {path.parent for path in before["path"]}
    assert (listing.absent, found(listing.findings)["labels without an image"]) == (1, 1)


def test_no_image_at_all_stops(case):
    layout, folder = case
    rows = layout.adapter.read(folder).table
    for path in rows["path"]:
        path.unlink()
    message = refusal(layout, folder)
    assert f"data: no image for any of the {len(rows)} rows, the first {first(layout, folder)}." in message
    assert layout.adapter.RECORD.layout in message


def test_an_image_in_two_files_stops(case):
    layout, folder = case
    path = layout.image(folder, first(layout, folder))
    picture(path.parent / "again" / path.name)
    assert f"two files for the image {path.stem}; keep " in refusal(layout, folder)


def test_the_file_of_labels_in_two_folders_stops(case):
    layout, folder = case
    (folder / "copy").mkdir()
    (folder / "copy" / layout.csv).write_bytes((folder / layout.csv).read_bytes())
    assert f"{layout.csv} stands in 2 folders; keep one of " in refusal(layout, folder)


def test_hidden_files_and_folders_are_ignored(case):
    layout, folder = case
    before = layout.adapter.read(folder)
    path = before.table["path"].iloc[0]
    path.with_name(f"._{path.name}").write_bytes(b"left by an unpacking program")
    picture(folder / ".trash" / path.parent.name / path.name)
    after = layout.adapter.read(folder)
    assert after.findings == before.findings
    assert after.table.equals(before.table)


def test_a_row_longer_than_the_header_is_named(case):
    layout, folder = case
    path = folder / layout.csv
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:2], lines[2] + ",more,and more", *lines[3:]]))
    assert f"{layout.csv}: not a sound CSV file" in refusal(layout, folder)
    path.write_text("\n".join([lines[0], *(line + ",more" for line in lines[1:])]))
    assert f"{layout.csv}: not a sound CSV file" in refusal(layout, folder)


def test_empty_rows_at_the_end_are_left_out(case):
    layout, folder = case
    before = layout.adapter.read(folder).table
    path = folder / layout.csv
    path.write_text(path.read_text() + "," * path.read_text().splitlines()[0].count(",") + "\n\n")
    assert layout.adapter.read(folder).table.equals(before)


def test_what_is_no_text_is_refused(case):
    layout, folder = case
    (folder / layout.csv).write_bytes(b"image,\x81\xff\xfe\x9d")
    assert f"{layout.csv}: not text in UTF-8, UTF-16 or Windows-1252; save it" in refusal(layout, folder)


def test_a_folder_that_is_not_there_is_named(case, tmp_path):
    layout, _ = case
    assert "data-gone: cannot be read" in refusal(layout, tmp_path / "data-gone")
