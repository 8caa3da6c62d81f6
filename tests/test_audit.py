import math

import numpy as np
import pytest

from lesionbook import audit, params, published_facts
from lesionbook.published_facts import Accuracy, Crosstab, Report, Result


def facts(study):
    return published_facts.of(study, params.load(study, "paper"))


@pytest.mark.parametrize(
    ("value", "images", "decimals", "found"),
    [
        (0.7985, 953, None, [761]),  # 761/953 = 0.79853
        (0.7985, 952, None, []),  # 760/952 = 0.79832, 761/952 = 0.79937
        (0.6465, 198, None, [128]),
        (0.6465, 200, None, []),
        (0.525, 200, 4, [105]),
        (0.525, 198, 4, []),  # 104/198 = 0.5253
        (0.525, 198, 3, [104]),
        (0.84, 100, None, [84]),
        (0.5, 1, 1, []),  # neither 0 nor 1 is printed as 0.5
        (0.8616788256777465, 13724, None, []),
        (0.8616788256777465, 13700, None, [11805]),
        (0.87625, 2400, 4, [2103]),
        (1.0, 7, 2, [7]),
    ],
)
def test_numbers_of_right_answers_behind_a_printed_accuracy(value, images, decimals, found):
    assert list(audit.counts(value, images, decimals)) == found


def test_counts_are_those_that_are_printed_so():
    """Against brute force: every k is tried and printed."""
    rng = np.random.default_rng(1)
    for _ in range(200):
        images, right = int(rng.integers(5, 400)), 0
        right = int(rng.integers(0, images + 1))
        printed = round(right / images, 3)
        every = [k for k in range(images + 1) if math.isclose(k / images, printed, abs_tol=0.0005 + 1e-12)]
        assert list(audit.counts(printed, images, 3)) == every
        assert right in every


def test_a_table_of_accuracies_says_what_else_would_fit():
    stated = [Accuracy(what="a", value=0.387, images=200, or_images=(300, 100))]
    (row,) = audit.accuracies(stated).to_dict("records")
    assert row["right answers"] == "none"
    assert not row["possible"]
    assert row["would fit"] == "300"
    (row,) = audit.accuracies([stated[0].model_copy(update={"or_because": "three classes"})]).to_dict("records")
    assert row["would fit"] == "300 (three classes)"
    assert row["95 % interval"] == "0.333–0.443"  # 116/300, statsmodels proportion_confint(116, 300, method="wilson")
    (row,) = audit.accuracies([Accuracy(what="a", value=0.387, images=200)]).to_dict("records")
    assert row["95 % interval"] == "0.320–0.454"  # where no other number is named: 77/200


@pytest.mark.parametrize(
    ("value", "images", "found"),
    [
        (0.8266, 998, [825]),  # 825/998 = 0.826653, which rounding prints as 0.8267
        (0.8266, 1007, []),  # 832/1007 = 0.82622, 833/1007 = 0.82721
        (0.33, 3, [1]),
        (0.66, 3, [2]),
        (1.0, 3, [3]),
    ],
)
def test_numbers_of_right_answers_behind_a_figure_that_was_cut(value, images, found):
    assert list(audit.cut(value, images)) == found


def test_a_cut_figure_is_called_one():
    (row,) = audit.accuracies([Accuracy(what="a", value=0.8266, images=998)]).to_dict("records")
    assert row["would fit"] == "825 of 998 (cut, not rounded)"


def test_scores_that_are_no_accuracies_are_left_out():
    given = {"source": "test", "value": 0.5001, "images": 4, "not_redone": "made up"}
    stated = [Result(model="m", score="macro_f1", **given), Result(model="m", **given)]
    assert len(audit.accuracies(stated)) == 1


def test_a_report_is_held_against_accuracies_on_as_many_images():
    """Two accuracies of one model on the same images, as Ramesh states for VGG16: 466 and about 272 of 1,007."""
    stated = facts("ham10000-transfer")
    rows = audit.stated_rows(stated.reports["vgg16"], [*stated.results, *stated.accuracies])
    assert rows[["figure", "stated", "agrees"]].values.tolist() == [
        ["VGG16 frozen, model.evaluate on test", 0.46276, False],
        ["VGG16 frozen, printed report on test", 0.27, True],
    ]
    rows = audit.stated_rows(stated.reports["resnet50v2"], [*stated.results, *stated.accuracies])
    assert dict(zip(rows["stated"], rows["agrees"], strict=True)) == {0.416834: True, 0.8146: False, 0.8266: False}


REPORT = {
    "model": "m",
    "images": 100,
    "classes": {"a": (0.50, 0.40, 0.44, 40), "b": (0.65, 0.73, 0.69, 60)},
    "accuracy": 0.60,
    "macro": (0.58, 0.57, 0.57),
    "weighted": (0.59, 0.60, 0.59),
}


