import numpy as np
import pytest

from lesionbook import audit_arithmetic, params, published_facts
from lesionbook.published_facts import Facts, Shares, Sweep


def facts(study):
    return published_facts.of(study, params.load(study, "paper"))


@pytest.mark.parametrize(
    ("study", "figures"),
    [("ham10000-transfer", 43), ("metastasis-architectures", 2), ("melanoma-cnn", 1), ("isic2019-transfer", 0)],
)
def test_published_counts_splits_weights_and_sizes_agree(study, figures):
    rows = audit_arithmetic.deterministic_rows(facts(study))
    assert len(rows) == figures
    assert rows["agrees"].all()


@pytest.mark.parametrize(
    ("change", "figure"),
    [
        ({"rows": 10014}, "sum of the classes"),
        ({"split_sizes": {"train": 8011, "val": 998, "test": 1007}}, "images of train"),
        ({"class_percent": {"nv": 66.8}}, "share of nv in percent"),
        ({"class_weights": {"nv": 0.2134}}, "weight of nv"),
    ],
)
def test_a_changed_count_is_found(change, figure):
    stated = facts("ham10000-transfer")
    changed = stated.model_copy(update={"deterministic": stated.deterministic | change})
    rows = audit_arithmetic.deterministic_rows(changed)
    assert figure in rows.loc[~rows["agrees"].astype(bool), "figure"].tolist()


def test_the_closing_table_is_held_against_the_reports():
    stated = facts("ham10000-transfer")
    rows = audit_arithmetic.closing_rows(stated.closing, stated.reports)
    assert len(rows) == 14
    wrong = rows.loc[~rows["agrees"], "figure"].tolist()
    assert wrong == ["F1 of df, ResNet50V2", "F1 of vasc, ResNet50V2", "F1 of df, VGG16", "F1 of mel, VGG16"]


def test_sweeps_say_on_how_many_images_they_rest():
    stated = facts("melanoma-cnn")
    for name in ("learning rate", "batch size", "leaky ReLU alpha"):
        assert set(audit_arithmetic.sweep_rows(stated.sweeps[name])["fits"]) == {"198"}
    assert audit_arithmetic.sweep_rows(stated.sweeps["activation"])["fits"].tolist() == [
        "198, 200",
        "198",
        "198, 200",
        "200",
    ]
    assert audit_arithmetic.sweep_rows(stated.sweeps["sample size"])["fits"].tolist() == ["4", "20", "100", "200"]
    found = {
        name: audit_arithmetic.sweep_findings(name, one, audit_arithmetic.sweep_rows(one))
        for name, one in stated.sweeps.items()
    }
    wrong = [figure for one in found.values() for figure in one.loc[~one["agrees"].astype(bool), "figure"]]
    assert wrong == [
        "training accuracy at batch size 128",
        "training accuracy at batch size 256",
        "images of the sweep over activation",
    ]


def test_stated_results_rest_on_other_images_than_the_sweeps():
    rows = audit_arithmetic.sweeps_against_results(facts("melanoma-cnn"))
    assert rows["agrees"].tolist() == [False, False]
    assert rows["follows"].tolist() == ["fits 200 images, the sweeps 198"] * 2
    assert audit_arithmetic.sweeps_against_results(facts("ham10000-transfer")).empty


def test_a_sweep_that_fits_nothing_is_found():
    sweep = Sweep(columns=("rate", "val_accuracy"), rows=((0.1, 0.5001),), images=(10,))
    found = audit_arithmetic.sweep_findings("rate", sweep, audit_arithmetic.sweep_rows(sweep))
    assert not found["agrees"].iloc[0]


def test_expected_best_of_equal_runs():
    assert audit_arithmetic.expected_best(0.6, 50, 1) == pytest.approx(0.6)
    drawn = np.random.default_rng(1).binomial(198, 0.614, size=(200_000, 14)).max(axis=1).mean() / 198
    assert audit_arithmetic.expected_best(0.614, 198, 14) == pytest.approx(drawn, abs=0.0005)


def test_shares_and_moments():
    right = Shares(images=12000, shares={"a": 0.60075, "b": 0.39925}, decimals=5)
    assert audit_arithmetic.share_rows("drawn", right)["agrees"].all()
    wrong = Shares(images=12000, shares={"a": 0.60074, "b": 0.39925}, decimals=5)
    assert audit_arithmetic.share_rows("drawn", wrong)["agrees"].tolist() == [False, True, True]
    counted = Shares(images=10, shares={"a": 0.3}, counts={"a": 4}, decimals=1)
    assert audit_arithmetic.share_rows("x", counted)["agrees"].tolist() == [False, False, False]
    moments = {"label": {"images": 10, "mean": 0.3, "standard_deviation": 0.483, "decimals": 3}}  # numpy.std(ddof=1)
    assert audit_arithmetic.moment_rows(Facts(moments=moments))["agrees"].all()
    moments["label"]["standard_deviation"] = 0.458  # with n in the denominator
    assert audit_arithmetic.moment_rows(Facts(moments=moments))["agrees"].tolist() == [True, False]
