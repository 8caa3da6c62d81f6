import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from made_predictions import made

from lesionbook import decision as decided
from lesionbook.figures import decision

pytestmark = pytest.mark.filterwarnings("error")
NAMES = [f"ResNet50V2, frozen, augmented {number}" for number in range(9)]


def test_curves_of_models_and_defaults():
    curves = pd.concat(
        [
            decided.curve(made(n=100, seed=k), "nv", repeats=30, seed=0).assign(model=name)
            for k, name in enumerate(NAMES)
        ]
    )
    figure = decision.net_benefit(curves, NAMES[3], mark=0.1, act="biopsy")
    lines = {line.get_label().replace("\n", " "): line for line in figure.axes[0].lines}
    assert {*NAMES, "biopsy all", "biopsy none", "_mark"} == set(lines)
    chosen = curves[curves["model"] == NAMES[3]]
    assert lines[NAMES[3]].get_ydata().tolist() == chosen["net_benefit"].tolist()
    assert lines[NAMES[3]].get_linewidth() > lines[NAMES[0]].get_linewidth()
    assert lines["biopsy all"].get_ydata().tolist() == chosen["treat_all"].tolist()
    assert "biopsy none" in shown_texts(figure)
    assert_legible(figure)
