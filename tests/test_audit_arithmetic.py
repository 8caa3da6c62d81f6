import pytest

from lesionbook import audit_arithmetic, params, published_facts
from lesionbook.published_facts import Facts, Identity, Shares


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
        ({"age_describe": {"count": 9957}}, "images with and without an age"),
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


def test_a_report_shows_one_side_of_the_split():
    stated = facts("ham10000-transfer")
    rows = audit_arithmetic.side_rows(stated)
    assert rows["follows"].tolist() == [f"those of the side {side!r}, class by class" for side in ("test", "val")]
    vgg16 = stated.reports["vgg16"]
    moved = vgg16.model_copy(update={"classes": vgg16.classes | {"df": (0.02, 0.33, 0.03, 13)}})
    rows = audit_arithmetic.side_rows(stated.model_copy(update={"reports": {"vgg16": moved}}))
    assert rows["agrees"].tolist() == [False]
    assert audit_arithmetic.side_rows(Facts()).empty


@pytest.mark.parametrize(
    ("given", "agrees", "follows"),
    [
        ({"stated": 9522, "sum_of": (7617, 952, 953)}, True, "7,617 + 952 + 953 = 9,522"),
        ({"stated": 9523, "sum_of": (7617, 952, 953)}, False, "7,617 + 952 + 953 = 9,522"),
        ({"stated": 7617, "product_of": (0.8, 9522)}, True, "0.8 × 9,522 = 7,617.6"),
        ({"stated": 7618, "product_of": (0.8, 9522)}, False, "0.8 × 9,522 = 7,617.6"),
        ({"stated": 2400, "product_of": (0.2, 12000)}, True, "0.2 × 12,000 = 2,400"),
        ({"stated": 18000, "product_of": (521, 35), "at_least": True}, True, "521 × 35 = 18,235"),
        ({"stated": 72000, "product_of": (1843, 35), "at_least": True}, False, "1,843 × 35 = 64,505"),
        ({"stated": 14714688, "sum_of": (7079424, 7635264)}, True, "7,079,424 + 7,635,264 = 14,714,688"),
        ({"stated": 0.9107, "sum_of": (0.91285342,)}, False, "0.912853"),
    ],
)
def test_sums_and_products(given, agrees, follows):
    rows = audit_arithmetic.identity_rows(Facts(identities=(Identity(figure="images", **given),)))
    assert rows[["agrees", "follows"]].values.tolist() == [[agrees, follows]]
    assert rows["figure"].item() == "images" + " (more than)" * given.get("at_least", False)
