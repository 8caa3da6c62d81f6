import json

import pandas as pd
import pytest

from lesionbook import params, reproduction, run
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
    table = reproduction.sizes(at(tmp_path)).set_index(["experiment", "parameters"])["verdict"]
    assert table["VGG16, frozen"].tolist() == ["agrees"] * 3
    assert table["ResNet50V2, frozen"].tolist() == ["differs"] * 3
    assert table["ResNet50V2, frozen, augmented"].tolist() == ["not compared"] * 3


def test_networks_leave_their_size_where_it_is_looked_for():
    from pathlib import Path

    from lesionbook.sections import network

    assert reproduction.BUILT in Path(network.__file__).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 0), "states nothing"),
        ((0, 0, 3), "None of the 3 published figures"),
        ((2, 1, 0), "Of 3 published figures, 2 agree and 1 differ."),
        ((2, 1, 4), "Of 7 published figures, 2 agree and 1 differ; 4 cannot be compared."),
    ],
)
def test_the_sentence_counts(counts, said):
    assert said in reproduction.sentence(dict(zip(("agrees", "differs", "not compared"), counts, strict=True)))


def test_the_section_shows_both_tables_and_gives_the_counts(tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(section.report, "show_table", lambda frame, **given: shown.append((given["label"], frame)))
    monkeypatch.setattr(section.report, "show_note", lambda text, **given: shown.append(("note", text)))
    monkeypatch.setattr(run.Run, "folder", lambda self, step: tmp_path / step)
    assert section.reproduction(at(tmp_path), FOUND) == {"agrees": 1, "differs": 2, "not compared": 11}
    assert [label for label, _ in shown] == ["reproduction", "sizes", "note"]
    assert shown[0][1]["published (95 %)"].iloc[0] == "0.463 (0.432–0.494)"
    assert section.reproduction(at(tmp_path, study="my-images"), FOUND)["agrees"] == 0
