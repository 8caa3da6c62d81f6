import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from made_predictions import made

from lesionbook import calibration as calibrated
from lesionbook.figures import calibration

pytestmark = pytest.mark.filterwarnings("error")


def table(models):
    parts = []
    for seed, model in enumerate(models):
        frame = made(seed=seed)
        for when, one in (("before", frame), ("after", calibrated.scaled(frame, 1.5))):
            part = calibrated.reliability_by_group(one, repeats=30, seed=0)
            parts.append(part.assign(model=model, when=when))
    return pd.concat(parts)


@pytest.mark.parametrize("count", [1, 2, 4, 9])
def test_a_panel_for_each_model(count):
    models = [f"ResNet50V2, frozen, augmented {number}" for number in range(count)]
    figure = calibration.reliabilities(table(models))
    drawn = [axes for axes in figure.axes if axes.axison]
    assert len(drawn) == count
    assert {"before scaling", "after scaling"} <= set(shown_texts(figure))
    assert_legible(figure)


def test_points_are_the_bins_with_images():
    bins = table(["a"])
    figure = calibration.reliabilities(bins)
    filled = bins[(bins["when"] == "before") & (bins["n"] > 0)]
    points = figure.axes[0].collections[1].get_offsets()
    assert points[:, 1].tolist() == pytest.approx(filled["accuracy"].tolist())
    assert points[:, 0].tolist() == pytest.approx((filled["mean_confidence"] - 0.006).tolist())


def test_lines_of_bins_with_few_images_are_thin():
    bins = table(["a"])
    figure = calibration.reliabilities(bins)
    counts = bins.loc[(bins["when"] == "before") & (bins["n"] > 0), "n"].to_numpy()
    widths = figure.axes[0].collections[0].get_linewidths()
    assert widths[counts.argmin()] < widths[counts.argmax()]
