import dataclasses

import numpy as np
import pytest

from lesionbook.explain import LAST
from lesionbook.serve import text
from lesionbook.serve.classification import Answer


class Map:
    layer, places = LAST, (4, 5)


class Earlier:
    layer, places = "block", (3, 3)


def verdict(served, score, test=None):
    answer = Answer("red", {"red": score}, {"red": 0.5}, 0.2)
    return text.verdict(served.model, answer, served.model.test if test is None else test).replace("\xa0", " ")


def test_a_result_is_told_with_its_value_and_how_many_it_rests_on(served):
    test = served.model.test.assign(p_blue=0.0, p_green=0.1, p_red=0.9)
    right, n = int((test["label"] == "red").sum()), len(test)
    said = verdict(served, 0.9, test)
    assert said.startswith(
        "## Red lesion\n\nThe network's score is 90.00 %; corrected on the validation images (below), 50"
    )
    assert (
        f"Of the {n} test images, {n} were called *Red lesion* with this score or a higher one, and **{right} of"
        in said
    )
    assert f"rightly so: a positive predictive value of {100 * right / n:.0f} %** (95 % interval " in said
    assert "groups" not in said and said.endswith("**This is not a diagnosis.**")


def test_the_lesions_are_named_that_the_images_are_of(served):
    test = served.model.test.assign(p_blue=0.0, p_green=0.1, p_red=0.9, group=np.arange(len(served.model.test)) // 2)
    assert f", from {-(-len(test) // 2)} groups). Of the 10 called so with the nearest" in verdict(served, 0.9, test)


def test_of_other_test_images_only_one_may_be_left(served):
    test = served.model.test.assign(p_blue=0.6, p_green=0.4, p_red=0.0).iloc[1:]
    test.loc[test.index[0], ["p_blue", "p_red"]] = [0.0, 0.6]
    assert f"Of the {len(test)} other test images, 1 was called *Red lesion*" in verdict(served, 0.5, test)
    assert "No other test image was called *Red lesion* with this score or a higher one" in verdict(served, 0.7, test)


@pytest.mark.parametrize(
    ("peak", "said"),
    [((0, 0), "top left"), ((1, 1), "middle centre"), ((2, 1), "bottom centre"), ((0, 2), "top right")],
)
def test_a_map_is_told_in_words(peak, said):
    heat = np.zeros((3, 3))
    heat[peak] = 1
    assert text.strongest(heat).endswith(f"which is strongest at the {said}.")
    assert text.strongest(np.kron(heat, np.ones((3, 4)))).endswith(f"which is strongest at the {said}.")


def test_where_another_kind_of_model_is_better_it_is_named(served):
    said = text.explanation(served.model, Map)
    assert (
        "the comparison report chooses *colour statistics* among all models of the study, which is not served" in said
    )
    best = dataclasses.replace(served.model, compared=served.model.title)
    assert "comparison report" not in text.explanation(best, Map)


def test_how_coarse_a_map_is_and_where_it_was_taken(served):
    assert "A map has only 4 × 5 places. " in text.explanation(served.model, Map)
    assert "only 3 × 3 places, those of an earlier layer, as the last one has" in text.explanation(
        served.model, Earlier
    )
