import numpy as np
import pandas as pd
import pytest
from made_predictions import made

from lesionbook import delong, metrics, operating, subgroups

pytestmark = pytest.mark.filterwarnings("error")


def index_of(frame, **columns):
    return frame[["image_id", "group", "label", "split"]].assign(**columns).sample(frac=1, random_state=0)


def test_attributes_in_words():
    index = pd.DataFrame(
        {
            "age": [29.9, 30.0, 75.0, np.nan],
            "sex": ["male", "unknown", None, "female"],
            "dx_type": ["histo", "follow_up", "consensus", "confocal"],
            "localization": [None] * 4,
            "diagnosis": list("abcd"),
        }
    )
    table = subgroups.attributes(index)
    assert table.to_dict("list") == {
        "age": ["under 30", "30–44", "75 and over", "not recorded"],
        "sex": ["male", "not recorded", "not recorded", "female"],
        "diagnosis by": ["histopathology", "follow-up", "expert consensus", "confocal microscopy"],
    }


def test_each_subgroup_has_the_scores_of_its_images():
    frame = made()
    sex = pd.Series(np.where(np.arange(240) % 3 == 0, "male", "female"))
    table = subgroups.scores(frame, index_of(frame, sex=sex), "nv", repeats=50, seed=0)
    assert table["attribute"].tolist() == ["all"] * 2 + ["sex"] * 4
    assert table["value"].tolist()[2:] == ["female"] * 2 + ["male"] * 2
    part = frame[(sex == "male").to_numpy()]
    rows = table[table["value"] == "male"].set_index("score")
    assert rows.loc["balanced_accuracy", "estimate"] == pytest.approx(metrics.scores(part)["balanced_accuracy"])
    truth, score = operating.sides(part, "nv")
    assert rows.loc["auc", "estimate"] == pytest.approx(delong.areas(truth, score).estimates[0])
    assert rows["n_images"].tolist() == [80, 80]
    assert rows["n_groups"].tolist() == [part["group"].nunique()] * 2
    assert rows["n_positive"].tolist() == [truth.sum()] * 2
    assert (table["low"] < table["estimate"]).all() and (table["estimate"] < table["high"]).all()


def test_small_subgroups_are_counted_but_not_scored():
    frame = made()
    kinds = np.array(["common"] * 240, dtype=object)
    kinds[:8] = "few"
    kinds[frame.index[frame["label"] == "nv"][20:40]] = "alike"
    table = subgroups.scores(frame, index_of(frame, localization=kinds), "nv", repeats=20, seed=0)
    unscored = table[table["estimate"].isna()]
    assert set(zip(unscored["value"], unscored["score"], strict=True)) == {
        ("few", "balanced_accuracy"),
        ("few", "auc"),
        ("alike", "balanced_accuracy"),
        ("alike", "auc"),
    }
    assert table[table["value"] == "few"]["n_images"].tolist() == [8, 8]


def test_a_data_set_without_metadata_has_no_subgroups():
    frame = made()
    table = subgroups.scores(frame, index_of(frame), "nv", repeats=20, seed=0)
    assert table["attribute"].tolist() == ["all", "all"]


def test_bands_in_order_and_what_is_missing_last():
    frame = made()
    age = np.r_[np.full(100, 80.0), np.full(80, 20.0), np.full(60, np.nan)]
    table = subgroups.scores(frame, index_of(frame, age=age), "nv", repeats=20, seed=0)
    assert table["value"].unique().tolist() == ["all images", "under 30", "75 and over", "not recorded"]
