import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from lesionbook import delong
from lesionbook.errors import LesionbookError

pytestmark = pytest.mark.filterwarnings("error")


def by_definition(positive, scores):
    """Equations of DeLong et al. (1988), pair by pair."""
    first, second = scores[:, positive], scores[:, ~positive]
    kernel = (first[:, :, None] > second[:, None, :]) + 0.5 * (first[:, :, None] == second[:, None, :])
    return kernel.mean(axis=(1, 2)), np.cov(kernel.mean(axis=2)) / first.shape[1] + np.cov(
        kernel.mean(axis=1)
    ) / second.shape[1]


def rated(normal, abnormal):
    positive = np.repeat([False, True], [sum(normal), sum(abnormal)])
    return positive, np.r_[np.repeat(range(5), normal), np.repeat(range(5), abnormal)].astype(float)


def drawn(seed=0, positives=40, negatives=60, models=3):
    rng = np.random.default_rng(seed)
    positive = np.arange(positives + negatives) < positives
    shared = rng.normal(size=len(positive))
    return positive, (rng.normal(size=(models, len(positive))) + shared + positive).round(1)  # rounding makes ties


def test_radiologists_ratings():
    # Ratings of computed tomography images: Hanley and McNeil, Radiology 143:29-36 (1982), table II. Area, standard
    # error and plain interval by DeLong as in the example of `roctab` in Stata's manual.
    positive, score = rated([33, 6, 6, 11, 2], [3, 2, 2, 11, 33])
    found = delong.areas(positive, score)
    deviation = np.sqrt(found.covariance[0, 0])
    assert found.estimates[0] == pytest.approx(0.8932, abs=5e-5)
    assert deviation == pytest.approx(0.0307, abs=5e-5)
    ends = delong.interval(found.estimates[0], found.covariance[0, 0], scale="plain")
    assert ends == pytest.approx((0.83295, 0.95339), abs=5e-6)


def test_equals_the_definition_with_ties():
    positive, scores = drawn()
    found = delong.areas(positive, scores)
    estimates, covariance = by_definition(positive, scores)
    np.testing.assert_allclose(found.estimates, estimates, atol=1e-12)
    np.testing.assert_allclose(found.covariance, covariance, atol=1e-12)
    assert found.estimates[1] == pytest.approx(roc_auc_score(positive, scores[1]))


def test_images_of_their_own_group_are_independent():
    positive, scores = drawn()
    own = delong.areas(positive, scores, np.array([f"g{k}" for k in range(len(positive))]))
    np.testing.assert_allclose(own.covariance, delong.areas(positive, scores).covariance, atol=1e-12)


def test_copies_of_an_image_add_no_certainty():
    positive, scores = drawn()
    groups = np.arange(len(positive))
    twice = delong.areas(np.tile(positive, 2), np.tile(scores, 2), np.tile(groups, 2))
    np.testing.assert_allclose(twice.covariance, delong.areas(positive, scores).covariance, atol=1e-12)
    np.testing.assert_allclose(twice.estimates, delong.areas(positive, scores).estimates, atol=1e-12)


def test_groups_of_both_kinds_by_the_formula_of_obuchowski():
    positive = np.array([True, False, True, True, False, False, False, True])
    scores = np.array([[0.9, 0.3, 0.6, 0.2, 0.4, 0.1, 0.7, 0.8]])
    groups = np.array(list("aabbccdd"))
    kernel = (scores[0, positive][:, None] > scores[0, ~positive]).astype(float)
    area, above, below = kernel.mean(), np.zeros(8), np.zeros(8)
    above[positive], below[~positive] = kernel.mean(axis=1) - area, kernel.mean(axis=0) - area
    x, y = (np.array([part[groups == name].sum() for name in "abcd"]) for part in (above, below))
    # Groups a, b, d hold positive images, a, c, d negative ones; 4 images of either kind.
    expected = (3 / 2 * (x @ x) / 4) / 4 + (3 / 2 * (y @ y) / 4) / 4 + 2 * (4 / 3 * (x @ y)) / 16
    found = delong.areas(positive, scores, groups)
    assert found.estimates[0] == pytest.approx(area)
    assert found.covariance[0, 0] == pytest.approx(expected)


def test_difference_is_the_z_test_of_the_definition():
    positive, scores = drawn()
    estimates, covariance = by_definition(positive, scores)
    z = (estimates[0] - estimates[2]) / np.sqrt(covariance[0, 0] + covariance[2, 2] - 2 * covariance[0, 2])
    row = delong.difference(delong.areas(positive, scores), 0, 2)
    assert row["z"] == pytest.approx(z)
    assert row["p"] == pytest.approx(2 * norm.sf(abs(z)))
    assert row["low"] == pytest.approx(row["difference"] - 1.959964 * row["difference"] / z, abs=1e-6)


def test_a_model_does_not_differ_from_itself():
    positive, scores = drawn(models=1)
    row = delong.difference(delong.areas(positive, np.vstack([scores, scores])), 0, 1)
    assert (row["difference"], row["z"], row["p"]) == (0, 0, 1)


def test_ends_stay_inside_and_are_undefined_at_the_edge():
    low, high = delong.interval(0.98, 0.0004)
    assert 0 < low < 0.98 < high < 1
    # exp(logit(0.98) ± 1.96 · 0.02 / (0.98 · 0.02)) turned back by hand
    assert (low, high) == pytest.approx((0.86902, 0.99724), abs=1e-4)
    assert np.isnan(delong.interval(1.0, 0.0)).all()


def test_a_single_group_has_no_variance():
    found = delong.areas(np.array([True, False, False]), np.array([[0.9, 0.2, 0.3]]))
    assert np.isnan(found.covariance).all()


def test_one_side_alone_is_refused():
    with pytest.raises(LesionbookError, match="of the class and others"):
        delong.areas(np.array([True, True]), np.array([[0.1, 0.2]]))
