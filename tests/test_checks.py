import pandas as pd
import pytest

from lesionbook import checks
from lesionbook.errors import LesionbookError

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
    }
)


def test_duplicates_finds_twins_across_names():
    twins = checks.duplicates(FILES)
    assert list(twins.columns) == ["set", "image_id", "label", "group"]
    assert twins["image_id"].tolist() == ["i2", "i5", "i3", "i4"]
    assert twins.groupby("set")["image_id"].agg(list).to_dict() == {1: ["i2", "i5"], 2: ["i3", "i4"]}
    assert twins.set_index("image_id")["group"].to_dict() == {"i2": "g2", "i5": "g5", "i3": "g3", "i4": "g3"}


def test_duplicates_does_not_depend_on_the_order_of_the_files():
    assert checks.duplicates(FILES.iloc[::-1]).equals(checks.duplicates(FILES))


def test_summary_counts_each_finding():
    found = checks.summary(FILES).set_index("check")["found"].to_dict()
    assert found == {
        "files that decode to the last pixel": 6,
        "image size most common": "600 × 450",
        "images of another size": 1,
        "images not stored as RGB": 1,
        "images whose pixels stand twice": 4,
        "identical pictures under two groups": 1,
        "identical pictures under two labels": 0,
    }
    relabelled = FILES.assign(label=["nv", "nv", "nv", "nv", "mel", "nv"])
    assert checks.summary(relabelled).set_index("check")["found"]["identical pictures under two labels"] == 1


def test_summary_of_files_without_any_finding():
    found = checks.summary(FILES.assign(content=list("abcdef"), mode="RGB").iloc[:5]).set_index("check")["found"]
    assert found.iloc[2:].tolist() == [0, 0, 0, 0, 0]
    assert checks.duplicates(FILES.assign(content=list("abcdef"))).empty


def test_the_gate_lets_a_clean_split_pass():
    checks.leakage_gate(INDEX, CONTENT)
    checks.leakage_gate(INDEX, pd.Series(["a", "a", "c", "d", "d"]))  # twins on one side


def test_the_gate_stops_a_group_on_two_sides():
    leaky = INDEX.assign(group=["g1", "g1", "g2", "g1", "g4"])
    with pytest.raises(LesionbookError, match=r"^leakage: 1 group\(s\) .* image i1 on test and train; split by "):
        checks.leakage_gate(leaky, CONTENT)


def test_the_gate_stops_an_identical_picture_under_two_groups():
    with pytest.raises(LesionbookError, match=r"^leakage: 1 identical picture\(s\) .* image i3 on test and val; "):
        checks.leakage_gate(INDEX, pd.Series(["a", "b", "c", "c", "e"]))


def test_the_gate_takes_the_content_by_position():
    moved = INDEX.set_axis([2, 0, 1, 3, 4])
    checks.leakage_gate(moved, pd.Series(["a", "a", "c", "d", "e"]))  # by index these twins would stand on two sides
