import numpy as np
import pandas as pd
import pytest
from made_predictions import made
from sklearn.metrics import average_precision_score, roc_curve

from lesionbook import operating, resampling, statistics
from lesionbook.errors import LesionbookError

pytestmark = pytest.mark.filterwarnings("error")


def two(scores, positive, split="test"):
    """Predictions of two classes by the probability of the second."""
    frame = pd.DataFrame({"image_id": [f"i{k}" for k in range(len(scores))], "split": split})
    frame = frame.assign(group=frame["image_id"], label=np.where(positive, "mel", "nv"))
    return frame.assign(p_mel=np.array(scores, dtype=float), p_nv=1 - np.array(scores, dtype=float))


@pytest.mark.parametrize(
    ("classes", "asked", "expected"),
    [
        (["akiec", "mel", "nv"], "", "mel"),
        (["other", "melanoma"], "", "melanoma"),
        (["normal", "metastasis"], "", "metastasis"),
        (["akiec", "mel", "nv"], "akiec", "akiec"),
    ],
)
def test_class_of_concern(classes, asked, expected):
    assert operating.class_of_concern(classes, asked) == expected


def test_an_unknown_class_of_concern_is_refused():
    with pytest.raises(LesionbookError, match="'melanom' is none of the classes nv, mel"):
        operating.class_of_concern(["nv", "mel"], "melanom")


def test_fixed_rates_by_hand():
    # From the highest score: mel, nv, mel, nv, mel, nv, nv, mel, nv, nv.
    positive = np.array([1, 0, 1, 0, 1, 0, 0, 1, 0, 0], dtype=bool)
    score = np.linspace(1, 0.1, 10)
    one = np.ones((1, 10))
    # Four of one, six of the other kind. Specificity 5/6 allows one false alarm: two of four found before the second.
    assert operating.at_fixed_rates(positive, score, one, 0.8)[0] == [0.5]
    assert operating.at_fixed_rates(positive, score, one, 0.95)[0] == [0.25]
    # All four are found with four false alarms of six; three of four with two.
    assert operating.at_fixed_rates(positive, score, one, 0.95)[1] == pytest.approx([2 / 6])
    assert operating.at_fixed_rates(positive, score, one, 0.75)[1] == pytest.approx([4 / 6])


def test_fixed_rates_of_resamples_equal_scikit_learn_on_repeated_rows():
    rng = np.random.default_rng(0)
    positive, score = rng.random(80) < 0.4, rng.integers(0, 12, 80) / 12 + 0.0
    score = score + positive / 6
    weights = rng.integers(0, 4, size=(20, 80)).astype(float)
    sensitivity, specificity = operating.at_fixed_rates(positive, score, weights, 0.9)
    for row, weight in enumerate(weights):
        times = weight.astype(int)
        false, true, _ = roc_curve(np.repeat(positive, times), np.repeat(score, times), drop_intermediate=False)
        assert sensitivity[row] == pytest.approx(true[false <= 0.1 + 1e-12].max())
        assert specificity[row] == pytest.approx(1 - false[true >= 0.9 - 1e-12].min())


def test_fixed_rates_need_both_sides():
    positive, score = np.array([True, True, False]), np.array([0.9, 0.1, 0.3])
    found = operating.at_fixed_rates(positive, score, np.array([[1.0, 1, 0], [0, 0, 1], [1, 1, 1]]))
    assert np.isnan(found[0]).tolist() == np.isnan(found[1]).tolist() == [True, True, False]


def test_thresholds_by_hand():
    #                    1.0   0.9   0.8    0.7    0.6   0.5    0.4    0.3   0.2
    positive = np.array([True, True, False, False, True, False, False, True, False])
    frame = two(np.linspace(1, 0.2, 9), positive, "val")
    # Sensitivity less false alarm rate: 0.25, 0.5, 0.3, 0.1, 0.35, 0.15, …: the best is at 0.9.
    assert operating.threshold(frame, "mel") == pytest.approx(0.9)
    # A miss as dear as ten false alarms: all four must be found, at 0.3 and four false alarms.
    assert operating.threshold(frame, "mel", cost_of_miss=10) == pytest.approx(0.3)
    # A miss for a third of a false alarm: stop before the first one.
    assert operating.threshold(frame, "mel", cost_of_miss=1 / 3) == pytest.approx(0.9)


def test_it_may_be_best_never_to_raise_an_alarm():
    frame = two([0.9, 0.8, 0.3], np.array([False, False, True]), "val")
    assert operating.threshold(frame, "mel", cost_of_miss=1) == np.inf


def test_a_threshold_needs_both_kinds():
    with pytest.raises(LesionbookError, match="validation images of it and of others"):
        operating.threshold(two([0.9, 0.8], np.array([True, True])), "mel")


def test_rates_at_a_threshold():
    scores = np.r_[np.full(40, 0.8), np.full(10, 0.2), np.full(15, 0.8), np.full(135, 0.2)]
    frame = two(scores, np.arange(200) < 50)
    table = operating.at_threshold(frame, "mel", 0.8, repeats=2000, seed=0)
    assert table["estimate"].tolist() == pytest.approx([40 / 50, 135 / 150, 40 / 55])
    assert table["hits"].tolist() == [40, 135, 40]
    assert table["n_images"].tolist() == [50, 150, 55]
    reach = 1.96 * np.sqrt(0.8 * 0.2 / 50)
    row = table.loc["sensitivity"]
    assert (row["low"], row["high"]) == pytest.approx((0.8 - reach, 0.8 + reach), abs=0.02)


def test_all_found_is_not_certain_and_no_alarm_has_no_precision():
    frame = two(np.r_[np.full(20, 0.8), np.full(29, 0.2)], np.arange(49) < 20)
    found = operating.at_threshold(frame, "mel", 0.5, repeats=50, seed=0)
    assert found.loc["sensitivity", "low"] == pytest.approx(statistics.wilson(20, 20).low)
    silent = operating.at_threshold(frame, "mel", np.inf, repeats=50, seed=0)
    assert silent.loc["precision", ["estimate", "low", "high"]].isna().all()
    assert silent.loc["sensitivity", "estimate"] == 0


def test_one_against_rest_shares_the_resamples():
    frame = made()
    table = operating.one_against_rest(frame, "nv", repeats=100, seed=1)
    truth, score = operating.sides(frame, "nv")
    assert table.loc["average_precision", "estimate"] == pytest.approx(average_precision_score(truth, score))
    weights = next(resampling.group_weights(frame["group"], 100, 1))
    drawn = operating.at_fixed_rates(truth, score, weights)[0]
    row = table.loc["sensitivity_at_95_specificity"]
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert (table["low"] <= table["estimate"]).all() and (table["estimate"] <= table["high"]).all()


def test_a_model_without_opinion_has_no_interval_at_fixed_rates():
    frame = two(np.full(40, 0.3), np.arange(40) < 15)
    table = operating.one_against_rest(frame, "mel", repeats=50, seed=0)
    assert table.loc["sensitivity_at_95_specificity", "estimate"] == 0
    assert table.loc["sensitivity_at_95_specificity", ["low", "high"]].isna().all()
    assert table.loc["average_precision", ["low", "high"]].notna().all()
