import numpy as np
import pandas as pd
import pytest
from caught_report import caught, parts
from section_run import DRAWING, by, frames, labels, two_classes
from sklearn.metrics import average_precision_score, recall_score, roc_auc_score, roc_curve

from lesionbook import calibration, predictions
from lesionbook.images import Store
from lesionbook.run import Run
from lesionbook.sections import concern

TEST, VALIDATION = frames(), frames(seed=9, split="val")
AREA = roc_auc_score(labels(TEST["strong"]), TEST["strong"]["p_malignant"])


@pytest.fixture
def shown(monkeypatch):
    return caught(monkeypatch)


def test_how_well_the_class_is_found(shown, tmp_path):
    concern.detection(two_classes(tmp_path), TEST, "malignant", **DRAWING)
    truth, score = labels(TEST["strong"]), TEST["strong"]["p_malignant"]
    row = by(shown.tables["detection"], "model").loc["strong"]
    assert parts(row["AUC (DeLong)"])[0] == pytest.approx(AREA, abs=5e-3)
    assert parts(row["average precision"])[0] == pytest.approx(average_precision_score(truth, score), abs=5e-3)
    false, found, _ = roc_curve(truth, score, drop_intermediate=False)
    rates = by(shown.tables["fixed-rates"], "model").loc["strong"]
    assert parts(rates["sensitivity at 95 % specificity"])[0] == pytest.approx(found[false <= 0.05].max(), abs=5e-3)
    assert parts(rates["specificity at 95 % sensitivity"])[0] == pytest.approx(1 - false[found >= 0.95].min(), abs=5e-3)
    assert f"{truth.sum()} of 120 images of 60 groups" in shown.captions["tbl-detection"]
    assert f"average precision of {truth.mean():.2f}" in shown.captions["tbl-detection"]


def youden(frame):
    false, found, thresholds = roc_curve(labels(frame), frame["p_malignant"], drop_intermediate=False)
    return thresholds[np.argmax(found - false)]


def test_thresholds_come_from_the_validation_images(shown, tmp_path):
    run = two_classes(tmp_path)
    table = concern.operating_points(run, VALIDATION, TEST, "malignant", cost_of_miss=10.0, **DRAWING)
    row = by(shown.tables["youden"], "model").loc["weak"]
    threshold, truth = youden(VALIDATION["weak"]), labels(TEST["weak"])
    flagged = (TEST["weak"]["p_malignant"] >= threshold).to_numpy()
    assert row["threshold"] == f"{threshold:.3f}" != f"{youden(TEST['weak']):.3f}"
    assert row[f"missed of {truth.sum()}"] == (~flagged & (truth == 1)).sum()
    assert row[f"false alarms of {(1 - truth).sum()}"] == (flagged & (truth == 0)).sum()
    assert parts(row["sensitivity"])[0] == pytest.approx(flagged[truth == 1].mean(), abs=5e-3)
    assert parts(row["specificity"])[0] == pytest.approx(1 - flagged[truth == 0].mean(), abs=5e-3)
    rate = (1 - labels(VALIDATION["weak"])).sum() / labels(VALIDATION["weak"]).sum()
    assert f"worth {rate:.1f} false alarms" in shown.captions["tbl-youden"]
    missed = {rule: table.loc[(rule, "weak", "sensitivity"), "estimate"] for rule in ("youden", "cost")}
    assert missed["cost"] >= missed["youden"]
    assert "10 false alarms" in shown.captions["tbl-cost"]


def test_net_benefit_of_the_scaled_probabilities(shown, tmp_path):
    temperatures = {"weak": 2.0, "strong": 0.5}
    run = two_classes(tmp_path)
    concern.net_benefit(run, TEST, temperatures, "strong", "malignant", cost_of_miss=4.0, **DRAWING)
    truth = labels(TEST["strong"]) == 1
    acts = (calibration.scaled(TEST["strong"], 0.5)["p_malignant"] >= 0.2).to_numpy()
    expected = (acts & truth).mean() - (acts & ~truth).mean() * 0.2 / 0.8
    everyone = truth.mean() - (~truth).mean() * 0.2 / 0.8
    row = by(shown.tables["net-benefit"], "model").loc["strong"]
    assert parts(row["net benefit (95 %)"])[0] == pytest.approx(expected, abs=5e-4)
    gain = parts(row["more than the better default (95 %)"])[0]
    assert gain == pytest.approx(expected - max(everyone, 0), abs=1.1e-3)
    caption = shown.captions["tbl-net-benefit"]
    assert "threshold 0.200" in caption
    assert f"a perfect model +{truth.mean():.3f}" in caption
    assert shown.figures["net-benefit"].axes[0].get_lines()


def with_index(monkeypatch, frame, **columns):
    index = frame[["image_id", "group", "label", "split"]].assign(**columns)
    store = Store(index, np.zeros((len(index), 4, 4, 3), np.uint8), ["benign", "malignant"])
    monkeypatch.setattr(Run, "store", lambda run: store)


def test_subgroups_have_the_scores_of_their_images(shown, tmp_path, monkeypatch):
    frame = TEST["strong"]
    sex = np.where(np.arange(len(frame)) % 4 < 2, "male", "female")  # whole groups
    with_index(monkeypatch, frame, sex=sex)
    concern.subgroups(two_classes(tmp_path), frame, "malignant", **DRAWING)
    table = by(shown.tables["subgroups"], "subgroup")
    assert table.index.tolist() == ["all images", "sex: female", "sex: male"]
    part = frame[sex == "male"]
    row = table.loc["sex: male"]
    assert row[["images", "groups", "Malignant"]].tolist() == [60, 30, labels(part).sum()]
    kept = recall_score(part["label"], predictions.predicted(part), average="macro")
    assert parts(row["balanced accuracy"])[0] == pytest.approx(kept, abs=5e-3)
    assert parts(row["AUC"])[0] == pytest.approx(roc_auc_score(labels(part), part["p_malignant"]), abs=5e-3)
    assert parts(table.loc["all images", "AUC"])[0] == pytest.approx(AREA, abs=5e-3)
    assert "subgroups" in shown.figures


def test_without_metadata_it_is_said_that_nothing_can_be_looked_at(shown, tmp_path, monkeypatch):
    with_index(monkeypatch, TEST["strong"])
    table = concern.subgroups(two_classes(tmp_path), TEST["strong"], "malignant", **DRAWING)
    assert set(table["attribute"]) == {"all"}
    assert not shown.tables
    (note,) = shown.notes
    assert note.startswith("The data set says nothing of age, sex, body site")


def test_everything_is_shown_of_a_single_model(shown, tmp_path):
    run, one = two_classes(tmp_path), {"strong": TEST["strong"]}
    concern.detection(run, one, "malignant", **DRAWING)
    concern.operating_points(run, VALIDATION, one, "malignant", cost_of_miss=10.0, **DRAWING)
    curves = concern.net_benefit(run, one, {"strong": 1.0}, "strong", "malignant", cost_of_miss=10.0, **DRAWING)
    for label in ("detection", "fixed-rates", "youden", "cost", "net-benefit"):
        assert shown.tables[label]["model"].tolist() == ["strong"], label
    assert isinstance(curves, pd.DataFrame)
    assert set(curves["model"]) == {"strong"}
