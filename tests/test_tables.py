import numpy as np
import pandas as pd
from made_predictions import CLASSES, made

from lesionbook import classwise, metrics, statistics, tables
from lesionbook.recipes import Augmentation

SCORES = pd.DataFrame(
    {"estimate": [0.7126, np.nan, 0.5], "low": [0.65, np.nan, 0.4], "high": [0.7694, np.nan, 0.6]},
    index=["balanced_accuracy", "macro_auc", "macro_f1"],
)


def test_names_are_written_out():
    names = [tables.name(key) for key in ("macro_auc", "val_auc", "f1", "residual-cnn", "expected_calibration_error")]
    assert names == ["macro AUC", "validation AUC", "F1", "residual CNN", "expected calibration error"]


def test_an_estimate_and_its_interval_share_a_cell():
    assert tables.with_interval(SCORES).to_dict() == {
        "balanced_accuracy": "0.713 (0.650–0.769)",
        "macro_auc": "–",
        "macro_f1": "0.500 (0.400–0.600)",
    }
    assert tables.with_interval(SCORES, digits=2)["balanced_accuracy"] == "0.71 (0.65–0.77)"


def test_scores_for_reading():
    table = tables.scores(SCORES)
    assert list(table.columns) == ["score", "estimate (95 % interval)", "better", "it is"]
    assert table["score"].tolist() == ["balanced accuracy", "macro AUC", "macro F1"]
    assert table["estimate (95 % interval)"].tolist() == ["0.713 (0.650–0.769)", "–", "0.500 (0.400–0.600)"]
    assert table.index.tolist() == [0, 1, 2]


def test_every_score_is_explained():
    assert set(tables.MEANINGS) == set(metrics.scores(made()).index)
    losses = {key for key, (better, _) in tables.MEANINGS.items() if better == "↓"}
    assert losses == {"log_loss", "brier", "expected_calibration_error"}


def test_scores_of_models_stand_side_by_side():
    texts = pd.DataFrame({"a": ["0.7"], "b": ["0.8"]}, index=["accuracy"]).rename_axis(columns="model")
    assert tables.explained(texts).to_numpy().tolist() == [["accuracy", "0.7", "0.8", "↑", "share of right answers"]]


def test_scores_of_real_predictions_fit():
    scored = statistics.bootstrap_scores(made(n=60), repeats=100, seed=1)
    table = tables.scores(scored)
    assert len(table) == len(scored)
    accuracy = table.set_index("score").loc["accuracy", "estimate (95 % interval)"]
    assert accuracy.startswith(f"{metrics.scores(made(n=60))['accuracy']:.3f} (")


def test_per_class_holds_counts_and_intervals_of_the_same_class():
    frame = made()
    recalls = classwise.intervals(frame, repeats=100, seed=1)
    table = tables.per_class(metrics.per_class(frame), recalls.sample(frac=1, random_state=1), {"nv": "Nevi"}, "lesion")
    assert table["class"].tolist() == ["akiec", "bcc", "Nevi"] and len(table) == len(CLASSES)
    assert table["images"].tolist() == frame["label"].value_counts().reindex(CLASSES).tolist()
    assert table["lesions"].tolist() == frame.groupby("label")["group"].nunique().reindex(CLASSES).tolist()
    recall = metrics.per_class(frame)["recall"]
    alone = classwise.intervals(frame.assign(group=frame["image_id"]), repeats=100, seed=1)
    assert "patients" not in tables.per_class(metrics.per_class(frame), alone, {}, "patient")
    assert [text.split(" ")[0] for text in table["recall (95 %)"]] == [f"{value:.2f}" for value in recall]


def test_differences_are_judged_by_their_interval():
    frame = pd.DataFrame(
        [
            ("cnn", "colours", "macro_auc", 0.1, 0.05, 0.15),
            ("cnn", "colours", "accuracy", -0.1, -0.15, -0.05),
            ("cnn", "colours", "balanced_accuracy", 0.02, -0.01, 0.05),
            ("cnn", "colours", "accuracy", 0.02, 0.0, 0.05),
        ],
        columns=["model", "reference", "score", "difference", "low", "high"],
    )
    assert tables.differences(frame).replace("\u00a0", " ", regex=True).to_numpy().tolist() == [
        ["cnn", "colours", "macro AUC", "+0.100 (+0.050 to +0.150)", "better"],
        ["cnn", "colours", "accuracy", "−0.100 (−0.150 to −0.050)", "worse"],
        ["cnn", "colours", "balanced accuracy", "+0.020 (−0.010 to +0.050)", "not told apart"],
        ["cnn", "colours", "accuracy", "+0.020 (0.000 to +0.050)", "not told apart"],
    ]


