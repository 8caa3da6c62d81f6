import numpy as np
import pandas as pd
import pytest

from lesionbook import selection
from lesionbook.errors import LesionbookError
from lesionbook.study import Class, Selection, Split

LABELS = ["melanoma", "nevus", "keratosis"]
CLASSES = {"other": Class(name="Other", labels=("nevus", "keratosis")), "melanoma": Class(name="Melanoma")}


def table(melanoma=10, nevus=30, keratosis=20):
    labels = np.repeat(LABELS, [melanoma, nevus, keratosis])
    ids = [f"i{k:03d}" for k in range(len(labels))]
    return pd.DataFrame({"image_id": ids, "label": labels, "group": ids})


def test_labels_are_put_together_to_classes_and_stay_known():
    formed = selection.reformulate(table(), CLASSES, LABELS)
    assert formed["label"].value_counts().to_dict() == {"other": 50, "melanoma": 10}
    assert pd.crosstab(formed["diagnosis"], formed["label"]).loc["keratosis"].to_dict() == {"melanoma": 0, "other": 20}


def test_a_label_of_no_class_is_left_out_where_the_data_set_has_fixed_labels():
    formed = selection.reformulate(
        table(), {"a": Class(name="A", labels=("melanoma",)), "nevus": Class(name="N")}, LABELS
    )
    assert len(formed) == 40
    assert formed["image_id"].is_unique
    assert formed.index.tolist() == list(range(40))


def test_without_classes_of_its_own_a_study_keeps_the_labels():
    assert selection.reformulate(table(), None, LABELS).equals(table())


@pytest.mark.parametrize(
    ("classes", "labels", "message"),
    [
        (
            {"a": Class(name="A", labels=("nevus",)), "nevus": Class(name="N")},
            LABELS,
            "'nevus' stands under a and nevus",
        ),
        (
            {"mole": Class(name="M"), "nevus": Class(name="N")},
            LABELS,
            "no label 'mole'; it has melanoma, nevus, keratosis",
        ),
        ({"nevus": Class(name="N"), "melanoma": Class(name="M")}, [], "folder 'keratosis' is of no class"),
    ],
)
def test_classes_that_do_not_fit_are_refused(classes, labels, message):
    with pytest.raises(LesionbookError, match=message):
        selection.reformulate(table(), classes, labels)


def test_a_class_without_images_is_refused():
    with pytest.raises(LesionbookError, match="class 'melanoma' has no image"):
        selection.reformulate(table(melanoma=0), CLASSES, LABELS)


def test_everything_is_chosen_where_nothing_is_said():
    assert selection.choose(table(), Selection(), seed=1).equals(table())


def test_a_number_in_all_keeps_the_class_shares():
    chosen = selection.choose(table(), Selection(images=30), seed=1)
    assert chosen["label"].value_counts().to_dict() == {"nevus": 15, "keratosis": 10, "melanoma": 5}
    assert chosen["image_id"].is_monotonic_increasing


def test_numbers_per_class_are_drawn_by_the_seed():
    wanted = Selection(images={"melanoma": 10, "nevus": 7})
    first, again, other = (selection.choose(table(), wanted, seed=seed) for seed in (1, 1, 2))
    assert first["label"].value_counts().to_dict() == {"melanoma": 10, "nevus": 7}
    assert first.equals(again)
    assert not first.equals(other)


def test_the_first_of_the_label_file_are_taken_in_its_order():
    shuffled = table().assign(file_order=np.arange(60)[::-1])
    chosen = selection.choose(shuffled, Selection(first=25, images={"keratosis": 3, "nevus": 2}, order="file"), seed=1)
    # The last rows of the table stand first in the file: keratoses 059 … 040, then nevi from 039 on.
    assert chosen["image_id"].tolist() == ["i038", "i039", "i057", "i058", "i059"]


@pytest.mark.parametrize("images", [61, {"melanoma": 11}])
def test_more_than_there_are_is_refused(images):
    with pytest.raises(LesionbookError, match="are asked for, but there are"):
        selection.choose(table(), Selection(images=images), seed=1)


def test_each_way_of_splitting_is_taken():
    rows = table(melanoma=30)
    units = np.arange(len(rows))
    by_share = selection.sides(rows, units, Split(train=0.6, validation=0.2, test=0.2), seed=1)
    assert pd.Series(by_share).value_counts().to_dict() == {"train": 48, "val": 16, "test": 16}
    by_count = selection.sides(rows, units, Split(validation_per_class=5, test_per_class=4), seed=1)
    assert pd.crosstab(rows["label"], by_count)[["val", "test"]].to_numpy().tolist() == [[5, 4]] * 3
    given = rows.assign(given_split="train")
    assert set(selection.sides(given, units, Split(given=True), seed=1)) == {"train"}


def test_a_given_split_must_exist():
    with pytest.raises(LesionbookError, match="no folders train, valid and test"):
        selection.sides(table(), np.arange(60), Split(given=True), seed=1)


def test_the_flow_counts_what_is_left_and_classes_once_they_exist():
    formed = selection.reformulate(table(), CLASSES, LABELS)
    flow = selection.flow({"folder": table(), "classes": formed, "half": formed.iloc[::2]}, ["other", "melanoma"])
    assert flow["images"].tolist() == [60, 60, 30]
    assert flow["melanoma"].isna().tolist() == [True, False, False]
    assert flow.loc[1, ["other", "melanoma"]].tolist() == [50, 10]
