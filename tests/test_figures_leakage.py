import numpy as np
import pandas as pd

from lesionbook.figures import leakage


def test_both_scores_and_their_difference_are_drawn_by_the_number_of_images():
    found = pd.DataFrame(
        {
            "size": [50, 1000],
            "validation": [0.74, 0.71],
            "test": [0.69, 0.70],
            "difference": [0.05, 0.01],
            "low": [0.01, -0.01],
            "high": [0.09, 0.03],
        }
    )
    left, right = leakage.reuse(found).axes
    assert [list(line.get_ydata()) for line in left.lines] == [[0.74, 0.71], [0.69, 0.70]]
    (bars,) = right.containers
    np.testing.assert_allclose(np.array(bars[2][0].get_segments())[:, :, 1], [[0.01, 0.09], [-0.01, 0.03]])
    for axes in (left, right):
        assert [tick.get_text() for tick in axes.get_xticklabels()] == ["50", "1,000"]
