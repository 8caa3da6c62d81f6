import numpy as np
import pytest
from made_predictions import made
from test_operating import two

from lesionbook import decision

pytestmark = pytest.mark.filterwarnings("error")


def test_published_example():
    # Vickers and Elkin (2006): 902 men; at a threshold of 10 %, 65 true and 225 false positives have a net benefit of
    # 65/902 - 225/902 · 0.1/0.9 = 0.0443.
    positive = np.arange(902) < 87
    score = np.where(positive, np.arange(902) < 65, np.arange(902) < 87 + 225).astype(float)
    assert decision.net_benefit(positive, score, np.array([0.1]))[0, 0] == pytest.approx(0.0443, abs=5e-5)


def test_treating_all_and_none():
    positive = np.arange(100) < 20
    thresholds = np.array([0.1, 0.2, 0.5])
    everyone = decision.net_benefit(positive, np.ones(100), thresholds)[0]
    # Share less the rest times the odds; zero where the threshold is the share.
    assert everyone == pytest.approx([0.2 - 0.8 / 9, 0, -0.6])
    assert decision.net_benefit(positive, np.zeros(100), thresholds)[0].tolist() == [0, 0, 0]
    assert decision.net_benefit(positive, positive.astype(float), thresholds)[0] == pytest.approx(0.2)


def test_weights_count_images():
    positive, score = np.array([True, False, False]), np.array([0.6, 0.7, 0.2])
    weights = np.array([[2.0, 1, 1], [1, 1, 1]])
    found = decision.net_benefit(positive, score, np.array([0.5]), weights)
    assert found[:, 0] == pytest.approx([(2 - 1) / 4, 0])


def test_a_probability_at_the_threshold_acts():
    assert decision.net_benefit(np.array([True]), np.array([0.1]), np.array([1 - 0.9]))[0, 0] == 1


def test_curve_with_intervals():
    rng = np.random.default_rng(0)
    positive = np.arange(400) < 100
    score = np.clip(rng.beta(2, 5, 400) + 0.3 * positive, 0, 1)
    thresholds = np.array([0.05, 0.3])
    table = decision.curve(two(score, positive), "mel", thresholds=thresholds, repeats=1000, seed=0)
    assert table["threshold"].tolist() == thresholds.tolist()
    assert table["net_benefit"].to_numpy() == pytest.approx(decision.net_benefit(positive, score, thresholds)[0])
    assert table["treat_all"].to_numpy() == pytest.approx([0.25 - 0.75 * 0.05 / 0.95, 0.25 - 0.75 * 3 / 7])
    assert table.loc[0, "gain"] == pytest.approx(table.loc[0, "net_benefit"] - table.loc[0, "treat_all"])
    assert table.loc[1, "gain"] == pytest.approx(table.loc[1, "net_benefit"])  # treating none is the better default
    # A mean of independent contributions: the normal interval.
    acts = score >= 0.3
    parts = np.where(positive, acts, acts * -3 / 7)
    reach = 1.96 * parts.std() / 20
    assert (table.loc[1, "low"], table.loc[1, "high"]) == pytest.approx(
        (parts.mean() - reach, parts.mean() + reach), abs=0.006
    )


def test_copies_of_an_image_add_no_certainty():
    frame = made(per_group=1, n=200)
    twice = frame.loc[frame.index.repeat(2)].reset_index(drop=True)
    first, second = (decision.curve(one, "nv", repeats=100, seed=0) for one in (frame, twice))
    np.testing.assert_allclose(first.to_numpy(), second.to_numpy(), atol=1e-12)


def test_threshold_of_a_cost():
    # Acting pays from p on where p times the cost of a miss exceeds 1 - p.
    assert decision.threshold_of(10) == pytest.approx(1 / 11)
    assert decision.threshold_of(1) == 0.5
