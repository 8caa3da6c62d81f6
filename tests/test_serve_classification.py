import numpy as np
import pytest

from lesionbook import calibration, predictions, training
from lesionbook.errors import LesionbookError
from lesionbook.serve import classification
from lesionbook.serve.limits import Limits


def files(served):
    return served.model.run.table.set_index("image_id")["path"]


def stated(served):
    test = served.model.test
    return {row["image_id"]: {key: row[f"p_{key}"] for key in served.model.run.classes} for _, row in test.iterrows()}


def test_an_image_of_the_test_split_gives_what_the_prediction_file_says(served):
    paths, known = files(served), stated(served)
    for image_id, probabilities in known.items():
        image = served.decode(paths[image_id].read_bytes(), "a")
        assert served.answer([image])[0].probabilities == probabilities


@pytest.mark.parametrize("together", [2, 3, 7])
def test_so_it_does_in_any_company(served, together):
    paths, known = files(served), stated(served)
    ids = list(known)
    for start in range(0, len(ids), together):
        some = ids[start : start + together]
        answers = served.answer([served.decode(paths[one].read_bytes(), "a") for one in some])
        assert [answer.probabilities for answer in answers] == [known[one] for one in some]


def test_what_is_decoded_is_what_is_stored(served):
    paths = files(served)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(served.folder)
        store = served.model.run.store()
    for image_id, pixels in zip(store.index["image_id"], store.array, strict=True):
        assert (served.decode(paths[image_id].read_bytes(), "a") == pixels).all()


def test_calibrated_probabilities_are_those_of_the_temperature(served):
    test = served.model.test.head(6)
    scaled = predictions.probabilities(calibration.scaled(test, served.model.temperature))
    paths = files(served)
    answers = served.answer([served.decode(paths[one].read_bytes(), "a") for one in test["image_id"]])
    assert np.allclose([list(one.calibrated.values()) for one in answers], scaled, atol=2e-5)
    assert [one.label for one in answers] == predictions.predicted(test).tolist()


def test_pictures_of_another_kind_are_known_as_such_and_those_of_the_study_are_not(served):
    paths = files(served)
    own = served.answer([served.decode(paths[one].read_bytes(), "a") for one in served.model.test["image_id"]])
    assert np.mean([one.known for one in own]) > 0.8
    noise = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    strange = [*noise, np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), 255, np.uint8)]
    assert not any(one.known for one in served.answer(strange))


def test_the_map_of_evidence_is_that_of_the_upright_view(served):
    image = served.decode(files(served)[served.model.test["image_id"].iloc[0]].read_bytes(), "a")
    heat = served.attention(image, served.model.run.classes[0])
    assert heat.ndim == 2 and heat.min() >= 0 and heat.max() <= 1


def test_the_features_of_training_images_are_computed_once(served, monkeypatch):
    monkeypatch.chdir(served.folder)
    monkeypatch.setattr(classification.Classifier, "_features", lambda *_: pytest.fail("computed again"))
    again = classification.Classifier(served.model)
    assert again.familiarity.threshold == served.familiarity.threshold


def test_a_file_is_refused_by_its_bytes_and_by_its_pixels(served, monkeypatch):
    content = files(served).iloc[0].read_bytes()
    monkeypatch.setattr(served, "limits", Limits(file_bytes=len(content) - 1))
    with pytest.raises(LesionbookError, match=rf"^a\.png has {len(content):,} bytes, the limit is"):
        served.decode(content, "C:\\photos\\a.png")
    monkeypatch.setattr(served, "limits", Limits(pixels=100))
    with pytest.raises(LesionbookError, match=r"^a\.png cannot be decoded \(it has .* pixels, the limit is 100 in all"):
        served.decode(content, "../../a.png")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.jpg", "a.jpg"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\a.png", "a.png"),
        ("a\nb\0\x1b[31m.png", "ab[31m.png"),
        ("", "The file"),
        ("/", "The file"),
        ("x" * 500, "x" * 60),
    ],
)
def test_of_a_name_only_the_last_part_is_shown(name, shown):
    assert classification.shortened(name) == shown


def test_answers_come_by_the_path_of_the_reports(served, monkeypatch):
    calls = []
    real = training.predict
    monkeypatch.setattr(training, "predict", lambda *a, **k: calls.append(k["views"]) or real(*a, **k))
    served.answer([np.zeros((32, 32, 3), np.uint8)])
    assert calls == [4]
