import json

import keras
import numpy as np
import pandas as pd
import pytest
import served_project

from lesionbook import params, paths, predictions, run
from lesionbook.errors import LesionbookError
from lesionbook.serve import model, text


@pytest.fixture
def project(served, tmp_path, monkeypatch):
    """The served project, with a copy of its results to spoil."""
    import shutil

    folder = tmp_path / "project"
    shutil.copytree(served.folder, folder, ignore=shutil.ignore_patterns("images.npy", "serve"))
    (folder / "build/laptop/colours/prepare/images.npy").symlink_to(
        served.folder / "build/laptop/colours/prepare/images.npy"
    )
    monkeypatch.chdir(folder)
    return folder / "build/laptop/colours"


def another(project, score):
    """A second network beside the first, with a prediction file of its own."""
    frame = predictions.read(project / "small" / "predictions.csv")
    (project / "other").mkdir()
    (project / "other" / "model.keras").touch()
    columns = [predictions.PREFIX + name for name in predictions.class_names(frame)]
    frame[columns] = np.eye(3)[pd.Categorical(frame["label"]).codes] if score else np.eye(3)[[0] * len(frame)]
    predictions.write(frame, project / "other" / "predictions.csv")


@pytest.mark.parametrize(("score", "chosen"), [(1, "other"), (0, "small")])
def test_the_best_on_validation_is_chosen(project, score, chosen):
    another(project, score)
    assert model.choose(*served_project.PLACE) == chosen


def test_the_test_images_have_no_part_in_the_choice(project):
    another(project, 1)
    frame = predictions.read(project / "other" / "predictions.csv")
    columns = [predictions.PREFIX + name for name in predictions.class_names(frame)]
    frame.loc[frame["split"] == "test", columns] = [1.0, 0.0, 0.0]
    predictions.write(frame, project / "other" / "predictions.csv")
    assert model.choose(*served_project.PLACE) == "other"


def test_what_is_loaded_answers_as_its_report_and_says_who_it_is(served):
    found = served.model
    assert (found.title, found.views, found.size) == ("A small network", 4, 32)
    assert found.version.startswith("small-") and len(found.version) == len("small-") + 12
    assert found.smallest in (1, 2)
    assert set(found.validation["split"]) == {"val"} and set(found.test["split"]) == {"test"}


def test_the_card_is_json_and_names_the_choice_of_the_comparison(served):
    card = json.loads(json.dumps(model.card(served.model)))
    assert card["best_of_all_models"] == "colour statistics"
    assert card["classes"] == served_project.CLASSES
    assert "not a diagnosis" in card["use"]
    assert card["test"] == {"accuracy": {"estimate": 1.0}}
    assert str(served.folder) not in json.dumps(card)


def test_who_is_asked_for_by_name_was_not_chosen(project, served):
    found = model.load(*served_project.PLACE, "small")
    assert found.named and not served.model.named
    assert model.card(found)["chosen"] == "by name"
    assert "asked for by name" in text.explanation(found, served.grad_cam)
    assert "asked for by name" not in text.explanation(served.model, served.grad_cam)


def test_the_version_is_that_of_the_weights_and_not_of_the_file(project, served):
    network = keras.models.load_model(project / "small" / "model.keras")
    network.save(project / "small" / "model.keras")
    assert model.load(*served_project.PLACE).version == served.model.version


def test_a_network_of_another_run_is_refused(project):
    network = keras.models.load_model(project / "small" / "model.keras")
    network.layers[-2].set_weights([1.1 * one for one in network.layers[-2].get_weights()])
    network.save(project / "small" / "model.keras")
    with pytest.raises(LesionbookError, match=r"the network of small does not answer what its predictions\.csv says"):
        model.load(*served_project.PLACE)


def test_code_in_a_file_is_not_run(project, capsys):
    inputs = keras.Input((32, 32, 3))
    outputs = keras.layers.Lambda(lambda x: print("run") or x)(inputs)
    keras.Model(inputs, outputs).save(project / "small" / "model.keras")
    capsys.readouterr()
    with pytest.raises(LesionbookError, match="is no network that this version can read"):
        model.load(*served_project.PLACE)
    assert "run" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off"])
def test_a_damaged_file_is_refused(project, content):
    (project / "small" / "model.keras").write_bytes(content)
    with pytest.raises(LesionbookError, match=r"^serve: build/laptop/colours/small/model\.keras is no network"):
        model.load(*served_project.PLACE)


def test_without_a_network_it_says_what_to_run(project):
    (project / "small" / "model.keras").unlink()
    with pytest.raises(LesionbookError, match="run make report STUDY=colours PROFILE=laptop first"):
        model.load(*served_project.PLACE)


@pytest.mark.parametrize(
    ("name", "said"), [("compare", "'compare' leaves no network"), ("other", "other/model.keras is missing")]
)
def test_an_experiment_without_a_network_is_refused(project, name, said):
    with pytest.raises(LesionbookError, match=said):
        model.load(*served_project.PLACE, name)


def test_a_comparison_that_has_not_run_is_no_obstacle(project):
    (project / "compare" / "summary.json").unlink()
    settings = params.load(*served_project.PLACE)
    own = run.Run(*served_project.PLACE, "small", settings, paths.step("laptop", "colours", "small"))
    assert model._compared(own) == ""
