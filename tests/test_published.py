import pytest

from lesionbook import published


def test_flatten_joins_names_at_every_depth():
    nested = {"rows": 3, "age": {"mean": 1.5, "by sex": {"male": 2}}, "empty": {}}
    assert published.flatten(nested) == {"rows": 3, "age, mean": 1.5, "age, by sex, male": 2}


def test_each_published_figure_gets_a_verdict():
    stated = {"rows": 10, "age": {"mean": 51.863828, "std": 16.9}, "auc": 0.9}
    here = {"age": {"mean": 51.8638277, "std": 17.0, "max": 85}, "rows": 10, "further": 1}
    table = published.agreement(stated, here)
    assert list(table.columns) == ["figure", "published", "here", "agrees"]
    assert table["figure"].tolist() == ["rows", "age, mean", "age, std", "auc"]
    assert table["agrees"].tolist() == ["yes", "yes", "no", "not computed"]
    assert table["here"].iloc[:3].tolist() == [10, 51.8638277, 17.0]


@pytest.mark.parametrize(
    ("stated", "value", "verdict"),
    [
        (1.5, 1.54, "yes"),
        (1.5, 1.56, "no"),
        (40.5031, 40.50314, "yes"),
        (40.5031, 40.50316, "no"),
        (160.46856616543272, 160.46856616543275, "yes"),
        (160.46856616543272, 160.468567, "no"),
        (7, 7, "yes"),
        (7, 7.1, "no"),
        (1.5, float("nan"), "no"),
    ],
)
def test_figures_agree_up_to_the_last_place_published(stated, value, verdict):
    assert published.agreement({"a": stated}, {"a": value})["agrees"].tolist() == [verdict]


def test_only_sections_that_were_computed_are_compared():
    stated = {"deterministic": {"rows": 3, "weights": {"a": 1.0}, "sizes": {"train": 2}}}
    assert published.sections(stated, {"rows": 3, "sizes": {}}) == {"rows": 3, "sizes": {"train": 2}}
    assert published.sections({}, {"rows": 3}) == {}


def test_the_verdict_counts_or_says_that_nothing_can_be_compared():
    table = published.agreement({"a": 1, "b": 2, "c": 3}, {"a": 1, "b": 2, "c": 4})
    assert published.verdict(table) == "Of 3 published figures, 2 agree and 1 do not."
    assert "cannot be compared" in published.verdict(published.agreement({"a": 1}, {"a": 1}, comparable=False))


def test_other_images_get_no_verdict():
    table = published.agreement({"a": 1, "b": 2}, {"a": 1}, comparable=False)
    assert table["agrees"].tolist() == ["not comparable", "not computed"]
    assert table["here"].iloc[0] == 1
