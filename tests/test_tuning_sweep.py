import numpy as np
import pandas as pd
import pytest
from scipy.stats import tukey_hsd
from small_tuning import bench, pretended, setting

from lesionbook.errors import LesionbookError
from lesionbook.tuning import runs, sweep

SCORES = {0: [0.60, 0.64, 0.62], 1: [0.70, 0.69, 0.74], 2: [0.55, 0.57, 0.50]}


def frame(scores=SCORES, **states):
    rows = [
        {"position": position, "seed": seed, "state": runs.COMPLETE, "reason": "", "val_accuracy": value, "epochs": 3}
        for position, values in scores.items()
        for seed, value in enumerate(values)
    ]
    return pd.DataFrame(rows)


def with_failure(position=1):
    made = frame()
    first = made.index[made["position"] == position][0]
    made.loc[first, ["state", "val_accuracy"]] = [runs.DIVERGED, np.nan]
    return made


def test_every_setting_is_trained_with_every_seed(monkeypatch):
    monkeypatch.setattr(runs, "attempt", pretended)
    told = []
    settings = [setting(), setting(recipe={"learning_rate": 0.09})]
    done = sweep.train(settings, bench(), seed=7, seeds=2, progress=lambda *step: told.append(step))
    assert [(one.position, one.seed, one.outcome.state) for one in done] == [
        (0, 7, "complete"),
        (0, 8, "complete"),
        (1, 7, "diverged"),
        (1, 8, "diverged"),
    ]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_sweep_of_failures_says_why(monkeypatch):
    monkeypatch.setattr(runs, "attempt", pretended)
    with pytest.raises(LesionbookError, match="No training came to its end; the first one: diverged"):
        sweep.train([setting(recipe={"learning_rate": 0.09})], bench(), seed=7, seeds=2)


def test_the_epoch_that_was_kept_is_the_best_of_the_last_phase():
    history = pd.DataFrame({"epoch": [1, 2, 3, 4], "phase": [1, 1, 2, 2], "val_auc": [0.6, 0.9, 0.8, 0.7]})
    assert sweep.best_epoch(history, setting())["epoch"] == 3


def test_summary_and_choice():
    gathered = sweep.summary(frame(), "val_accuracy")
    assert gathered["mean"].tolist() == pytest.approx([0.62, 0.71, 0.54])
    assert gathered["sd"][0] == pytest.approx(0.02)
    assert (gathered["low"][2], gathered["high"][2]) == (0.50, 0.57)
    assert sweep.choose(frame(), "val_accuracy") == 1
    assert sweep.choose(frame().rename(columns={"val_accuracy": "val_loss"}), "val_loss") == 2


def test_a_setting_that_failed_once_is_shown_and_not_chosen_before_those_that_did_not():
    made = with_failure()
    gathered = sweep.summary(made, "val_accuracy")
    assert (gathered["runs"][1], gathered["complete"][1]) == (3, 2)
    assert gathered["mean"][1] == pytest.approx(0.715)
    assert sweep.choose(made, "val_accuracy") == 0
    assert sweep.choose(with_failure()[lambda rows: rows["position"] == 1], "val_accuracy") == 1


def test_spread_as_scipys_tukey_test_has_it():
    moved = sweep.spread(sweep.summary(frame(), "val_accuracy"))
    by_scipy = tukey_hsd(*SCORES.values()).confidence_interval(0.95)
    assert moved.difference == pytest.approx((by_scipy.high - by_scipy.low)[0, 1] / 2, rel=1e-3)
    assert moved.sd == pytest.approx(np.sqrt(np.mean([np.var(values, ddof=1) for values in SCORES.values()])))


def test_one_seed_or_one_setting_has_no_yardstick():
    one_seed = sweep.spread(sweep.summary(frame({0: [0.5], 1: [0.6]}), "val_accuracy"))
    assert np.isnan([one_seed.sd, one_seed.difference]).all()
    one_setting = sweep.spread(sweep.summary(frame({0: [0.5, 0.6]}), "val_accuracy"))
    assert one_setting.sd == pytest.approx(0.0707, abs=1e-4)
    assert np.isnan(one_setting.difference)