def test_settings_are_listed_in_words():
    values = {
        "monitor": "val_auc",
        "learning_rate": 1e-05,
        "augmentation": {"zoom": 0.2, "shear": 0.0, "horizontal_flip": True},
    }
    assert tables.settings(values).to_numpy().tolist() == [
        ["monitor", "validation AUC"],
        ["learning rate", "1e-05"],
        ["augmentation: zoom", "0.2"],
        ["augmentation: horizontal flip", "yes"],
    ]


def test_images_are_counted_with_their_groups_where_there_are_any():
    frame = pd.DataFrame({"group": ["a", "a", "b"]})
    assert tables.counted(frame, "lesion") == "3 images of 2 lesions"
    assert tables.counted(frame.iloc[1:], "lesion") == "2 images"


def test_near_duplicates_fit_a_page():
    listing = pd.DataFrame(
        {
            "first_image_id": ["i1", "i2"],
            "second_image_id": ["i3", "i4"],
            "first_label": ["nv", "nv"],
            "second_label": ["nv", "mel"],
            "first_group": ["g1", "g2"],
            "second_group": ["g1", "g4"],
            "bits": [0, 7],
            "view": ["as it is", "mirrored left to right"],
            "correlation": [1.0, 0.9],
        }
    )
    table = tables.near_duplicates(listing)
    assert table["class"].tolist() == ["nv", "nv / mel"]
    assert table["same group"].tolist() == ["yes", "no"]
    assert table.loc[1, ["first", "second", "bits"]].tolist() == ["i2", "i4", 7]


def test_signed_numbers_have_no_sign_at_zero_and_a_true_minus():
    assert [tables.signed(value) for value in (0.1234, -0.1236, -0.0001, 0.0)] == ["+0.123", "−0.124", "0.000", "0.000"]
    assert tables.signed_interval(0.1, -0.05, 0.25, 2) == "+0.10\u00a0(−0.05\u00a0to\u00a0+0.25)"


def test_an_estimate_without_ends():
    frame = pd.DataFrame({"estimate": [1.0], "low": [np.nan], "high": [np.nan]})
    assert tables.with_interval(frame).tolist() == ["1.000 (–)"]


def test_what_varies_by_itself():
    frame = pd.DataFrame({"group": ["a", "a", "b"]})
    assert tables.units(frame, "lesion") == "whole lesions"
    assert tables.units(frame.iloc[1:], "lesion") == "images"


def test_p_values_end_at_a_thousandth_and_what_is_missing_is_a_dash():
    assert [tables.p_value(value) for value in (0.0004, 0.001, 0.5, float("nan"))] == ["<0.001", "0.001", "0.500", "–"]
    assert tables.signed(float("nan")) == "–"


def test_lists_are_written_without_brackets():
    values = {"columns": ["age", "sex"], "plan": ((64, 1, 3), (128, 2, 4)), "models": (), "dropout": 0.5}
    found = tables.settings(values).set_index("knob")["value"].to_dict()
    assert found == {"columns": "age, sex", "plan": "(64, 1, 3), (128, 2, 4)", "models": "", "dropout": "0.5"}


def test_a_count_agrees_with_its_noun():
    assert [tables.number(count, "pair") for count in (0, 1, 1234)] == ["0 pairs", "1 pair", "1,234 pairs"]


def test_an_augmentation_is_told_without_what_it_leaves_alone():
    told = tables.variation(Augmentation(rotation_degrees=45, zoom=0.2, vertical_flip=True).model_dump())
    assert told == "rotation up to 45°, zoom up to 0.2, mirrored top to bottom half of the time"
    assert tables.variation(Augmentation().model_dump()) == "nothing is changed"
