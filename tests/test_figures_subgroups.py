import numpy as np
import pytest
from figure_checks import assert_legible, shown_texts
from made_predictions import made

from lesionbook import subgroups as scored
from lesionbook.figures import subgroups

pytestmark = pytest.mark.filterwarnings("error")


def test_rows_by_attribute_with_points_where_there_are_scores():
    frame = made()
    sites = np.array(["trunk", "lower extremity", "head"], dtype=object)[np.r_[[2] * 4, np.arange(236) % 2]]
    index = frame[["image_id"]].assign(sex=np.where(np.arange(240) % 3 == 0, "male", "female"), localization=sites)
    table = scored.scores(frame, index, "nv", repeats=30, seed=0)
    figure = subgroups.scores(table, {"auc": "area for nv"})
    found = shown_texts(figure)
    assert {"sex", "body site", "male (n = 80)", "head (n = 4)", "balanced accuracy", "area for nv"} <= set(found)
    for axes, key in zip(figure.axes, ["balanced_accuracy", "auc"], strict=True):
        points = [line.get_xdata()[0] for line in axes.lines if line.get_label() == "_estimate"]
        kept = table[(table["score"] == key) & (table["attribute"] != "all") & table["estimate"].notna()]
        assert points == kept["estimate"].tolist()
    assert_legible(figure)
