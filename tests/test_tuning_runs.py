import json

import keras
import numpy as np
import pandas as pd
import pytest
from small_store import CLASSES, small_store
from small_tuning import bench, setting

from lesionbook import fitting, paths, training
from lesionbook.errors import LesionbookError
from lesionbook.tuning import cost, runs, subsets, sweep

# Three convolutions on 64 places, then dense layers on 4 × 4 × 2 features.
ADDS = 64 * 9 * (3 * 2 + 2 * 2 + 2 * 2) + 32 * 128 + 128 * 64 + 64 * 3


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
    training.begin(seed=1, threads=1)
    return tmp_path / "cache"


def same(one, other):
    pd.testing.assert_frame_equal(one.history, other.history)
    pd.testing.assert_frame_equal(one.answers, other.answers)
    return one.state == other.state and one.facts == other.facts and one.chosen == other.chosen


def untrained(monkeypatch):
    monkeypatch.setattr(fitting, "fit", lambda *a, **k: pytest.fail("trained again"))


def test_a_run_is_kept_and_read_again_with_the_same_epochs_told(cache, monkeypatch):
    told = []
    first = runs.attempt(setting(), bench(), seed=1, on_epoch=lambda row: told.append(row["val_auc"]))
    assert first.state == runs.COMPLETE
    assert told == first.history["val_auc"].tolist()
    assert len(first.seconds) == 2
    assert first.facts == {"parameters": first.facts["parameters"], "multiply_adds": ADDS, "images": 22, "steps": 4}
    assert set(first.answers["split"]) == {"val"}
    assert [path.name.partition("-")[0] for path in cache.iterdir()] == ["run"]
    assert not list(cache.rglob("*.h5"))  # a network is not kept
    untrained(monkeypatch)
    again = []
    second = runs.attempt(setting(), bench("another"), seed=1, on_epoch=lambda row: again.append(row["val_auc"]))
    assert same(first, second)
    assert again == told
    assert second.seconds == first.seconds


def test_seed_setting_and_images_make_another_run(monkeypatch):
    keys = {
        runs.fingerprint(setting(), bench(), seed=1),
        runs.fingerprint(setting(), bench(), seed=2),
        runs.fingerprint(setting(alpha=0.1), bench(), seed=1),
        runs.fingerprint(setting(recipe={"epochs": 5}), bench(), seed=1),
        runs.fingerprint(setting(sample_size=10), bench(), seed=1),
        runs.fingerprint(setting(), runs.Bench(small_store(), "1" * 64), seed=1),
    }
    assert len(keys) == 6
    assert runs.fingerprint(setting(), bench("another"), seed=1) in keys


def test_a_killed_run_goes_on_to_the_same_result(cache):
    three = setting(recipe={"epochs": 3})
    whole = runs.attempt(three, bench(), seed=3)
    kept = next(cache.iterdir())
    kept.rename(kept.with_name("aside"))

    def kill(row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.attempt(three, bench(), seed=3, on_epoch=kill)
    assert [path.suffix for path in cache.iterdir() if path.name != "aside"] == [".part"]
    told = []
    resumed = runs.attempt(three, bench(), seed=3, on_epoch=lambda row: told.append(row["epoch"]))
    assert same(whole, resumed)
    assert told == [1, 2, 3]
    assert np.isnan(resumed.seconds).tolist() == [True, True, False]
    assert not list(cache.glob("*.part"))


def test_a_listener_may_stop_a_run(cache):
    def stop(row):
        raise runs.Stopped("seen enough")

    outcome = runs.attempt(setting(), bench(), seed=1, on_epoch=stop)
    assert (outcome.state, outcome.reason, len(outcome.history)) == (runs.PRUNED, "seen enough", 1)
    assert outcome.facts["steps"] == 4
    assert not list(cache.glob("*"))


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (LesionbookError(fitting.DIVERGED), runs.DIVERGED, fitting.DIVERGED),
        (MemoryError(), runs.MEMORY, "MemoryError"),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 1 bytes\nmore"), runs.MEMORY, "RESOURCE_EXHAUSTED"),
        (ValueError("some shape"), runs.FAILED, "some shape"),
    ],
)
def test_a_failure_is_a_result(monkeypatch, error, state, reason):
    def fail(*args, **keywords):
        raise error

    monkeypatch.setattr(fitting, "fit", fail)
    outcome = runs.attempt(setting(), bench(), seed=1)
    assert outcome.state == state
    assert outcome.reason.startswith(reason)
    assert "\n" not in outcome.reason
    assert outcome.answers.empty


