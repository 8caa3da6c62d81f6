import numpy as np
import pandas as pd
import pytest

from lesionbook import predictions
from lesionbook.serve import evidence


def table(rows, groups=None):
    """Test images of two classes from (probability of b, label), each of its own group unless told otherwise."""
    index = pd.DataFrame({"image_id": [str(k) for k in range(len(rows))], "split": "test"})
    index = index.assign(group=groups or index["image_id"], label=[label for _, label in rows])
    return predictions.table(index, np.array([[1 - p, p] for p, _ in rows]), ["a", "b"])


ROWS = [(0.9, "b"), (0.8, "a"), (0.7, "b"), (0.6, "b"), (0.4, "b"), (0.1, "a")]


@pytest.mark.parametrize(
    ("label", "probability", "n", "right"),
    [("b", 0.9, 1, 1), ("b", 0.8, 2, 1), ("b", 0.75, 2, 1), ("b", 0.5, 4, 3), ("b", 0.91, 0, 0), ("a", 0.55, 2, 1)],
)
def test_counts_those_answered_alike_with_this_score_or_a_higher_one(label, probability, n, right):
    found = evidence.at_least(table(ROWS), label, probability)
    assert (found.n, found.right) == (n, right)


def test_a_low_score_is_not_judged_by_the_high_ones():
    """200 called b, those above 0.75 rightly so, the others not: at 0.55 a tenth has scores of 0.5025 to 0.5975."""
    frame = table([(0.5 + k / 400 + 0.0025, "b" if k > 100 else "a") for k in range(200)])
    found = evidence.nearest(frame, "b", 0.55)
    assert (found.n, found.right) == (20, 0)
    assert found.scores == pytest.approx((0.5275, 0.575), abs=0.003)
    assert evidence.at_least(frame, "b", 0.55).right == 99
    assert evidence.nearest(frame, "b", 0.99).right == 20


@pytest.mark.parametrize(("called", "n"), [(4, 4), (30, 10), (300, 30)])
def test_a_tenth_of_those_called_alike_is_near_but_ten_at_least(called, n):
    assert evidence.nearest(table([(0.9, "b")] * called + [(0.1, "a")] * 50), "b", 0.9).n == n


def test_the_score_of_the_table_itself_counts():
    frame = table([(1 / 3 + 0.3, "b")]).round(6)
    assert evidence.at_least(frame, "b", round(1 / 3 + 0.3, 6)).n == 1
    assert evidence.at_least(frame, "b", 1 / 3 + 0.3).n == 1


def test_of_independent_images_the_interval_is_wilsons():
    """81 of 263: 0.2553 to 0.3662 (R. G. Newcombe, Statistics in Medicine 17, 857-872, 1998, table I, method 3)."""
    found = evidence.at_least(table([(0.9, "b")] * 81 + [(0.9, "a")] * 182), "b", 0.9)
    assert (found.n, found.right, found.groups) == (263, 81, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_several_images_of_a_lesion_that_agree_tell_no_more_than_one():
    once = [(0.9, "b")] * 81 + [(0.9, "a")] * 182
    found = evidence.at_least(table(once * 3, [str(k) for k in range(263)] * 3), "b", 0.9)
    assert (found.n, found.right, found.groups) == (789, 243, 263)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-4)


def test_images_of_a_lesion_that_differ_as_much_as_any_two_tell_as_much_as_independent_ones():
    rows = [(0.9, "b"), (0.9, "a")] * 20
    apart, together = (
        evidence.at_least(table(rows, groups), "b", 0.9) for groups in (None, [k // 2 for k in range(40)])
    )
    assert (together.low, together.high) == pytest.approx((apart.low, apart.high))
    assert (apart.groups, together.groups) == (40, 20)


@pytest.mark.parametrize(("label", "ends"), [("b", (0.4385, 1)), ("a", (0, 0.5615))])
def test_where_all_or_none_are_right_lesions_count(label, ends):
    """Wilson's interval of 3 of 3: 1 / (1 + 1.96² / 3) to 1."""
    found = evidence.at_least(table([(0.9, label)] * 9, ["x", "y", "z"] * 3), "b", 0.9)
    assert (found.low, found.high) == pytest.approx(ends, abs=5e-5)


def test_one_lesion_says_little():
    found = evidence.at_least(table([(0.9, "b"), (0.9, "b"), (0.9, "a")], ["x"] * 3), "b", 0.9)
    assert found.high - found.low > 0.75


@pytest.mark.parametrize("lesions", [5, 30])
def test_in_nineteen_of_twenty_samples_the_true_share_lies_within(lesions):
    """Lesions of one to four images that are alike (intraclass correlation 0.4)."""
    rng, within = np.random.default_rng(0), 0
    for _ in range(200):
        sizes, shares = rng.integers(1, 5, lesions), rng.beta(1.2, 0.3, lesions)
        groups = np.repeat(np.arange(lesions), sizes)
        rows = [(0.9, "b" if rng.random() < shares[group] else "a") for group in groups]
        found = evidence.at_least(table(rows, groups.tolist()), "b", 0.9)
        within += found.low <= 0.8 <= found.high
    assert within / 200 > 0.9


def test_of_no_images_nothing_is_known():
    for found in (evidence.at_least(table(ROWS), "b", 0.95), evidence.nearest(table([(0.1, "a")]), "b", 0.9)):
        assert (found.n, found.right, found.groups, found.low, found.high) == (0, 0, 0, 0.0, 1.0)
        assert np.isnan(found.scores).all()
