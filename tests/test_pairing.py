import numpy as np
import pytest

from lesionbook import pairing, params, published_facts

MATRIX = np.array(
    published_facts.of("ham10000-transfer", params.load("ham10000-transfer", "paper")).crosstabs["resnet50v2"].rows
)


def test_the_joint_has_the_margins_and_the_accuracy():
    actual, predicted = MATRIX.sum(axis=1), MATRIX.sum(axis=0)
    table = pairing.joint(actual, predicted, 0.84)
    np.testing.assert_allclose(table.sum(axis=1), actual / 998, atol=1e-6)
    np.testing.assert_allclose(table.sum(axis=0), predicted / 998, atol=1e-6)
    assert np.trace(table) == pytest.approx(0.84, abs=1e-5)
    assert (table >= 0).all()


def test_an_accuracy_that_the_margins_forbid_is_refused():
    with pytest.raises(ValueError, match=r"between chance, 0\.421, and 0\.89"):
        pairing.joint(MATRIX.sum(axis=1), MATRIX.sum(axis=0), 0.95)


def test_shuffled_labels_give_the_printed_diagonal():
    found = pairing.simulate(MATRIX, 0.84, repeats=1000, seed=1)
    assert found["in order"].mean() == pytest.approx(0.84 * 998, abs=2)
    assert found["shuffled"].mean() == pytest.approx(420, abs=3)
    low, high = found["shuffled"].quantile([0.025, 0.975])
    assert low <= 416 <= high
    assert found["in order"].min() > 700
    assert found.equals(pairing.simulate(MATRIX, 0.84, repeats=1000, seed=1))


def test_association_of_a_matrix():
    expected, p_value = pairing.association(MATRIX)
    assert expected == pytest.approx(MATRIX.sum(axis=1) @ MATRIX.sum(axis=0) / 998)
    assert p_value > 0.05
    _, p_value = pairing.association(np.array([[40, 10], [10, 40]]))
    assert p_value < 1e-6
