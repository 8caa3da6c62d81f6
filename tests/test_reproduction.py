import json

import numpy as np
import pandas as pd
import pytest

from lesionbook import params, predictions, reproduction, run, statistics
from lesionbook.sections import published as section


def at(tmp_path, profile="laptop", study="ham10000-transfer", settings=None):
    return run.Run(study, profile, "compare", settings or params.load(study, profile), tmp_path)


def scored(*rows):
    table = pd.DataFrame(rows, columns=["model", "score", "estimate", "low", "high"])
    return table.assign(n_images=1000, n_groups=740).set_index(["model", "score"])


FOUND = scored(
    ("VGG16, frozen", "accuracy", 0.70, 0.67, 0.73),
    ("ResNet50V2, frozen", "accuracy", 0.79, 0.76, 0.85),
    ("ResNet50V2, frozen, augmented", "accuracy", 0.67, 0.62, 0.74),
)


def test_every_stated_score_gets_a_verdict_and_a_reason(tmp_path):
    table = reproduction.table(at(tmp_path), FOUND)
    assert table["verdict"].tolist() == ["differs", "not compared", "agrees", "not compared", "differs"]
    assert table["here"].round(2).tolist()[::2] == [0.70, 0.79, 0.67]
    assert table["here"].isna().tolist() == [False, True, False, True, False]
    first = table.iloc[0]
    assert (first["stated_low"], first["stated_high"]) == pytest.approx(
        (0.4322, 0.4936), abs=5e-5
    )  # statsmodels, 466 of 1007
    assert first["why"].startswith("split by lesion, not by image; ")
    assert "images of 96 pixels instead of 224" in first["why"]
    assert "changed for this profile: feature variants" in first["why"]
    assert "chance alone" not in first["why"]
    assert "chance alone may do" in table["why"].iloc[4]  # 0.73 lies inside 0.62 to 0.74
    assert "predictions with labels of other images" in table["why"].iloc[1]


GROUPS, IMAGES = 200, 5  # lesions on a side, and images of each; all images of a lesion are right, or all wrong


def write(folder, *, right, wrong_on_validation=0):
    """Write a prediction file with `right` of the lesions right on the test side, and other numbers on validation."""
    classes = list(run.datasets.adapter("ham10000").RECORD.classes)
    rows = []
    for split, good in (("val", GROUPS - wrong_on_validation), ("test", right)):
        lesion = np.repeat(np.arange(GROUPS), IMAGES)
        label = lesion % len(classes)
        answer = np.where(lesion < good, label, (label + 1) % len(classes))
        rows.append(pd.DataFrame({"split": split, "lesion": lesion, "label": label, "answer": answer}))
    index = pd.concat(rows, ignore_index=True)
    index["image_id"] = [f"i{number:05d}" for number in range(len(index))]
    index["group"] = index["split"] + index["lesion"].astype(str)
    probability = np.full((len(index), len(classes)), 0.5 / (len(classes) - 1))
    probability[index.index, index["answer"]] = 0.5
    index["label"] = np.array(classes)[index["label"]]
    folder.mkdir()
    predictions.write(predictions.table(index, probability, classes), folder / "predictions.csv")


def test_prediction_files_with_known_scores_get_known_verdicts(tmp_path):
    """From the files that networks leave to the verdicts, by the calls of the comparison."""
    settings = params.load("ham10000-transfer", "laptop")
    for name, right in (("vgg16", 103), ("resnet50v2", 158), ("resnet50v2-augmented", 120)):
        write(tmp_path / name, right=right, wrong_on_validation=90)
    found = pd.concat(
        {
            reproduction.title(settings, name): statistics.bootstrap_scores(
                predictions.read(tmp_path / name / "predictions.csv", split="test"), repeats=2000, seed=1
            )
            for name in ("vgg16", "resnet50v2", "resnet50v2-augmented")
        },
        names=["model"],
    )
    table = reproduction.table(at(tmp_path), found).iloc[[0, 2, 4]]
    assert table["stated"].tolist() == [0.46276, 0.84, 0.73]
    assert table["here"].tolist() == pytest.approx([0.515, 0.79, 0.60])
    # 0.79 is the tolerance of 0.05 away from 0.84; 0.515 is a little more than that away from 0.46276.
    assert table["verdict"].tolist() == ["differs", "agrees", "differs"]
    assert table["n_images"].tolist() == [1000.0] * 3
    assert table["n_groups"].tolist() == [200.0] * 3
    # Lesions are right or wrong as a whole, so the interval is that of a share of 200, not of 1,000.
    half = 1.96 * np.sqrt(table["here"] * (1 - table["here"]) / GROUPS)
    assert table["low"].to_numpy() == pytest.approx(table["here"] - half, abs=0.008)
    assert table["high"].to_numpy() == pytest.approx(table["here"] + half, abs=0.008)
    assert ["chance alone may do" in why for why in table["why"]] == [True, False, False]


