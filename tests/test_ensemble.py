import json

import keras
import numpy as np
import pandas as pd
import pytest
import yaml
from made_predictions import CLASSES, made
from small_store import SIZE, small_network, small_store

from lesionbook import ensemble, metrics, params, predictions, training
from lesionbook.architectures.layers import AgainstZero
from lesionbook.architectures.residual_cnn import residual_cnn
from lesionbook.errors import LesionbookError
from lesionbook.run import Run

INDEX = pd.DataFrame(
    {
        "image_id": ["007", "008", "009"],
        "group": ["01", "01", "02"],
        "split": ["val", "test", "test"],
        "label": ["bcc", "nv", "akiec"],
    }
)


def test_the_mean_of_two_models_is_that_of_each_probability():
    one = predictions.table(INDEX, np.array([[0.2, 0.5, 0.3], [0.25, 0.25, 0.5], [1, 0, 0]]), CLASSES)
    other = predictions.table(INDEX, np.array([[0.6, 0.1, 0.3], [0.75, 0.25, 0], [0, 0, 1]]), CLASSES)
    frame = ensemble.mean({"one": one, "other": other})
    expected = [[0.4, 0.3, 0.3], [0.5, 0.25, 0.25], [0.5, 0, 0.5]]
    assert np.allclose(predictions.probabilities(frame), expected)
    pd.testing.assert_frame_equal(frame[predictions.KEYS], INDEX)
    assert list(frame.columns) == list(one.columns)


def test_each_model_counts_once_whatever_its_number():
    frames = {str(k): predictions.table(INDEX, np.eye(3)[[k, k, k]], CLASSES) for k in range(3)}
    frame = ensemble.mean(frames)
    assert np.allclose(predictions.probabilities(frame), 1 / 3)
    assert np.allclose(predictions.probabilities(ensemble.mean({"0": frames["0"]})), [1, 0, 0])


def test_rows_and_classes_in_another_order_change_nothing():
    one, other = made(n=60, seed=1), made(n=60, seed=2)
    expected = ensemble.mean({"one": one, "other": other})
    shuffled = other.sample(frac=1, random_state=3)
    reordered = shuffled[[*predictions.KEYS, "p_nv", "p_akiec", "p_bcc"]]
    pd.testing.assert_frame_equal(ensemble.mean({"one": one, "other": reordered}), expected)
    turned = ensemble.mean({"other": reordered, "one": one})
    assert turned["image_id"].tolist() == shuffled["image_id"].tolist()
    assert predictions.class_names(turned) == ["nv", "akiec", "bcc"]
    again = turned.set_index("image_id").loc[expected["image_id"]].reset_index()[list(expected.columns)]
    pd.testing.assert_frame_equal(again, expected)


def test_independent_errors_cancel():
    frames = {str(seed): made(n=600, seed=seed) for seed in range(1, 8)}
    single = [metrics.scores(frame)["accuracy"] for frame in frames.values()]
    assert metrics.scores(ensemble.mean(frames))["accuracy"] > max(single) + 0.05


def test_what_is_read_from_files_can_be_averaged_and_written(tmp_path):
    for name, seed in (("one", 1), ("other", 2)):
        predictions.write(made(n=20, seed=seed), tmp_path / f"{name}.csv")
    read = {name: predictions.read(tmp_path / f"{name}.csv") for name in ("one", "other")}
    predictions.write(ensemble.mean(read), tmp_path / "mean.csv")
    expected = np.mean([predictions.probabilities(made(n=20, seed=seed)) for seed in (1, 2)], axis=0)
    assert np.allclose(predictions.probabilities(predictions.read(tmp_path / "mean.csv")), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda frame: frame.iloc[1:], "images"),
        (lambda frame: frame.assign(image_id=[f"j{k}" for k in range(len(frame))]), "images"),
        (lambda frame: frame.assign(label=frame["label"].iloc[::-1].to_numpy()), "labels"),
        (lambda frame: frame.assign(split="val"), "splits"),
        (lambda frame: frame.assign(group="g"), "groups"),
        (lambda frame: frame.rename(columns={"p_nv": "p_mel"}), "classes"),
    ],
)
def test_models_that_saw_something_else_are_refused(change, what):
    frame = made(n=12)
    with pytest.raises(LesionbookError) as caught:
        ensemble.mean({"one": frame, "other": change(frame)})
    assert str(caught.value) == (
        f"ensemble: other and one were not given the same {what}; run both again on one preparation (make report)."
    )


