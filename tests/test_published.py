import pytest

from lesionbook import published


def test_flatten_joins_names_at_every_depth():
    nested = {"rows": 3, "age": {"mean": 1.5, "by sex": {"male": 2}}, "empty": {}}
    assert published.flatten(nested) == {"rows": 3, "age, mean": 1.5, "age, by sex, male": 2}


def test_each_published_figure_gets_a_verdict():
    stated = {"rows": 10, "age": {"mean": 51.863828, "std": 16.9}, "auc": 0.9}
    here = {"age": {"mean": 51.8638277, "std": 17.0, "max": 85}, "rows": 10, "further": 1}
    table = published.agreement(stated, here, tolerance=5e-7)
    assert list(table.columns) == ["figure", "published", "here", "agrees"]
    assert table["figure"].tolist() == ["rows", "age, mean", "age, std", "auc"]
    assert table["agrees"].tolist() == ["yes", "yes", "no", "not computed"]
    assert table["here"].iloc[:3].tolist() == [10, 51.8638277, 17.0]


@pytest.mark.parametrize(
    ("value", "verdict"), [(1.5, "yes"), (0.5, "yes"), (1.5000001, "no"), (0.4999, "no"), (float("nan"), "no")]
)
def test_agreement_ends_at_the_tolerance(value, verdict):
    assert published.agreement({"a": 1}, {"a": value}, tolerance=0.5)["agrees"].tolist() == [verdict]


def test_other_images_get_no_verdict():
    table = published.agreement({"a": 1, "b": 2}, {"a": 1}, tolerance=0.1, comparable=False)
    assert table["agrees"].tolist() == ["not comparable", "not computed"]
    assert table["here"].iloc[0] == 1
