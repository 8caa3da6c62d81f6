import numpy as np
import pandas as pd
import pytest

from lesionbook import predictions
from lesionbook.serve import evidence


def table(rows):
    """Test images of two classes from (probability of b, label)."""
    index = pd.DataFrame({"image_id": [str(k) for k in range(len(rows))], "split": "test"})
    index = index.assign(group=index["image_id"], label=[label for _, label in rows])
    return predictions.table(index, np.array([[1 - p, p] for p, _ in rows]), ["a", "b"])


ROWS = [(0.9, "b"), (0.8, "a"), (0.7, "b"), (0.6, "b"), (0.4, "b"), (0.1, "a")]


@pytest.mark.parametrize(
    ("label", "probability", "n", "right"),
    [("b", 0.9, 1, 1), ("b", 0.8, 2, 1), ("b", 0.75, 2, 1), ("b", 0.5, 4, 3), ("b", 0.91, 0, 0), ("a", 0.55, 2, 1)],
)
def test_counts_those_answered_alike_with_this_score_or_a_higher_one(label, probability, n, right):
    found = evidence.gather(table(ROWS), label, probability)
    assert (found.n, found.right) == (n, right)


def test_the_score_of_the_table_itself_counts():
    frame = table([(1 / 3 + 0.3, "b")]).round(6)
    assert evidence.gather(frame, "b", round(1 / 3 + 0.3, 6)).n == 1
    assert evidence.gather(frame, "b", 1 / 3 + 0.3).n == 1


def test_the_interval_is_wilsons():
    """81 of 263: 0.2553 to 0.3662 (R. G. Newcombe, Statistics in Medicine 17, 857-872, 1998, table I, method 3)."""
    found = evidence.gather(table([(0.9, "b")] * 81 + [(0.9, "a")] * 182), "b", 0.9)
    assert (found.n, found.right) == (263, 81)
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_of_no_images_nothing_is_known():
    assert evidence.gather(table(ROWS), "b", 0.95) == evidence.Evidence(0, 0, 0.0, 1.0)
