import numpy as np
import pandas as pd
import pytest
from made_predictions import CLASSES, made

from lesionbook import ensemble, metrics, predictions
from lesionbook.errors import LesionbookError

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
