import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts

from lesionbook.figures import metadata, style

pytestmark = pytest.mark.filterwarnings("error")
NAMES = {"mel": "Melanoma", "nv": "Melanocytic nevi", "bkl": "Benign keratosis-like lesions"}


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    label = rng.choice(["nv", "bkl", "mel"], 300, p=[0.7, 0.2, 0.1])
    return pd.DataFrame(
        {
            "label": label,
            "group": [f"g{n}" for n in rng.integers(0, 200, 300)],
            "age": np.where(rng.random(300) < 0.1, np.nan, rng.integers(2, 17, 300) * 5),
            "sex": pd.Series(rng.choice(["male", "female", "x"], 300)).replace("x", np.nan),
        }
    )


def widths(axes):
    return [patch.get_width() for patch in axes.patches]


def test_ages(table):
    figure = metadata.age_distribution(table["age"])
    _, histogram = figure.axes
    known = table["age"].dropna()
    assert sum(patch.get_height() for patch in histogram.patches) == len(known)
    assert len(histogram.lines) == 3  # density, mean, median
    assert f"mean {known.mean():.1f}" in shown_texts(figure)
    assert f"{len(known)} ages known, {300 - len(known)} not recorded" in shown_texts(figure)
    assert_legible(figure)


@pytest.mark.parametrize("ages", [[50.0], [50.0, 50.0, np.nan], [0.3, 101.0]])
def test_ages_of_few(ages):
    _, histogram = metadata.age_distribution(pd.Series(ages)).axes
    assert sum(patch.get_height() for patch in histogram.patches) == np.isfinite(ages).sum()


def test_no_age_at_all():
    assert "0 ages known, 2 not recorded" in shown_texts(metadata.age_distribution(pd.Series([np.nan, np.nan])))


def test_counts_are_the_lengths_of_the_bars(table):
    figure = metadata.counts(table["label"], names=NAMES)
    expected = table["label"].value_counts()
    assert widths(figure.axes[0]) == expected.tolist()
    assert f"{expected['nv']} ({expected['nv'] / 300:.1%})" in shown_texts(figure)
    assert "Melanocytic nevi (nv)" in shown_texts(figure)
    assert_legible(figure)


def test_counts_in_a_given_order_upright_with_gaps(table):
    figure = metadata.counts(table["sex"], order=["female", "male"], percent=False)
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    expected = table["sex"].value_counts()
    assert heights == [expected["female"], expected["male"], table["sex"].isna().sum()]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["female", "male", "not recorded"]
    assert_legible(figure)


def test_counts_by(table):
    figure = metadata.counts_by(table, "label", "sex", names=NAMES)
    axes = figure.axes[0]
    assert sum(widths(axes)) == 300
    drawn = dict(zip(*axes.get_legend_handles_labels()[::-1], strict=True))
    females = [patch.get_width() for patch in drawn["female"]]
    assert females == [((table["label"] == c) & (table["sex"] == "female")).sum() for c in ["nv", "bkl", "mel"]]
    assert set(drawn) == {"male", "female", "not recorded"}
    assert_legible(figure)


def test_pie():
    figure = metadata.share_pie(pd.Series({"mel": 10, "nv": 88, "bkl": 2}), names=NAMES)
    wedges = figure.axes[0].patches
    assert [wedge.theta2 - wedge.theta1 for wedge in wedges] == pytest.approx([316.8, 36, 7.2])
    palette = style.class_palette(["bkl", "mel", "nv"])
    assert wedges[1].get_facecolor()[:3] == pytest.approx([int(palette["mel"][i : i + 2], 16) / 255 for i in (1, 3, 5)])
    assert {"88.0%", "10.0%"} <= set(shown_texts(figure))
    assert "2.0%" not in shown_texts(figure)  # the wedge is too thin; its share stands in the legend
    assert "Melanoma: 10 (10.0%)" in shown_texts(figure)
    assert_legible(figure)


def test_images_and_groups(table):
    figure = metadata.images_and_groups(table, group_name="slide")
    upper, lower = figure.axes
    images, slides = table["label"].value_counts(), table.groupby("label")["group"].nunique()
    assert widths(upper) == [*images, *slides[images.index]]
    assert sum(patch.get_height() for patch in lower.patches) == table["group"].nunique()
    assert f"300 images of {table['group'].nunique()} slides" in shown_texts(figure)
    assert_legible(figure)


def test_age_by_class_from_the_youngest(table):
    table.loc[table["label"] == "mel", "age"] = 80.0
    table.loc[table["label"] == "bkl", "age"] = 15.0
    figure = metadata.age_by_class(table, names=NAMES)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert [label.split(" (")[0] for label in labels] == [NAMES["bkl"], NAMES["nv"], NAMES["mel"]]
    assert labels[1].endswith(f"n = {table.loc[table['label'] == 'nv', 'age'].notna().sum()}")
    assert_legible(figure)