def test_another_score_than_accuracy_is_read_from_prediction_files_too(tmp_path):
    """Balanced accuracy of 3 of 4 nevi and 1 of 2 melanomas: 0.625, while the accuracy is 4/6."""
    index = pd.DataFrame({"image_id": list("abcdef"), "group": list("abcdef"), "split": "test"})
    answers = ["nv", "nv", "nv", "mel", "mel", "nv"]
    given = np.array([[float(answer == name) for name in ("mel", "nv")] for answer in answers])
    predictions.write(
        predictions.table(index.assign(label=["nv"] * 4 + ["mel"] * 2), given, ["mel", "nv"]), tmp_path / "p.csv"
    )
    found = statistics.bootstrap_scores(predictions.read(tmp_path / "p.csv", split="test"), repeats=50, seed=1)
    given = {"model": "m", "source": "test", "images": 6, "experiment": "vgg16", "tolerance": 0.001}
    stated = [given | {"score": "balanced_accuracy", "value": 0.625}, given | {"value": 0.625}]
    settings = params.load("ham10000-transfer", "laptop").model_copy(update={"published": {"results": stated}})
    table = reproduction.table(at(tmp_path, settings=settings), pd.concat({"VGG16, frozen": found}, names=["model"]))
    assert table["here"].tolist() == pytest.approx([0.625, 4 / 6])
    assert table["verdict"].tolist() == ["agrees", "differs"]
    assert table["stated_low"].isna().tolist() == [True, False], "Wilson's interval is one of shares"


def test_the_interval_stated_rests_on_the_images_that_fit(tmp_path):
    table = reproduction.table(at(tmp_path, study="melanoma-three-classes"), FOUND)
    assert table["images"].tolist() == [300]  # 0.387 is no whole number of 200
    # statsmodels, 116 of 300
    assert table[["stated_low", "stated_high"]].to_numpy()[0] == pytest.approx([0.3333236, 0.4428755], abs=1e-7)


def test_the_tolerance_itself_agrees(tmp_path):
    table = reproduction.table(at(tmp_path), scored(("ResNet50V2, frozen", "accuracy", 0.84 - 0.05, 0.7, 0.9)))
    assert table["verdict"].iloc[2] == "agrees"
    assert "is not part of this comparison" in table["why"].iloc[0]


def test_drawn_images_are_held_against_nothing(tmp_path):
    table = reproduction.table(at(tmp_path, "sample"), FOUND)
    assert set(table["verdict"]) == {"not compared"}
    assert table["here"].isna().all()
    assert table["why"].str.contains("the images are drawn").sum() == 3
    assert table["stated_low"].notna().all(), "what is stated is still shown"


def test_other_weights_are_held_against_nothing(tmp_path):
    settings = params.load("ham10000-transfer", "laptop")
    vgg16 = settings.experiments["vgg16"]
    without = vgg16.model_copy(update={"parameters": vgg16.parameters.model_copy(update={"weights": "none"})})
    settings = settings.model_copy(update={"experiments": settings.experiments | {"vgg16": without}})
    table = reproduction.table(at(tmp_path, settings=settings), FOUND)
    assert table["verdict"].iloc[0] == "not compared"
    assert table["why"].iloc[0] == "the weights are not those published (imagenet)"


def test_competition_scores_are_shown_and_not_compared(tmp_path):
    table = reproduction.table(at(tmp_path, study="metastasis-architectures"), FOUND)
    leaderboard = table[table["figure"].str.contains("leaderboard")]
    assert len(leaderboard) == 6
    assert set(leaderboard["verdict"]) == {"not compared"}
    best = leaderboard.set_index("figure")["stated"]
    assert best["VGG16 fine-tuned, private leaderboard, best of 6 submissions"] == 0.8210


def test_sizes_are_those_that_the_reports_of_the_networks_left(tmp_path, monkeypatch):
    monkeypatch.setattr(run.Run, "folder", lambda self, step: tmp_path / step)
    for name, total in (("vgg16", 14718279), ("resnet50v2", 1)):
        (tmp_path / name).mkdir()
        size = {"total": total, "trainable": 3591, "non_trainable": 14714688}
        (tmp_path / name / reproduction.BUILT).write_text(json.dumps(size))
    settings = params.load("ham10000-transfer", "laptop")
    sizes = settings.published["parameters"] | {"resnet50v2-augmented": {"total": 1, "trainable": 1}}
    settings = settings.model_copy(update={"published": settings.published | {"parameters": sizes}})
    table = reproduction.sizes(at(tmp_path, settings=settings)).set_index(["experiment", "parameters"])["verdict"]
    assert table["VGG16, frozen"].tolist() == ["agrees"] * 3
    assert table["ResNet50V2, frozen"].tolist() == ["differs"] * 3
    assert table["ResNet50V2, frozen, augmented"].tolist() == ["not compared"] * 2


def test_networks_leave_their_size_where_it_is_looked_for():
    from pathlib import Path

    from lesionbook.sections import network

    assert reproduction.BUILT in Path(network.__file__).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 0), "states nothing"),
        ((0, 0, 3), "None of the 3 published figures"),
        ((2, 1, 0), "Of 3 published figures, 2 agree and 1 differs."),
        ((1, 2, 4), "Of 7 published figures, 1 agrees and 2 differ; 4 cannot be compared."),
    ],
)
def test_the_sentence_counts(counts, said):
    assert said in reproduction.sentence(dict(zip(("agrees", "differs", "not compared"), counts, strict=True)))


def test_the_section_shows_both_tables_and_gives_the_counts(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(section.report, "show_table", lambda frame, **given: shown.append((given["label"], frame)))
    monkeypatch.setattr(section.report, "show_note", lambda text, **given: shown.append(("note", text)))
    monkeypatch.setattr(run.Run, "folder", lambda self, step: tmp_path / step)
    assert section.reproduction(at(tmp_path), FOUND) == {"agrees": 1, "differs": 2, "not compared": 8}
    assert [label for label, _ in shown] == ["reproduction", "sizes", "note"]
    assert shown[0][1]["published (95 %)"].iloc[0] == "0.46276 (0.432–0.494)"
    assert section.reproduction(at(tmp_path, study="my-images"), FOUND)["agrees"] == 0
