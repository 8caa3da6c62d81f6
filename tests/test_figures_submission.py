import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts

from lesionbook.figures import submission

pytestmark = pytest.mark.filterwarnings("error")


def test_each_side_is_drawn_in_shares_of_its_own_images():
    sides = {"labelled": pd.Series([0.01, 0.02, 0.99, 1.0]), "unlabelled": pd.Series(np.linspace(0, 1, 2001))}
    figure = submission.probabilities(sides, xlabel="probability of metastasis")
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure.axes]
    assert heights[0] == [0.5, *[0] * 18, 0.5]
    assert np.allclose(heights[1], 0.05, atol=0.001)
    assert [sum(one) for one in heights] == pytest.approx([1, 1])
    assert {"labelled (n = 4)", "unlabelled (n = 2,001)", "probability of metastasis"} <= set(shown_texts(figure))
    assert_legible(figure)