def test_a_loss_that_is_no_number_is_a_divergence_with_its_epochs(cache):
    wild = setting(
        filters=[2, 2, 2, 2, 2, 2], recipe={"learning_rate": 10.0, "loss": "binary_crossentropy", "epochs": 40}
    )
    outcome = runs.attempt(wild, bench(), seed=1)
    assert outcome.state in (runs.DIVERGED, runs.COMPLETE)  # where it breaks depends on the machine
    broken = setting(filters=[2] * 12)  # an image of 8 pixels cannot be halved four times
    outcome = runs.attempt(broken, bench(), seed=1)
    assert outcome.state == runs.FAILED
    assert "too small" in outcome.reason
    assert not list(cache.glob("*.part"))


def test_number_format_survives_from_run_to_run():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        runs._forget()
        assert keras.mixed_precision.dtype_policy().name == "mixed_bfloat16"
    finally:
        keras.mixed_precision.set_dtype_policy("float32")


def test_fewer_images_are_trained_on_and_choose_and_all_of_them_judge():
    outcome = runs.attempt(setting(sample_size=9, validation_size=3), bench(), seed=1)
    assert outcome.facts["images"] == 9
    assert len(outcome.chosen) == 3
    assert len(outcome.answers) == 9
    row = sweep.table([sweep.Run(0, 1, setting(), outcome)]).iloc[0]
    assert row["own_images"] == 3
    kept = outcome.history["val_accuracy"].iloc[int(row["best"]) - 1]
    assert row["own_accuracy"] == pytest.approx(kept)


@pytest.mark.parametrize("size", [3, 7, 15, 22])
def test_a_subset_keeps_the_shares_of_the_classes(size):
    store = small_store()
    found = subsets.take(store, {"train": size, "val": None}, seed=4)
    assert len(found.rows("train")) == size
    assert len(found.rows("val")) == len(store.rows("val"))
    before, after = (one.rows("train").index["label"].value_counts().reindex(CLASSES) for one in (store, found))
    assert (after >= 1).all()
    assert ((after - before * size / before.sum()).abs() <= 1).all()
    assert found.array is store.array
    other = subsets.take(store, {"train": size}, seed=5)
    assert size == 22 or set(other.rows("train").index["image_id"]) != set(found.rows("train").index["image_id"])


def test_a_smaller_subset_is_a_part_of_a_larger_one():
    small, large = (
        set(subsets.take(small_store(), {"train": size}, seed=4).rows("train").index["image_id"]) for size in (8, 16)
    )
    assert small < large


@pytest.mark.parametrize("size", [2, 23])
def test_a_subset_that_cannot_be_is_refused(size):
    with pytest.raises(LesionbookError, match=f"{size} images of the side 'train' were asked for; it has 22"):
        subsets.take(small_store(), {"train": size}, seed=1)


def test_multiply_adds_of_known_networks():
    """VGG16 without its dense layers: 15.35 of 15.47 billion for all of it; MobileNet: 568 of 569 million."""
    options = {"weights": None, "include_top": False, "input_shape": (224, 224, 3)}
    assert cost.multiply_adds(keras.applications.VGG16(**options)) == 15_346_630_656
    assert cost.multiply_adds(keras.applications.MobileNet(**options)) == 567_716_352


def test_times_and_costs_are_listed():
    outcome = runs.attempt(setting(), bench(), seed=1)
    done = [sweep.Run(0, 1, setting(), outcome), sweep.Run(0, 2, setting(), runs.Outcome(runs.MEMORY, "none left"))]
    assert sweep.cost(done) == {"trainings": 2, "epochs": 2, "multiply_adds": 2.0 * 22 * ADDS}
    assert sweep.total([sweep.cost(done)] * 2)["epochs"] == 4
    times = sweep.times(done)
    assert times["epoch"].tolist() == [1, 2]
    assert json.loads(times["seconds"].to_json(orient="values")) == pytest.approx(outcome.seconds, abs=1e-6)