@pytest.mark.parametrize("place", [0, 1])
def test_an_image_predicted_twice_is_refused(place):
    frame = made(n=12)
    frames = [frame, frame]
    frames[place] = pd.concat([frame, frame.iloc[[3]]])
    with pytest.raises(LesionbookError, match=r"^ensemble: m\d predicts the image 'i00003' twice; run its notebook"):
        ensemble.mean({f"m{k}": frames[k] for k in range(2)})


def test_no_models_are_refused():
    with pytest.raises(LesionbookError, match=r"^ensemble: there are no models to average; name at least one\.$"):
        ensemble.mean({})


def test_the_log_loss_of_the_mean_is_never_worse_than_the_mean_log_loss():
    """Jensen's inequality, image by image; the accuracy obeys none."""
    frames = {str(seed): made(n=300, seed=seed, decimals=9) for seed in range(5)}
    losses = [metrics.per_image(frame)["log_loss"] for frame in frames.values()]
    assert (metrics.per_image(ensemble.mean(frames))["log_loss"] <= np.mean(losses, axis=0) + 1e-12).all()
    two_of_three = {
        str(share): predictions.table(INDEX.head(1), np.array([[0, share, 1 - share]]), CLASSES)
        for share in (0.51, 0.52, 0.1)
    }
    right = [metrics.scores(frame)["accuracy"] for frame in two_of_three.values()]
    assert np.mean(right) == pytest.approx(2 / 3)
    assert metrics.scores(ensemble.mean(two_of_three))["accuracy"] == 0


def test_scores_are_those_of_each_side():
    both = pd.concat([made(n=40, seed=1).assign(split="val"), made(n=60, seed=2)])
    table = ensemble.scores({"one": both, "other": made(n=60, seed=3)})
    assert list(table.index) == [("one", "val"), ("one", "test"), ("other", "test")]
    assert list(table.columns) == ["accuracy", "balanced_accuracy", "macro_auc", "log_loss"]
    expected = metrics.scores(made(n=60, seed=2))
    assert (table.loc[("one", "test")] == expected[table.columns]).all()


def answering(right):
    """Four images of class a; the answer is right where it is said."""
    index = pd.DataFrame({"image_id": list("wxyz"), "group": list("wxyz"), "split": "test", "label": "a"})
    return predictions.table(index, np.array([[0.9, 0.1] if one else [0.2, 0.8] for one in right]), ["a", "b"])


def test_agreement_counts_images_that_both_get_wrong():
    frames = {
        "half": answering([0, 0, 1, 1]),
        "same": answering([0, 0, 1, 1]).iloc[::-1],
        "independent": answering([0, 1, 0, 1]),
        "opposite": answering([1, 1, 0, 0])[[*predictions.KEYS, "p_b", "p_a"]],
        "perfect": answering([1, 1, 1, 1]),
    }
    pairs = ensemble.agreement(frames).set_index(["model", "other"])
    assert len(pairs) == 10
    half = pairs.loc["half"]
    assert half["wrong"].tolist() == [0.5] * 4
    assert half["other_wrong"].to_dict() == {"same": 0.5, "independent": 0.5, "opposite": 0.5, "perfect": 0}
    assert half["both_wrong"].to_dict() == {"same": 0.5, "independent": 0.25, "opposite": 0, "perfect": 0}
    assert half["if_independent"].tolist() == [0.25, 0.25, 0.25, 0]
    assert half["correlation"].tolist()[:3] == [1, 0, -1]
    assert np.isnan(half["correlation"]["perfect"])


def test_one_model_has_nothing_to_agree_with():
    with pytest.raises(LesionbookError, match=r"^ensemble: errors coincide in two models or more; name another one\.$"):
        ensemble.agreement({"one": made(n=12)})


@pytest.fixture
def networks(tmp_path, one_thread):
    """Two networks in files, one of them with layers of this project."""
    models = {
        "small": small_network(0.5),
        "residual": residual_cnn(SIZE, 3, widths=(4,), blocks=(1,)),
    }
    files = {}
    for seed, (name, model) in enumerate(models.items()):
        weights = np.random.default_rng(seed)
        model.set_weights([one + weights.normal(scale=0.3, size=one.shape) ** 2 for one in model.get_weights()])
        model.compile(optimizer="adam", loss="categorical_crossentropy")
        files[name] = tmp_path / name / "model.keras"
        files[name].parent.mkdir()
        model.save(files[name])
    return models, files


