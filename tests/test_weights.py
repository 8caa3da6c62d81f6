import pandas as pd
import pytest

from lesionbook.weights import class_weights

LABELS = pd.Series(["a"] * 8 + ["b"] * 2 + ["c"] * 2)


def test_balanced_is_images_over_classes_times_count():
    assert class_weights(LABELS, ["a", "b", "c"], "balanced") == {"a": 12 / (3 * 8), "b": 2.0, "c": 2.0}


def test_weights_belong_to_their_classes_whatever_their_order():
    weights = class_weights(LABELS, ["c", "a", "b"], "balanced")
    assert list(weights) == ["c", "a", "b"]
    assert weights == {"a": 0.5, "b": 2.0, "c": 2.0}


def test_square_root_and_none():
    assert class_weights(LABELS, ["a", "b", "c"], "square_root") == pytest.approx(
        {"a": 0.5**0.5, "b": 2**0.5, "c": 2**0.5}
    )
    assert class_weights(LABELS, ["a", "b", "c"], "none") == {"a": 1.0, "b": 1.0, "c": 1.0}


def test_balanced_weights_give_every_class_the_same_share_of_the_loss():
    weights = class_weights(LABELS, ["a", "b", "c"], "balanced")
    shares = LABELS.map(weights).groupby(LABELS).sum()
    assert shares.to_numpy() == pytest.approx([4, 4, 4])


def test_a_class_without_images_has_no_weight():
    with pytest.raises(ValueError, match="classes"):
        class_weights(LABELS, ["a", "b", "c", "d"], "balanced")
