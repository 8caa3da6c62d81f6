import pytest

from lesionbook import params, published_facts
from lesionbook.errors import LesionbookError


def stated(**published):
    settings = params.load("ham10000-transfer", "sample")
    return settings.model_copy(update={"published": published})


RESULT = {"model": "VGG16", "source": "test", "value": 0.5, "images": 100, "experiment": "vgg16", "tolerance": 0.05}


def test_every_study_file_is_read_and_names_its_experiments():
    found = {study: published_facts.of(study, params.load(study, "paper")) for study in params.studies()}
    assert {study for study, facts in found.items() if facts.results} == set(found) - {"my-images", "melanoma-ham10000"}
    for study, facts in found.items():
        known = params.load(study, "paper").experiments
        assert {one.experiment for one in facts.results if one.experiment} <= set(known)
        assert all(one.experiment or one.not_redone for one in facts.results)


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ({"reslts": []}, r"published\.reslts is no key of a published study \(did you mean 'results'\?\)"),
        ({"results": [RESULT | {"tolerence": 0.1}]}, r"results\.0\.tolerence is no key .*did you mean 'tolerance'"),
        ({"results": [RESULT | {"experiment": "vgg61"}]}, r"'vgg61' is no experiment .*did you mean 'vgg16'"),
        ({"results": [RESULT | {"experiment": ""}]}, r"published\.results\.0: .*either experiment or not_redone"),
        ({"results": [RESULT | {"tolerance": None}]}, r"published\.results\.0: .*needs a tolerance"),
        ({"results": [RESULT | {"value": 1.5}]}, r"published\.results\.0\.value: .*less than or equal to 1"),
        ({"results": [RESULT | {"score": "acuracy"}]}, r"published\.results\.0\.score: "),
        ({"parameters": {"vgg61": {"total": 3}}}, r"parameters\.vgg61: 'vgg61' is no experiment"),
        (
            {"crosstabs": {"a": {"model": "m", "classes": ["x", "y"], "rows": [[1, 2]], "accuracy": 0.5}}},
            r"published\.crosstabs\.a: the matrix of 'm' must have a row and a column",
        ),
        ({"identities": [{"figure": "f", "stated": 1}]}, r"identities\.0: 'f' needs either sum_of or product_of"),
        ({"identities": [{"figure": "f", "sums_of": [1]}]}, r"sums_of is no key .*did you mean 'sum_of'"),
        ({"closing": {"columns": {"A": "none"}, "f1": {}}}, r"closing\.columns\.A: there is no report 'none'"),
    ],
)
def test_a_slip_is_refused_in_one_sentence_with_file_and_key(published, said):
    with pytest.raises(LesionbookError, match=said) as caught:
        published_facts.of("ham10000-transfer", stated(**published))
    assert str(caught.value).startswith("params/ham10000-transfer.yml: published")
    assert "\n" not in str(caught.value)


def test_no_published_study_is_no_fault():
    assert published_facts.of("my-images", stated()).results == ()
