import numpy as np
import pandas as pd
import pytest

from lesionbook import exploration

TABLE = pd.DataFrame(
    {
        "image_id": [f"i{number}" for number in range(8)],
        "path": "somewhere",
        "label": ["nv", "nv", "nv", "nv", "nv", "mel", "mel", "mel"],
        "group": ["a", "a", "b", "c", "c", "d", "d", "d"],
        "age": [10.0, 20.0, 30.0, np.nan, 40.0, 50.0, np.nan, np.nan],
        "sex": ["male", None, "unknown", "male", "male", "male", "male", "male"],
    }
)


def test_counts_of_a_table():
    found = exploration.describe(TABLE, ["df", "mel", "nv"])
    assert found["rows"] == 8
    assert found["missing"] == {"image_id": 0, "label": 0, "group": 0, "age": 3, "sex": 1}
    assert found["class_counts"] == {"df": 0, "mel": 3, "nv": 5}
    assert list(found["class_counts"]) == ["df", "mel", "nv"]
    assert found["class_percent"] == {"df": 0, "mel": 37.5, "nv": 62.5}
    assert found["age_describe"] == {
        "count": 5,
        "mean": 30,
        "std": pytest.approx(250**0.5),  # squared deviations 400 + 100 + 0 + 100 + 400 over n - 1 = 4
        "min": 10,
        "q25": 20,
        "q50": 30,
        "q75": 40,
        "max": 50,
    }
    assert "age_describe" not in exploration.describe(TABLE.drop(columns="age"), ["mel", "nv"])


def test_chosen_images_are_of_different_groups_as_far_as_there_are():
    for seed in range(20):
        chosen = exploration.choose(TABLE, 3, seed=seed)
        assert chosen["label"].tolist() == ["mel"] * 3 + ["nv"] * 3
        assert sorted(chosen["group"].iloc[3:]) == ["a", "b", "c"]
        assert sorted(chosen["image_id"].iloc[:3]) == ["i5", "i6", "i7"], "one lesion only, so all its images"
        assert chosen.sort_values(["label", "image_id"], ignore_index=True).equals(chosen)
    assert len(exploration.choose(TABLE, 99, seed=0)) == len(TABLE)


def test_the_choice_follows_its_seed():
    picks = {tuple(exploration.choose(TABLE, 1, seed=seed)["image_id"]) for seed in range(20)}
    assert len(picks) > 5
    assert exploration.choose(TABLE, 1, seed=3).equals(exploration.choose(TABLE, 1, seed=3))


def test_images_are_parted_by_class_in_the_order_of_the_classes():
    pixels = np.arange(4)
    parted = exploration.by_class(pixels, pd.Series(["b", "a", "b", "c"], index=[4, 5, 6, 7]), ["c", "x", "b"])
    assert list(parted) == ["c", "b"]
    assert parted["b"].tolist() == [0, 2]
    assert parted["c"].tolist() == [3]


def test_brightness_of_known_values():
    measured = pd.DataFrame({"label": list("babaab"), "brightness": [10.0, 100.0, 20.0, 104.0, np.nan, 60.0]})
    found = exploration.brightness_summary(measured)
    assert list(found) == ["n", "mean", "variance", "min", "max"]
    assert found.loc["a"].tolist() == [2, 102, 4, 100, 104]
    # squared deviations 400 + 100 + 900 over n = 3, as numpy.var does
    assert found.loc["b"].tolist() == pytest.approx([3, 30, 1400 / 3, 10, 60])
    assert found.loc["b", "variance"] == pytest.approx(np.var([10.0, 20.0, 60.0]))


def test_sizes_of_known_values():
    measured = pd.DataFrame({"width": [600, 600, 6700, 540, np.nan, 722], "height": [450, 450, 4500, 722, np.nan, 540]})
    assert exploration.size_summary(measured).to_numpy().tolist() == [
        ["different sizes", "4"],
        ["most common size", "600 × 450 pixels (2 of 5)"],
        ["smallest size", "600 × 450 pixels (2 of 5)"],
        ["largest size", "6,700 × 4,500 pixels (1 of 5)"],
        ["width by height", "0.75 to 1.49"],
    ]


def test_one_size_only():
    found = exploration.size_summary(pd.DataFrame({"width": [96] * 3, "height": [96] * 3}))
    assert found["value"].tolist() == ["1", *["96 × 96 pixels (3 of 3)"] * 3, "1.00"]


def test_missing_values_are_counted_under_the_names_of_the_original_file():
    table = pd.DataFrame({"label": ["a", "b"], "group": ["g", None]})
    counted = exploration.describe(table, ["a", "b"], {"group": "lesion_id"})
    assert counted["missing"] == {"label": 0, "lesion_id": 1}
