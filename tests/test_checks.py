from pathlib import Path

import pandas as pd
import pytest

from lesionbook import checks
from lesionbook.errors import LesionbookError
from lesionbook.findings import Finding

INDEX = pd.DataFrame(
    {
        "image_id": ["i1", "i2", "i3", "i4", "i5"],
        "group": ["g1", "g1", "g2", "g3", "g4"],
        "split": ["train", "train", "val", "test", "test"],
    }
)
CONTENT = pd.Series(["a", "b", "c", "d", "e"])
FILES = pd.DataFrame(
    {
        "image_id": ["i5", "i1", "i3", "i2", "i4", "i6"],
        "label": ["nv", "nv", "mel", "nv", "mel", "nv"],
        "group": ["g5", "g1", "g3", "g2", "g3", "g6"],
        "content": ["x", "y", "z", "x", "z", "w"],
        "width": [600, 600, 600, 600, 600, 450],
        "height": [450, 450, 450, 450, 450, 600],
        "mode": ["RGB", "RGB", "RGB", "L", "RGB", "RGB"],
        "format": ["JPEG", "JPEG", "PNG", "JPEG", "JPEG", "JPEG"],
        "rotated": [False, True, False, False, False, False],
        "path": [Path(f"images/{name}.jpg") for name in ("i5", "i1", "i3", "i2", "i4", "i6")],
    }
)
NONE = FILES.iloc[:0].assign(problem="")
NEAR = pd.DataFrame({"first_label": ["nv", "nv", "mel"], "second_label": ["nv", "mel", "mel"]})


def test_duplicates_finds_twins_across_names():
    twins = checks.duplicates(FILES)
    assert list(twins.columns) == ["set", "image_id", "label", "group"]
    assert twins["image_id"].tolist() == ["i2", "i5", "i3", "i4"]
    assert twins.groupby("set")["image_id"].agg(list).to_dict() == {1: ["i2", "i5"], 2: ["i3", "i4"]}
    assert twins.set_index("image_id")["group"].to_dict() == {"i2": "g2", "i5": "g5", "i3": "g3", "i4": "g3"}


def test_duplicates_does_not_depend_on_the_order_of_the_files():
    assert checks.duplicates(FILES.iloc[::-1]).equals(checks.duplicates(FILES))


def found(files, set_aside=NONE, findings=(), near=NEAR):
    return checks.summary(files, set_aside, findings, near).set_index("check")["found"].to_dict()


def test_summary_counts_each_finding():
    assert found(FILES) == {
        "files that decode to their last pixel": 6,
        "files that cannot be used": 0,
        "image size most common": "600 × 450",
        "images of another size": 1,
        "images stored as L": 1,
        "images with an EXIF rotation": 1,
        "files of another format than their ending says": 1,
        "sets of identical pictures": 2,
        "identical pictures under two groups": 1,
        "identical pictures under two labels": 0,
        "pairs of near-duplicates": 3,
        "of these under two labels": 1,
    }
    relabelled = FILES.assign(label=["nv", "nv", "nv", "nv", "mel", "nv"])
    assert found(relabelled)["identical pictures under two labels"] == 1


def test_what_reading_the_folder_came_across_stands_first():
    table = checks.summary(FILES, NONE, [Finding("images without a label", 3, "left out")], NEAR)
    assert table.iloc[0].tolist() == ["images without a label", 3, "left out"]


def test_files_that_were_set_aside_are_counted():
    assert found(FILES.iloc[:4], set_aside=FILES.iloc[4:].assign(problem="broken"))["files that cannot be used"] == 2


def test_endings_of_one_format_and_unknown_ones_are_no_finding():
    names = ("a.JPEG", "b.jpe", "x.h5/3", "c.jpg", "d", "e.jpg")
    files = FILES.assign(format="JPEG", path=[Path(name) for name in names])
    assert found(files)["files of another format than their ending says"] == 0


def test_summary_of_files_without_any_finding():
    sound = FILES.assign(content=list("abcdef"), mode="RGB", format="JPEG", rotated=False).iloc[:5]
    counts = found(sound, near=NEAR.iloc[:0])
    assert [name for name, count in counts.items() if count] == [
        "files that decode to their last pixel",
        "image size most common",
    ]
    assert checks.duplicates(sound).empty


def keys(index=INDEX, content=CONTENT):
    return {"the same lesion": index["group"], "an identical picture": content}


def test_the_gate_lets_a_clean_split_pass():
    checks.leakage_gate(INDEX, keys())
    checks.leakage_gate(INDEX, keys(INDEX, pd.Series(["a", "a", "c", "d", "d"])))  # twins on one side


def test_the_gate_stops_a_group_on_two_sides():
    leaky = INDEX.assign(group=["g1", "g1", "g2", "g1", "g4"])
    with pytest.raises(
        LesionbookError, match=r"^leakage: the same lesion, 1 times on more .* image i1 on test and train; split by "
    ):
        checks.leakage_gate(leaky, keys(leaky))


def test_the_gate_stops_an_identical_picture_under_two_groups():
    with pytest.raises(LesionbookError, match=r"^leakage: an identical picture, 1 times .* image i3 on test and val; "):
        checks.leakage_gate(INDEX, keys(INDEX, pd.Series(["a", "b", "c", "c", "e"])))


def test_the_gate_takes_the_content_by_position():
    moved = INDEX.set_axis([2, 0, 1, 3, 4])
    checks.leakage_gate(
        moved, keys(moved, pd.Series(["a", "a", "c", "d", "e"]))
    )  # by index these twins would stand on two sides


def test_the_gate_leaves_out_what_has_no_key():
    unknown = pd.Series([None, 1.0, None, 2.0, 2.0])
    checks.leakage_gate(INDEX, {"a near-duplicate": unknown})
    with pytest.raises(LesionbookError, match=r"a near-duplicate, 1 times .* image i2 on train and val"):
        checks.leakage_gate(INDEX, {"a near-duplicate": pd.Series([None, 1.0, 1.0, 2.0, 2.0])})


# Networks that start from another study


def sides(rows):
    return pd.DataFrame(rows, columns=["image_id", "content", "split"])


OWN = sides([("a", "1", "train"), ("b", "2", "val"), ("c", "3", "test"), ("d", "4", "test")])


@pytest.mark.parametrize(
    "other",
    [
        [("a", "1", "train")],  # seen there, trained on here as well
        [("c", "3", "test"), ("d", "4", "test")],  # not seen there
        [("x", "9", "train"), ("y", "8", "val")],
    ],
)
def test_weights_may_come_from_what_is_not_judged_by(other):
    checks.unseen_gate(OWN, sides(other), "other/net")


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            [("c", "9", "train")],
            "other/net has been trained on 1 of the 3 validation and test images .*, c for instance",
        ),
        ([("x", "3", "val"), ("b", "7", "train")], "trained on 2 of the 3 .*, b for instance"),
    ],
)
def test_weights_that_know_images_by_id_or_pixels_are_refused(other, said):
    with pytest.raises(LesionbookError, match=said):
        checks.unseen_gate(OWN, sides(other), "other/net")
