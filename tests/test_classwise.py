import numpy as np
import pytest
from made_predictions import certain, made

from lesionbook import classwise, metrics, statistics

pytestmark = pytest.mark.filterwarnings("error")
EVERY = ["precision", "recall", "specificity", "f1", "auc", "average_precision"]


def test_recalls_by_class():
    frame = made()
    table = classwise.intervals(frame, repeats=200, seed=1)
    assert table["score"].tolist() == ["recall"] * 3 + ["auc"] * 3
    per_class = metrics.per_class(frame)
    assert table["estimate"].tolist() == pytest.approx([*per_class["recall"], *per_class["auc"]])
    assert table["n_images"].tolist() == [*per_class["support"]] * 2
    assert (table["low"] < table["estimate"]).all()
    assert (table["estimate"] < table["high"]).all()
    assert (table["n_images"] == 2 * table["n_groups"]).all()


def test_recall_of_one_or_zero_is_not_certain():
    table = classwise.intervals(certain([[20, 0], [29, 0]], ["a", "b"]), repeats=50, seed=0)
    ends = table[table["score"] == "recall"].set_index("class")[["low", "high"]]
    assert ends.loc["a"].tolist() == pytest.approx([1 - 0.1611, 1.0], abs=5e-5)
    assert ends.loc["b"].tolist() == pytest.approx([0.0, statistics.wilson(0, 29).high])
    # A model that answers nothing but "a" has one threshold, and its area is 0.5 on every resample.
    area = table[table["score"] == "auc"].set_index("class")
    assert area["estimate"].tolist() == [0.5, 0.5]
    assert area[["low", "high"]].isna().all(axis=None)


def test_recall_of_an_absent_class_is_undefined():
    table = classwise.intervals(made().assign(p_zzz=0.0), repeats=20, seed=0)
    assert table.loc[table["class"] == "zzz", ["estimate", "low", "high"]].isna().all(axis=None)
    assert table.loc[table["class"] == "zzz", ["n_images", "n_groups"]].to_numpy().tolist() == [[0, 0]] * 2


def test_every_score_holds_its_estimate():
    frame = made()
    table = classwise.intervals(frame, scores=EVERY, repeats=200, seed=1)
    per_class = metrics.per_class(frame)
    for score in EVERY:
        part = table[table["score"] == score].set_index("class")
        assert part["estimate"].tolist() == pytest.approx(per_class[score].tolist())
        assert (part["low"] < part["estimate"]).all()
        assert (part["estimate"] < part["high"]).all()


def test_shares_count_what_they_divide_by():
    frame = certain([[30, 10], [5, 55]], ["a", "b"])
    table = classwise.intervals(frame, scores=["precision", "specificity", "f1"], repeats=20, seed=1)
    sizes = table.set_index(["score", "class"])["n_images"]
    assert sizes.to_dict() == {
        ("precision", "a"): 35,
        ("precision", "b"): 65,
        ("specificity", "a"): 60,
        ("specificity", "b"): 40,
        ("f1", "a"): 40,
        ("f1", "b"): 60,
    }


def test_independent_images_give_the_binomial_interval():
    table = classwise.intervals(certain([[320, 80], [80, 320]], ["a", "b"]), scores=EVERY, repeats=2000, seed=0)
    reach = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    for score in ["precision", "recall", "specificity"]:
        row = table[(table["score"] == score) & (table["class"] == "a")].iloc[0]
        assert (row["low"], row["high"]) == pytest.approx((0.8 - reach, 0.8 + reach), abs=0.006)


def test_a_class_that_is_never_answered_has_no_precision():
    table = classwise.intervals(certain([[20, 0], [29, 0]], ["a", "b"]), scores=["precision"], repeats=50, seed=0)
    assert table.set_index("class").loc["b", ["estimate", "low", "high"]].isna().all()
