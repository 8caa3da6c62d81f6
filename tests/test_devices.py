"""Two devices, which are halves of the processor; their number is set once per process, so each backend has its own."""

import importlib.util
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from lesionbook.fitting import HISTORY


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def said(request):
    """What `two_devices.py` found on one device and on two."""
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    command = [sys.executable, "two_devices.py", request.param]
    done = subprocess.run(command, cwd=request.path.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout.splitlines()[-1])
    return SimpleNamespace(one=found["one"], two=found["two"], backend=request.param)


def test_the_weights_stand_on_every_device(said):
    assert (said.one["spread"], said.two["spread"]) == (1, 2)
    assert (said.one["count"], said.two["count"]) == (1, 2)


def test_training_learns_and_its_history_is_complete(said):
    for history in (said.two["history"], said.two["told"], said.two["whole"][0]):
        assert list(history) == HISTORY
        assert history["epoch"] == [1, 2, 3]
        assert np.isfinite(list(history.values())).all()
        assert history["loss"][-1] < history["loss"][0]


def test_two_devices_learn_what_one_learns_up_to_rounding(said):
    """The last batch is smaller and every fall of the learning rate reaches both devices."""
    assert len(set(said.two["history"]["learning_rate"])) > 1
    for column in HISTORY:
        assert said.two["history"][column] == pytest.approx(said.one["history"][column], rel=1e-4), column
    assert said.two["weights"] == pytest.approx(said.one["weights"], abs=1e-4)


def test_predictions_of_the_same_weights_are_the_same(said):
    assert np.shape(said.two["predictions"]) == (16, 3)
    assert np.allclose(said.two["predictions"], said.one["predictions"], atol=1e-6)


def test_a_head_on_stored_features_is_shared_too(said):
    assert np.shape(said.two["frozen"]) == (7, 3)
    assert np.allclose(said.two["frozen"], said.one["frozen"], atol=1e-4)


def test_images_that_do_not_divide_are_completed_by_the_first_of_the_epoch(said):
    *order, first, second, third, last = said.two["order"]
    assert (first, second, third, last) == (6, 6, 6, 4)
    assert sorted(order[:21]) == list(range(21))
    assert order[21:] == order[:1]


def test_a_batch_that_does_not_divide_is_refused(said):
    assert "batch_size 5 cannot be shared equally by 2 devices" in said.two["refused"][0]


def test_too_few_devices_are_counted(said):
    assert said.two["refused"][1] == (
        "devices: 3 are asked for, but there are only 2 here (cpu:0, cpu:1); lower devices in the study file."
    )


def test_a_killed_training_goes_on_to_the_same_bits(said):
    assert said.two["resumed"] == said.two["whole"]


def test_going_back_to_one_device_gives_its_bits_again(said):
    assert said.one["again"] == said.one["weights"]


def test_a_training_on_several_devices_is_another_one_in_the_cache(said):
    assert said.one["settings"] != said.two["settings"]


def test_batch_statistics_are_of_the_first_share_on_tensorflow_and_of_the_whole_batch_on_jax(said):
    expected = said.one["expected"]
    assert said.one["moving"] == pytest.approx(expected["whole"], abs=1e-5)
    assert said.two["moving"] == pytest.approx(expected["half" if said.backend == "tensorflow" else "whole"], abs=1e-5)
    assert expected["half"] != pytest.approx(expected["whole"], abs=1e-3)
