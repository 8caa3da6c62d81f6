import numpy as np
import pandas as pd
import pytest
from sklearn.covariance import LedoitWolf

from lesionbook.images import Rows
from lesionbook.serve import out_of_distribution as familiarity


@pytest.mark.parametrize("shape", [(200, 6), (40, 90)])
def test_the_distance_is_that_of_the_shrunk_covariance(shape):
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1])) + 3
    others = 4 * rng.normal(size=(7, shape[1]))
    known = LedoitWolf().fit(vectors)
    assert np.allclose(familiarity.Distance.fit(vectors)(others), known.mahalanobis(others), rtol=1e-8)


def test_vectors_without_any_spread_are_left_by_whatever_differs():
    distance = familiarity.Distance.fit(np.ones((5, 3)))
    assert distance(np.ones((1, 3)))[0] == 0
    assert np.isfinite(distance(np.zeros((1, 3)))[0]) and distance(np.zeros((1, 3)))[0] > 1e6


@pytest.fixture(scope="module")
def sides():
    """Features of a normal distribution, and reddish pictures, for training and validation."""
    rng = np.random.default_rng(1)
    shades = rng.normal([180, 120, 110], 12, (600, 1, 1, 3)) + rng.normal(0, 9, (600, 8, 8, 3))
    images, features = np.clip(shades, 0, 255).astype(np.uint8), rng.normal(size=(600, 5))
    return (features[:400], images[:400]), (features[400:], images[400:])


def test_one_in_a_hundred_validation_images_is_called_unlike(sides):
    found = familiarity.fit(*sides)
    assert np.mean(found.scores(*sides[1]) > found.threshold) == pytest.approx(0.01, abs=0.005)


def test_either_features_or_colours_suffice_to_be_unlike(sides):
    found = familiarity.fit(*sides)
    features, images = sides[1][0][:3], sides[1][1][:3]
    assert (found.scores(features, images) <= found.threshold).all()
    assert (found.scores(features + 20, images) > found.threshold).all()
    assert (found.scores(features, images[..., ::-1]) > found.threshold).all()


@pytest.mark.parametrize("spread", [0, 60])
def test_a_blank_or_a_noisy_picture_of_the_right_colour_is_unlike(sides, spread):
    """Its mean colour and its features are those of a right one."""
    found = familiarity.fit(*sides)
    picture = np.random.default_rng(2).normal([180, 120, 110], spread, (1, 8, 8, 3))
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    assert (found.scores(sides[1][0][:1], picture) > 2 * found.threshold).all()


def test_detail_is_spread_and_steps_between_neighbours():
    stripes = np.zeros((1, 8, 8, 3), np.uint8)
    stripes[:, :, ::2] = 100  # upright stripes of one pixel: neighbours across differ by 100, blocks do not
    assert np.allclose(np.expm1(familiarity.detail(stripes)), [[50, 50, 50, 0, 100, 0, 0]])
    halves = np.zeros((1, 9, 9, 3), np.uint8)
    halves[:, 4:, :, 0] = 90  # the lower half is red: one step in eight down, 30 in brightness, all of it in blocks
    assert np.allclose(np.expm1(familiarity.detail(halves))[0, 3:], [30 / 8, 0, 30, 0])


def test_a_score_does_not_depend_on_company(sides):
    found = familiarity.fit(*sides)
    together = found.scores(sides[1][0][:9], sides[1][1][:9])
    alone = [found.scores(sides[1][0][k : k + 1], sides[1][1][k : k + 1])[0] for k in range(9)]
    assert np.allclose(together, alone)


@pytest.mark.parametrize(("rows", "taken"), [(30, 30), (2500, 1000)])
def test_some_rows_are_taken_by_the_seed_in_their_order(rows, taken):
    made = Rows(pd.DataFrame(index=range(rows)), [], np.empty(0), np.arange(rows))
    places = familiarity.some(made, 1)
    assert len(places) == taken and (np.diff(places) > 0).all()
    assert (places == familiarity.some(made, 1)).all()
    assert taken == rows or (places != familiarity.some(made, 2)).any()
