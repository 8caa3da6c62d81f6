import numpy as np
import pandas as pd
import pytest
from made_predictions import made
from sklearn import metrics as reference

from lesionbook import metrics, predictions, resampling
from lesionbook.errors import LesionbookError

pytestmark = pytest.mark.filterwarnings("error")


def repeated(frame, weights):
    """The table with each row as often as its weight says."""
    return frame.loc[frame.index.repeat(weights.astype(int))].reset_index(drop=True)


def test_weighted_scores_equal_those_of_repeated_rows():
    frame = made(n=90)
    weights = next(resampling.group_weights(frame["group"], 12, seed=3))
    table = resampling.scores(frame, weights)
    for row, weight in zip(table.to_dict("records"), weights, strict=True):
        assert row == pytest.approx(metrics.scores(repeated(frame, weight)).to_dict(), abs=1e-12)


def test_weighted_ranking_equals_scikit_learn_on_repeated_rows_with_ties():
    rng = np.random.default_rng(0)
    positive, score = rng.random(60) < 0.3, rng.integers(0, 8, 60) / 8
    weights = rng.integers(0, 4, size=(10, 60)).astype(float)
    areas, precisions = resampling.ranking(positive, score, weights)
    for area, precision, weight in zip(areas, precisions, weights, strict=True):
        times = weight.astype(int)
        many, ranked = np.repeat(positive, times), np.repeat(score, times)
        assert area == pytest.approx(reference.roc_auc_score(many, ranked))
        assert precision == pytest.approx(reference.average_precision_score(many, ranked))


def test_weighted_class_scores_equal_those_of_repeated_rows():
    frame = made(n=90)
    weights = next(resampling.group_weights(frame["group"], 5, seed=3))
    table = resampling.class_scores(frame, weights)
    for number, weight in enumerate(weights):
        expected = metrics.per_class(repeated(frame, weight))
        assert set(table) == set(expected.columns)
        for score in table:
            assert table[score][number] == pytest.approx(expected[score].to_numpy(), abs=1e-12), score


def test_resample_without_a_class():
    frame = made(n=90)
    weights = np.stack([(frame["label"] != "nv").to_numpy(float), (frame["label"] == "nv").to_numpy(float)])
    table = resampling.scores(frame, weights)
    for number in range(2):
        expected = metrics.scores(repeated(frame, weights[number]))
        assert table.loc[number].to_dict() == pytest.approx(expected.to_dict(), nan_ok=True)
    assert np.isnan(resampling.class_scores(frame, weights)["recall"][0][predictions.class_names(frame).index("nv")])


def test_groups_are_drawn_whole_and_as_many_as_there_are():
    groups = pd.Series(["a", "a", "a", "b", "c", "c"])
    weights = next(resampling.group_weights(groups, 200, seed=0))
    assert weights.shape == (200, 6)
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 4] == weights[:, 5]).all()
    assert (weights[:, [0, 3, 4]].sum(axis=1) == 3).all()
    assert set(weights[:, 3]) == {0, 1, 2, 3}


def test_batches_add_up(monkeypatch):
    monkeypatch.setattr(resampling, "WEIGHTS_AT_ONCE", 50)
    parts = list(resampling.group_weights(pd.Series(list("abcdefghij")), 12, seed=0))
    assert [len(part) for part in parts] == [5, 5, 2]
    assert len(np.unique(np.vstack(parts), axis=0)) > 8


def test_an_image_without_a_group_is_refused():
    with pytest.raises(LesionbookError, match="no group"):
        next(resampling.group_weights(pd.Series(["a", None]), 5, seed=0))