@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("views", [1, 8])
def test_members_answer_as_the_networks_in_the_files(networks, views):
    models, files = networks
    store, said = small_store(), []
    tables = ensemble.members(files, store, views=views, on_progress=lambda *now: said.append(now))
    assert said == [(0, 2), (1, 2), (2, 2)]
    assert list(tables) == ["small", "residual"]
    for name, table in tables.items():
        assert table["split"].tolist() == ["val"] * 9 + ["test"] * 7
        for split in ("val", "test"):
            part, rows = table[table["split"] == split], store.rows(split)
            assert part["image_id"].tolist() == rows.index["image_id"].tolist()
            expected = training.predict(models[name], rows, views=views)
            assert np.allclose(predictions.probabilities(part), expected, atol=1e-6)
    assert not np.allclose(*(predictions.probabilities(table) for table in tables.values()), atol=0.01)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("views", [1, 4])
def test_networks_together_answer_for_images_as_the_mean_of_their_tables(networks, views):
    _, files = networks
    rows = small_store().rows("test")
    predict = ensemble.together([ensemble.network(file) for file in files.values()], views=views)
    tables = ensemble.members(files, small_store(), views=views)
    mean = ensemble.mean({name: table[table["split"] == "test"] for name, table in tables.items()})
    assert np.allclose(predict(rows.images()), predictions.probabilities(mean), atol=1e-6)
    assert np.allclose(predict(rows.images(slice(2, 3))), predictions.probabilities(mean)[2:3], atol=1e-6)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_a_network_keeps_the_number_format_it_was_trained_in(tmp_path, one_thread):
    inputs = keras.Input((4,))
    score = keras.layers.Dense(1, dtype="mixed_bfloat16", name="score")(inputs)
    keras.Model(inputs, AgainstZero(dtype="float32", name="both")(score)).save(tmp_path / "model.keras")
    read = ensemble.network(tmp_path / "model.keras")
    assert [read.get_layer(name).compute_dtype for name in ("score", "both")] == ["bfloat16", "float32"]


EXPERIMENTS = {
    "explore": {"notebook": "01-explore"},
    "prepare": {"notebook": "03-prepare"},
    "colours": {"notebook": "11-colours"},
    "one": {"notebook": "20-network", "parameters": {"views": 4}},
    "two": {"notebook": "31-network"},
    "both": {"notebook": "50-both"},
    "compare": {"notebook": "90-compare"},
}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A study of two networks that have been trained, and a model that is no network."""
    for folder in ("params", "notebooks"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    study = {"title": "t", "summary": "s", "dataset": "pcam", "seed": 1, "images": {"size": 32}}
    study |= {"split": {"train": 0.6, "validation": 0.2, "test": 0.2}, "experiments": EXPERIMENTS}
    (tmp_path / "params" / "tiny.yml").write_text(yaml.safe_dump(study, sort_keys=False))
    cell = {"cell_type": "code", "source": "views = 1", "metadata": {"tags": ["parameters"]}}
    for name in ("20-network", "31-network"):
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(json.dumps({"cells": [cell]}))
    for name in ("one", "two"):
        folder = tmp_path / "build" / "laptop" / "tiny" / name
        folder.mkdir(parents=True)
        (folder / "model.keras").write_bytes(b"")
    return Run("tiny", "laptop", "both", params.load("tiny", "laptop"), tmp_path)


def test_the_networks_of_a_study_are_found(run):
    assert list(ensemble.files(run, ())) == ["one", "two"]
    found = ensemble.files(run, ("two",))
    assert found == {"two": run.folder("two") / "model.keras"}


@pytest.mark.parametrize("name", ["colours", "both", "tow"])
def test_what_is_no_network_is_refused(run, name):
    with pytest.raises(LesionbookError) as caught:
        ensemble.files(run, ("one", name))
    assert str(caught.value) == (
        f"params/tiny.yml: models: {name!r} leaves no network for images alone; name some of one, two."
    )


def test_a_study_without_networks_is_refused(run):
    without = {name: one for name, one in run.settings.experiments.items() if name not in ("one", "two")}
    run = Run("tiny", "laptop", "both", run.settings.model_copy(update={"experiments": without}), run.output)
    with pytest.raises(
        LesionbookError, match=r"^params/tiny\.yml: no experiment trains a network; add one of notebooks"
    ):
        ensemble.files(run, ())


def test_the_views_of_a_network_are_those_of_the_study_file_or_of_its_notebook(run):
    assert [ensemble.own_views(run, name) for name in ("one", "two")] == [4, 1]
