import numpy as np
import pandas as pd
import pytest
from made_predictions import CLASSES, made

from lesionbook import metrics, predictions
from lesionbook.errors import LesionbookError

INDEX = pd.DataFrame(
    {
        "age": [50.0, 60.0, np.nan],
        "image_id": ["007", "008", "009"],
        "group": ["01", "01", "02"],
        "split": ["val", "test", "test"],
        "label": ["bcc", "nv", "akiec"],
    },
    index=[5, 3, 4],
)
VALUES = np.array([[0.2, 0.5, 0.3], [0.25, 0.25, 0.5], [0.4, 0.4, 0.2]])


def test_a_table_holds_keys_and_probabilities_in_their_order():
    frame = predictions.table(INDEX, VALUES, CLASSES)
    assert list(frame.columns) == ["image_id", "group", "split", "label", "p_akiec", "p_bcc", "p_nv"]
    assert frame.index.tolist() == [0, 1, 2]
    assert frame["image_id"].tolist() == ["007", "008", "009"]
    assert (frame[["p_akiec", "p_bcc", "p_nv"]].to_numpy() == VALUES).all()
    assert predictions.class_names(frame) == CLASSES
    assert predictions.predicted(frame).tolist() == ["bcc", "nv", "akiec"], "the first class wins a tie"


def test_no_order_of_rows_or_classes_changes_what_is_predicted_and_scored():
    frame = made(n=120)
    rng = np.random.default_rng(4)
    rows, columns = rng.permutation(len(frame)), rng.permutation(len(CLASSES))
    values = predictions.probabilities(frame)
    shuffled = predictions.table(frame.iloc[rows], values[rows], CLASSES)
    reordered = predictions.table(frame, values[:, columns], [CLASSES[column] for column in columns])
    expected = predictions.predicted(frame).set_axis(frame["image_id"])
    for other in (shuffled, reordered):
        by_id = predictions.predicted(other).set_axis(other["image_id"])
        assert by_id.loc[expected.index].tolist() == expected.tolist()
        pd.testing.assert_series_equal(metrics.scores(other), metrics.scores(frame))
        matrix = metrics.confusion_matrix(other).loc[CLASSES, CLASSES]
        assert (matrix.to_numpy() == metrics.confusion_matrix(frame).to_numpy()).all()
    apart = predictions.table(frame, values[rows], CLASSES)
    assert metrics.scores(apart)["accuracy"] < metrics.scores(frame)["accuracy"] - 0.2, "labels in another order show"


@pytest.mark.parametrize("shape", [(2, 3), (3, 2), (4, 3), (3,)])
def test_probabilities_of_another_shape_are_refused(shape):
    with pytest.raises(LesionbookError, match=r"^predictions: 3 images and 3 classes need .* not \("):
        predictions.table(INDEX, np.full(shape, 1 / 3), CLASSES)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.7, -0.2])
def test_what_is_no_distribution_is_refused(wrong):
    values = VALUES.copy()
    values[1, 0] = wrong
    with pytest.raises(LesionbookError, match=r"^predictions: a row of probabilities .* diverged\.$"):
        predictions.table(INDEX, values, CLASSES)


def test_a_negative_probability_is_refused_even_where_the_sum_is_one():
    with pytest.raises(LesionbookError, match="is negative"):
        predictions.table(INDEX, np.array([[1.2, -0.2, 0.0]] * 3), CLASSES)


def test_rounding_of_half_precision_is_let_through():
    predictions.table(INDEX, VALUES + 2e-4, CLASSES)


def test_a_label_that_is_no_class_is_refused():
    with pytest.raises(LesionbookError, match=r"^predictions: label 'nv' is none of the classes akiec, bcc, df\.$"):
        predictions.table(INDEX, VALUES, ["akiec", "bcc", "df"])


def test_a_file_gives_back_what_was_written(tmp_path):
    path = tmp_path / "predictions.csv"
    frame = predictions.table(INDEX, VALUES, CLASSES)
    predictions.write(frame, path)
    pd.testing.assert_frame_equal(predictions.read(path), frame, check_dtype=False)
    assert predictions.read(path)["group"].tolist() == ["01", "01", "02"], "ids are texts, zeros and all"
    assert path.read_bytes().splitlines()[1] == b"007,01,val,bcc,0.200000,0.500000,0.300000"
    again = tmp_path / "again.csv"
    predictions.write(predictions.read(path), again)
    assert again.read_bytes() == path.read_bytes()
    test = predictions.read(path, split="test")
    assert (test["image_id"].tolist(), test.index.tolist()) == (["008", "009"], [0, 1])


def test_rounded_probabilities_are_scaled_to_sum_to_one(tmp_path):
    frame = predictions.table(INDEX, np.full((3, 3), 1 / 3), CLASSES)
    predictions.write(frame, tmp_path / "predictions.csv")
    read = predictions.read(tmp_path / "predictions.csv")
    assert read["p_nv"].tolist() == [0.333333] * 3
    assert predictions.probabilities(read) == pytest.approx(np.full((3, 3), 1 / 3), abs=1e-15)


def test_a_missing_file_or_column_is_named(tmp_path):
    with pytest.raises(LesionbookError, match=rf"^predictions\.csv is missing in {tmp_path.name}; run that model's"):
        predictions.read(tmp_path / "predictions.csv")
    frame = predictions.table(INDEX, VALUES, CLASSES)
    for lacking, named in ((["split"], "split"), (["p_akiec", "p_bcc", "p_nv"], "p_<class>")):
        predictions.write(frame.drop(columns=lacking), tmp_path / "other.csv")
        with pytest.raises(LesionbookError, match=rf"column '{named}' is missing; it is no prediction file\.$"):
            predictions.read(tmp_path / "other.csv")


def test_checked_passes_on_a_whole_table_and_refuses_others():
    frame = made()
    assert predictions.checked(frame) is frame
    with pytest.raises(LesionbookError, match="no rows"):
        predictions.checked(frame.head(0))
    with pytest.raises(LesionbookError, match="mixes the splits test, val"):
        predictions.checked(pd.concat([frame, frame.assign(split="val")]))
    with pytest.raises(LesionbookError, match="'unheard' is none of the predicted classes akiec, bcc, nv"):
        predictions.checked(frame.assign(label="unheard"))


def test_present_classes_keep_the_order_of_the_columns():
    frame = made().assign(p_zzz=0.0)
    assert predictions.present(frame) == CLASSES
    assert predictions.present(frame[frame["label"] != "bcc"]) == ["akiec", "nv"]