def test_a_report_from_a_real_matrix_agrees():
    """Matrix [[16, 24], [16, 44]]: precision 0.5 and 44/68, recall 0.4 and 44/60."""
    rows = audit.report_rows(Report(**REPORT))
    assert rows["agrees"].all()
    assert audit.possible_classes(Report(**REPORT))["possible"].all()


@pytest.mark.parametrize(
    ("change", "figure"),
    [
        ({"accuracy": 0.70}, "accuracy, from recalls"),
        ({"images": 101}, "images"),
        ({"macro": (0.58, 0.61, 0.57)}, "unweighted mean of recall"),
        ({"weighted": (0.59, 0.60, 0.65)}, "weighted mean of F1"),
        ({"classes": REPORT["classes"] | {"a": (0.50, 0.40, 0.50, 40)}}, "F1 of a"),
    ],
)
def test_a_changed_figure_is_found(change, figure):
    rows = audit.report_rows(Report(**(REPORT | change)))
    assert figure in rows.loc[~rows["agrees"], "figure"].tolist()


def test_the_library_refuses_scores_that_no_answers_give():
    impossible = REPORT | {"classes": REPORT["classes"] | {"a": (0.50, 0.40, 0.90, 40)}}
    found = audit.possible_classes(Report(**impossible)).set_index("class")
    assert not found.loc["a", "possible"]
    assert found.loc["b", "possible"]


def test_scores_of_a_matrix():
    crosstab = Crosstab(model="m", classes=("a", "b"), rows=((16, 24), (16, 44)), accuracy=0.6)
    accuracy, table = audit.crosstab_scores(crosstab)
    assert accuracy == 0.6
    assert table.loc["a", "precision"] == 0.5
    assert table.loc["b", "recall"] == pytest.approx(44 / 60)
    assert table["images"].tolist() == [40, 60]
    assert audit.crosstab_rows(crosstab, Report(**REPORT))["agrees"].all()


def test_the_published_matrix_gives_416_of_998_and_agrees_with_its_report_otherwise():
    ramesh = facts("ham10000-transfer")
    rows = audit.crosstab_rows(ramesh.crosstabs["resnet50v2"], ramesh.reports["resnet50v2"])
    wrong = rows[~rows["agrees"]]
    assert wrong["figure"].tolist() == ["accuracy, matrix of ResNet50V2 frozen"]
    assert wrong["follows"].tolist() == ["416/998 = 0.4168"]
    for report in ramesh.reports.values():
        assert audit.report_rows(report)["agrees"].all()


def test_the_accuracy_beside_the_published_matrix_is_stated_for_other_images():
    ramesh = facts("ham10000-transfer")
    rows = audit.crosstab_rows(ramesh.crosstabs["resnet50v2"], None, [*ramesh.results, *ramesh.accuracies])
    assert rows[["figure", "stated", "follows", "agrees"]].values.tolist()[1:] == [
        ["images behind ResNet50V2 frozen, stated for test (0.84)", 1007, "998 in the matrix", False]
    ]


def test_scores_of_the_published_matrix_are_those_of_scikit_learn():
    """confusion_matrix order; values of sklearn.metrics.classification_report on the 998 pairs, digits=3."""
    accuracy, table = audit.crosstab_scores(facts("ham10000-transfer").crosstabs["resnet50v2"])
    assert accuracy == pytest.approx(0.416834, abs=5e-7)
    assert table["precision"].round(3).tolist() == [0.056, 0.015, 0.128, 0.0, 0.101, 0.666, 0.0]
    assert table["recall"].round(3).tolist() == [0.062, 0.020, 0.156, 0.0, 0.153, 0.566, 0.0]
    assert table["F1"].mean() == pytest.approx(0.1357, abs=5e-5)


@pytest.mark.parametrize(
    ("report", "pairs"), [("vgg16", [6, 16, 4, 50, 57, 14, 52]), ("resnet50v2", [6, 27, 11, 988, 17, 18, 985])]
)
def test_numbers_of_answers_behind_three_scores(report, pairs):
    """As counted by trying every number of true and false positives by hand (silent classes: by the library)."""
    assert audit.possible_classes(facts("ham10000-transfer").reports[report])["pairs"].tolist() == pairs


@pytest.mark.parametrize(
    ("study", "impossible"),
    [
        ("ham10000-transfer", ["ResNet50V2 frozen, stated for validation"]),
        ("isic2019-transfer", []),
        ("melanoma-cnn", []),
        ("melanoma-three-classes", ["first network (three classes), stated for validation"]),
        ("metastasis-architectures", []),
        (
            "metastasis-baselines",
            ["CNN with softmax inside, stated for validation", "CNN with ReLU inside, stated for validation"],
        ),
    ],
)
def test_published_accuracies_that_are_no_whole_number_of_images(study, impossible):
    stated = facts(study)
    found = audit.accuracies([*stated.results, *stated.accuracies])
    assert found.loc[~found["possible"], "figure"].tolist() == impossible
