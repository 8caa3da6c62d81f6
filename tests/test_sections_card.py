import json

import numpy as np
import pandas as pd
import pytest
from caught_report import caught, parts
from made_predictions import made
from section_run import CLASSES, DRAWING, by
from sklearn.metrics import accuracy_score, recall_score

from lesionbook import card as facts
from lesionbook import params, predictions, reproduction
from lesionbook.run import Run
from lesionbook.sections import card


@pytest.fixture
def shown(monkeypatch):
    return caught(monkeypatch)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A comparison that chose a model, and the predictions of that model."""
    monkeypatch.setattr(Run, "folder", lambda self, step: tmp_path / step)
    sides = [made(n=80, classes=CLASSES, seed=k).assign(split=split) for k, split in enumerate(("val", "test"))]
    frame = pd.concat(sides).assign(image_id=[f"i{number}" for number in range(160)])
    for step in ("residual-cnn", "compare", "prepare"):
        (tmp_path / step).mkdir()
    frame.to_csv(tmp_path / "residual-cnn" / "predictions.csv", index=False)
    frame[["image_id", "group", "label", "split"]].to_csv(tmp_path / "prepare" / "index.csv", index=False)
    settings = params.load("my-images", "sample")
    chosen = reproduction.title(settings, "residual-cnn")
    (tmp_path / "compare" / "summary.json").write_text(json.dumps({"chosen": chosen, "scores": {"accuracy": 1}}))
    return Run("my-images", "sample", "card", settings, tmp_path)


def right(project, split):
    frame = predictions.read(project.result("residual-cnn", "predictions.csv"), split=split)
    return frame["label"], predictions.predicted(frame)


def test_the_chosen_model_with_its_scores_on_both_sides(shown, project):
    chosen, scores = card.model(project, **DRAWING)
    assert (chosen, scores) == ("residual-cnn", {"accuracy": 1})
    assert "Chosen among 2 models" in shown.notes[0]
    row = by(shown.tables["scores"], "score").loc["accuracy"]
    assert row["validation"] == f"{accuracy_score(*right(project, 'val')):.3f}"
    assert parts(row["test (95 %)"])[0] == pytest.approx(accuracy_score(*right(project, "test")), abs=5e-4)
    assert "80 validation images" in shown.captions["tbl-scores"]
    recall = parts(by(shown.tables["classes"], "class").loc["Malignant", "recall (95 %)"])[0]
    truth, guess = right(project, "test")
    assert recall == pytest.approx(recall_score(truth, guess, labels=["malignant"], average=None)[0], abs=5e-3)


def test_a_single_model_was_not_chosen_among_others(shown, project):
    experiments = {name: one for name, one in project.settings.experiments.items() if name != "colour-statistics"}
    settings = project.settings.model_copy(update={"experiments": experiments})
    card.model(Run("my-images", "sample", "card", settings, project.output), **DRAWING)
    assert shown.notes[0].startswith(
        f"The only model of the study: **{reproduction.title(settings, 'residual-cnn')}**."
    )


def test_what_the_model_is_for(shown, project):
    card.intended_use(project)
    said = by(shown.tables["use"], "what")["value"]
    assert said["output"] == "a probability for each class: Benign, Malignant"
    assert said["input"] == "one image of the kind described below, and nothing else"
    assert "no medical device" in said["not made for"]


def test_the_data_are_counted(shown, project):
    card.data(project)
    said = by(shown.tables["data"], "what")["value"]
    assert said["images used"] == "160 images of 40 groups: 0 training, 80 validation, 80 test"


@pytest.mark.parametrize(
    ("served", "said"),
    [
        (("residual-cnn", "residual-cnn-0123"), "serves it as version `residual-cnn-0123`"),
        (("other", "other-0123"), "[Other](other.html), as version `other-0123`: the scores of this card are not"),
        (("", ""), "trains no network for images alone"),
    ],
)
def test_how_the_network_is_known_again(shown, project, monkeypatch, served, said):
    experiments = project.settings.experiments
    other = experiments["residual-cnn"].model_copy(update={"title": "Other"})
    settings = project.settings.model_copy(update={"experiments": experiments | {"other": other}})
    monkeypatch.setattr(facts, "served", lambda run: served)
    card.training(Run("my-images", "sample", "card", settings, project.output), "residual-cnn")
    assert said in shown.notes[0]
    assert by(shown.tables["settings"], "knob").loc["seed", "value"] == "1"


def test_the_settings_have_the_seed_of_the_experiment(project):
    experiments = project.settings.experiments
    own = experiments["residual-cnn"].model_copy(update={"seed": 5})
    settings = project.settings.model_copy(update={"experiments": experiments | {"residual-cnn": own}})
    listed = facts.settings(Run("my-images", "sample", "card", settings, project.output), "residual-cnn")
    assert by(listed, "knob").loc["seed", "value"] == "5"


def test_limits_of_drawn_images_come_first(shown, project):
    card.limits(project)
    assert shown.notes[0].startswith("These images are drawn")


def test_items_are_counted_and_lead_to_their_places(shown, project):
    found = card.checklist(project, "claim-2024", "residual-cnn")
    table = shown.tables["claim-2024"]
    unanswered = table["answered in"].str.startswith(facts.OPEN)
    assert found == {"answered": int((~unanswered).sum()), "items": len(table)}
    assert f"{found['answered']} of {found['items']} items" in shown.captions["tbl-claim-2024"]
    assert np.all(table.columns == ["item", "asks for", "answered in"])


@pytest.mark.parametrize(
    ("columns", "said"), [({}, f"{facts.OPEN}, because"), ({"age": 40}, "Comparing the models: Subgroups")]
)
def test_the_index_decides_which_sections_answer(shown, project, columns, said):
    path = project.result("prepare", "index.csv")
    pd.read_csv(path).assign(**columns).to_csv(path, index=False)
    card.checklist(project, "tripod-ai", "residual-cnn")
    assert by(shown.tables["tripod-ai"], "item").loc["14", "answered in"].startswith(said)
