"""Every deterministic figure of the published study on HAM10000, computed from the real metadata."""

import pytest

from lesionbook import exploration, params, paths, published, splits
from lesionbook.datasets import ham10000
from lesionbook.weights import class_weights

REAL = paths.root().parent / "shared" / "data" / "ham10000"
pytestmark = pytest.mark.skipif(
    not (REAL / ham10000.METADATA).exists(), reason="the real images are not beside the project"
)
SECTIONS = {
    "rows": 1,
    "missing": 7,
    "age_describe": 8,
    "class_counts": 7,
    "class_percent": 7,
    "split_sizes": 3,
    "split_per_class": 21,
    "class_weights": 7,
}


@pytest.fixture(scope="module")
def compared():
    table, classes = ham10000.read(REAL).table, list(ham10000.RECORD.classes)
    sides = splits.by_image(table["label"], table["image_id"], (0.8, 0.1, 0.1))
    sizes = splits.sizes(table["label"], sides, classes)
    here = exploration.describe(table, classes, ham10000.RECORD.original) | {
        "split_sizes": sizes["total"].to_dict(),
        "split_per_class": sizes.drop(columns="total").T.to_dict(),
        "class_weights": class_weights(table.loc[sides == "train", "label"], classes, "balanced"),
    }
    stated = params.load("ham10000-transfer", "paper").published["deterministic"]
    return published.agreement(stated, here)


@pytest.mark.parametrize("section", SECTIONS)
def test_published_figures_come_out_the_same(compared, section):
    rows = compared[compared["figure"].str.split(",").str[0] == section]
    assert len(rows) == SECTIONS[section]
    assert rows.loc[rows["agrees"] != "yes"].to_dict("records") == []


def test_no_published_figure_is_left_out(compared):
    assert len(compared) == sum(SECTIONS.values())
    assert set(compared["agrees"]) == {"yes"}
