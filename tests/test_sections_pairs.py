import pytest
from caught_report import caught, parts
from made_predictions import made
from section_run import CLASSES, DRAWING, by, frames, labels, two_classes
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from lesionbook import predictions
from lesionbook.sections import pairs

TEST = frames() | {"twin": frames()["strong"]}


@pytest.fixture
def shown(monkeypatch):
    return caught(monkeypatch)


def balanced(model):
    return balanced_accuracy_score(TEST[model]["label"], predictions.predicted(TEST[model]))


def test_differences_are_those_from_the_chosen_model(shown, tmp_path):
    table = pairs.differences(two_classes(tmp_path), TEST, "strong", **DRAWING)
    against = by(shown.tables["against-balanced-accuracy"], "model")
    assert against.index.tolist() == ["weak", "twin"]
    estimate, low, high = parts(against.loc["weak", "difference\u00a0(95\u00a0%)"])
    assert estimate == pytest.approx(balanced("weak") - balanced("strong"), abs=5e-4)
    assert low < estimate < high < 0
    assert against.loc["weak", ["verdict", "images needed"]].tolist() == ["worse", ""]
    assert against.loc["twin", ["verdict", "images needed"]].tolist() == ["not told apart", ">1,000,000"]
    assert len(table) == 3 * 3
    assert "for 3 pairs" in shown.captions["fig-pairs-balanced-accuracy"]
    told = table[table["score"] == "balanced_accuracy"].set_index(["model", "reference"])["sentence"]
    assert told["strong", "weak"] == "strong is better than weak on this test set."
    assert told["twin", "strong"].startswith("twin and strong are not told apart")


def test_p_values_beside_their_adjusted_ones(shown, tmp_path):
    table = pairs.differences(two_classes(tmp_path), TEST, "weak", **DRAWING)
    row = table[(table["score"] == "macro_auc") & (table["model"] == "strong")].iloc[0]
    cells = by(shown.tables["against-macro-auc"], "model").loc["strong"]
    for name, value in (("p", row["p"]), ("p, Holm", row["p_holm"])):
        assert cells[name] == ("<0.001" if value < 0.001 else f"{value:.3f}")
    assert row["p_holm"] >= row["p"]


def test_images_that_one_model_alone_gets_right(shown, tmp_path):
    run = two_classes(tmp_path)
    differences = pairs.differences(run, TEST, "strong", **DRAWING)
    pairs.accuracies(run, TEST, "strong", differences)
    right = {model: (predictions.predicted(TEST[model]) == TEST[model]["label"]).to_numpy() for model in TEST}
    alone = int((right["weak"] & ~right["strong"]).sum()), int((right["strong"] & ~right["weak"]).sum())
    row = by(shown.tables["mcnemar"], "model").loc["weak"]
    assert row[["right alone", "chosen alone"]].tolist() == list(alone)
    assert "p, by group" in row
    gap = parts(by(shown.tables["against-accuracy"], "model").loc["weak", "difference\u00a0(95\u00a0%)"])
    scores = [accuracy_score(TEST[model]["label"], predictions.predicted(TEST[model])) for model in ("weak", "strong")]
    assert gap[0] == pytest.approx(scores[0] - scores[1], abs=5e-4)
    assert "swaps whole groups" in shown.captions["tbl-mcnemar"]


def test_p_values_of_mcnemars_test_are_adjusted_for_all_pairs(shown, tmp_path):
    run = two_classes(tmp_path)
    test = {name: made(n=120, classes=CLASSES, seed=k, strength=1 + k / 3) for k, name in enumerate("abc")}
    pairs.accuracies(run, test, "a", pairs.differences(run, test, "a", **DRAWING))
    right = {name: (predictions.predicted(frame) == frame["label"]).to_numpy() for name, frame in test.items()}
    counts = {
        (one, other): ((right[one] & ~right[other]).sum(), (right[other] & ~right[one]).sum())
        for one, other in (("a", "b"), ("a", "c"), ("b", "c"))
    }
    found = [mcnemar([[0, n], [m, 0]], exact=n + m < 25, correction=True).pvalue for n, m in counts.values()]
    adjusted = multipletests(found, method="holm")[1]
    assert 0.001 < min(found) < min(adjusted) < 1
    cells = by(shown.tables["mcnemar"], "model")["p, McNemar"]
    assert cells[["b", "c"]].tolist() == [f"{p:.3f}" for p in adjusted[:2]]


def test_without_groups_the_test_by_image_is_the_exact_one(shown, tmp_path):
    run, test = two_classes(tmp_path), frames(per_group=1)
    pairs.accuracies(run, test, "weak", pairs.differences(run, test, "weak", **DRAWING))
    assert "p, exact" in shown.tables["mcnemar"]
    assert "swaps images" in shown.captions["tbl-mcnemar"]


def test_areas_of_one_class(shown, tmp_path):
    pairs.areas(two_classes(tmp_path), TEST, "strong", "malignant")
    row = by(shown.tables["delong"], "model").loc["weak"]
    areas = {model: roc_auc_score(labels(TEST[model]), TEST[model]["p_malignant"]) for model in TEST}
    assert parts(row["AUC (95 %)"])[0] == pytest.approx(areas["weak"], abs=5e-4)
    gap = parts(row["difference\u00a0(95\u00a0%)"])
    assert gap[0] == pytest.approx(areas["weak"] - areas["strong"], abs=1.1e-3)
    assert gap[2] < 0
    assert row["verdict"] == "worse"
    assert f"{areas['strong']:.3f}" in shown.captions["tbl-delong"]
    assert "Malignant" in shown.captions["tbl-delong"]


def test_a_single_model_is_said_to_have_nothing_to_be_compared_with(shown, tmp_path):
    run, one = two_classes(tmp_path), {"strong": TEST["strong"]}
    differences = pairs.differences(run, one, "strong", **DRAWING)
    found = [
        differences,
        pairs.accuracies(run, one, "strong", differences),
        pairs.areas(run, one, "strong", "malignant"),
    ]
    assert [len(table) for table in found] == [0, 0, 0]
    assert not shown.tables
    assert not shown.figures
    assert shown.notes == ["There is one model, so that there is nothing to compare it with."] * 3
    chosen = differences[(differences["score"] == "balanced_accuracy") & (differences["verdict"] != "not told apart")]
    assert len(chosen) == 0  # as the notebook asks for it
