import json
from typing import get_args

import pandas as pd
import pytest
import served_project

from lesionbook import card, params, run
from lesionbook.errors import LesionbookError

EVERY = frozenset(get_args(card.Condition))
PUBLISHED, CONFIRMED = "published collection", "patients.html#How-the-diagnosis-was-confirmed"


def at(tmp_path, study="ham10000-transfer", profile="sample"):
    return run.Run(study, profile, "card", params.load(study, profile), tmp_path)


@pytest.mark.parametrize(
    ("name", "first", "last", "count"), [("claim-2024", "1", "44", 44), ("tripod-ai", "1", "27c", 52)]
)
def test_checklists_are_whole(name, first, last, count):
    found = card.checklist(name)
    numbers = [item.number for item in found.items]
    assert (numbers[0], numbers[-1], len(numbers)) == (first, last, count)
    main = [int("".join(letter for letter in number if letter.isdigit())) for number in numbers]
    assert main == sorted(main)
    assert set(main) == set(range(1, max(main) + 1))
    assert all(len(item.about.split()) <= 10 for item in found.items)
    assert "doi.org" in found.source


def rows(here, name, chosen, holds):
    return card.answered(card.checklist(name), here, chosen, frozenset(holds)).set_index("item")


@pytest.mark.parametrize("study", params.studies())
@pytest.mark.parametrize("name", card.CHECKLISTS)
@pytest.mark.parametrize("holds", [frozenset(), EVERY])
def test_every_item_leads_to_a_section_or_says_why_not(tmp_path, study, name, holds):
    here = at(tmp_path, study)
    for chosen in here.settings.models:
        table = card.answered(card.checklist(name), here, chosen, holds)
        for row in table.itertuples():
            if isinstance(row.address, str):
                page, _, anchor = row.address.partition("#")
                assert not page or page.removesuffix(".html") in here.settings.experiments
                assert page or anchor
            else:
                assert row._3.startswith("not answered here, because ")
        done, items = card.counted(table)
        assert items / 2 < done < items


def test_no_section_is_named_that_no_notebook_has(tmp_path):
    """A renamed heading would quietly turn an answer into none."""
    known = set()
    for study in params.studies():
        for one in params.load(study, "sample").experiments.values():
            known |= card._sections(one.notebook)
    named = {place.section for name in card.CHECKLISTS for item in card.checklist(name).items for place in item.places}
    assert named - known - {""} == set()


def test_answers_follow_the_study(tmp_path):
    where = {
        study: rows(at(tmp_path, study), "claim-2024", "residual-cnn", EVERY)["address"]
        for study in ("ham10000-transfer", "my-images")
    }
    assert where["ham10000-transfer"]["14"] == CONFIRMED
    assert where["my-images"]["14"] == "compare.html#Subgroups"
    assert where["ham10000-transfer"]["22"] == "residual-cnn.html#The-architecture"
    assert where["ham10000-transfer"]["3"] == "#Intended-use"
    assert where["ham10000-transfer"]["27"] == "ensemble.html"
    assert pd.isna(where["my-images"]["27"])


@pytest.mark.parametrize(
    ("name", "number", "condition", "study", "address"),
    [
        ("claim-2024", "5", PUBLISHED, "my-images", "#The-data"),
        ("claim-2024", "7", PUBLISHED, "my-images", "explore.html#The-data-set"),
        ("claim-2024", "43", PUBLISHED, "my-images", "#The-data"),
        ("tripod-ai", "5a", PUBLISHED, "my-images", "explore.html#The-data-set"),
        ("tripod-ai", "6a", PUBLISHED, "my-images", "#Limits"),
        ("tripod-ai", "18e", PUBLISHED, "my-images", "#The-data"),
        ("claim-2024", "30", "further seeds", "my-images", "compare.html#Scores-with-intervals"),
        ("tripod-ai", "14", "facts of patients", "my-images", "compare.html#Subgroups"),
        ("tripod-ai", "20b", "facts of patients", "my-images", "compare.html#Subgroups"),
        ("claim-2024", "14", "kind of confirmation", "isic2019-transfer", CONFIRMED),
        ("claim-2024", "14", "kind of confirmation", "melanoma-ham10000", "compare.html#Subgroups"),
        ("tripod-ai", "8a", "kind of confirmation", "isic2019-transfer", CONFIRMED),
    ],
)
def test_a_section_answers_only_under_its_condition(tmp_path, name, number, condition, study, address):
    here = at(tmp_path, study)
    chosen = here.settings.models[0]
    assert rows(here, name, chosen, {condition}).loc[number, "address"] == address
    without = rows(here, name, chosen, EVERY - {condition}).loc[number]
    assert pd.isna(without["address"])
    assert without["answered in"].startswith(card.OPEN)


@pytest.mark.parametrize(
    ("name", "number", "said"),
    [
        ("claim-2024", "11", "published without names"),
        ("claim-2024", "13", "not recorded in the collection"),
        ("claim-2024", "14", "does not say, image by image"),
        ("claim-2024", "15", "those of the collection"),
        ("claim-2024", "16", "publication of the collection"),
        ("tripod-ai", "5b", "gives no date"),
        ("tripod-ai", "8a", "does not say, image by image"),
        ("tripod-ai", "8b", "publication of the collection"),
        ("tripod-ai", "8c", "what annotators knew"),
        ("tripod-ai", "17", "public images are used"),
    ],
)
def test_of_images_of_ones_own_only_their_owner_can_say(tmp_path, name, number, said):
    here = at(tmp_path, "my-images")
    assert said in rows(here, name, "residual-cnn", {PUBLISHED}).loc[number, "answered in"]
    assert rows(here, name, "residual-cnn", set()).loc[number, "answered in"] == (
        "not answered here, because only the owner of the images can say"
    )


def test_the_report_of_another_model_is_said_to_be_one(tmp_path):
    here = at(tmp_path, "metastasis-architectures")
    attention = {one: rows(here, "claim-2024", one, EVERY).loc["31"] for one in here.settings.models}
    assert attention["ensemble"]["address"] == "residual-cnn.html#Where-the-network-looked"
    assert attention["ensemble"]["answered in"].endswith("Where the network looked (not the chosen model)")
    assert attention["resnet34"]["address"] == "resnet34.html#Where-the-network-looked"
    assert attention["resnet34"]["answered in"].endswith("Where the network looked")
    assert attention["colour-statistics"]["address"] == "colour-statistics.html#What-it-learned"


@pytest.mark.parametrize(("name", "number"), [("claim-2024", "12"), ("tripod-ai", "11")])
def test_of_gaps_is_said_how_they_were_dealt_with(tmp_path, name, number):
    told = rows(at(tmp_path), name, "residual-cnn", EVERY).loc[number]
    assert told["address"] == "image-and-metadata.html#What-the-network-is-told"
    counted = rows(at(tmp_path, "my-images"), name, "residual-cnn", EVERY).loc[number, "answered in"]
    assert counted.endswith("(gaps are counted; an image with gaps in its metadata is used all the same)")


def index_of(**columns):
    return pd.DataFrame({"split": ["train", "test", "test"]} | columns)


@pytest.mark.parametrize(
    ("study", "columns", "holds"),
    [
        ("my-images", {}, {"further seeds"}),
        ("my-images", {"age": [40.0, 50.0, None]}, {"further seeds", "facts of patients"}),
        ("isic2019-transfer", {"sex": ["male", None, "female"]}, {PUBLISHED, "facts of patients"}),
        ("isic2019-transfer", {"sex": ["male", None, "unknown"]}, {PUBLISHED}),
        ("ham10000-transfer", {"dx_type": ["histo", "histo", None]}, {PUBLISHED, "kind of confirmation"}),
        ("ham10000-transfer", {"dx_type": ["histo", None, None]}, {PUBLISHED}),
    ],
)
def test_conditions_are_those_of_the_run_and_its_test_images(tmp_path, study, columns, holds):
    assert card.conditions(at(tmp_path, study), index_of(**columns)) == holds


def test_every_condition_decides_something():
    named = set()
    for name in card.CHECKLISTS:
        for item in card.checklist(name).items:
            named |= {place.when for place in item.places} | set(item.reasons)
    assert named - {None, card.ELSE} == EVERY


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([{"item": "1", "about": "x"}], "items.0: .*needs at or not"),
        ([{"item": "1", "about": "x", "not": "y"}] * 2, "item 1 occurs twice"),
        ([{"item": "1", "about": "x", "nott": "y"}], "items.0.nott: Extra inputs"),
        ([{"item": "1", "about": "x", "not": {"seeds": "y"}}], "items.0.not.seeds"),
        ([{"item": "1", "about": "x", "at": [{"in": "card", "section": "", "when": "seeds"}]}], "items.0.at.0.when"),
        ([{"item": "1", "about": "x", "at": [{"in": "card", "section": "", "wenn": "seeds"}]}], "items.0.at.0.wenn"),
    ],
)
def test_a_faulty_checklist_is_refused(tmp_path, monkeypatch, items, said):
    (tmp_path / "checklists").mkdir()
    content = {"name": "x", "title": "x", "source": "x", "items": items}
    (tmp_path / "checklists" / "made.yml").write_text(json.dumps(content))
    monkeypatch.setattr(card.resources, "files", lambda package: tmp_path)
    with pytest.raises(LesionbookError, match=said):
        card.checklist("made")


def test_the_chosen_model_is_that_of_the_comparison(tmp_path, monkeypatch):
    monkeypatch.setattr(run.Run, "folder", lambda self, step: tmp_path / step)
    (tmp_path / "compare").mkdir()
    path = tmp_path / "compare" / "summary.json"
    path.write_text(json.dumps({"chosen": "VGG16, frozen"}))
    assert card.chosen(at(tmp_path))[0] == "vgg16"
    path.write_text(json.dumps({"chosen": "another"}))
    with pytest.raises(LesionbookError, match="'another' is no model of this study"):
        card.chosen(at(tmp_path))


def test_settings_and_data_are_those_of_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(run.Run, "folder", lambda self, step: tmp_path / step)
    assert "training fingerprint" not in set(card.settings(at(tmp_path), "residual-cnn")["knob"])
    (tmp_path / "residual-cnn").mkdir()
    (tmp_path / "residual-cnn" / "summary.json").write_text('{"training": "0123456789abcdef"}')
    knobs = card.settings(at(tmp_path), "residual-cnn").set_index("knob")["value"]
    assert knobs["training fingerprint"] == "0123456789abcdef"
    assert knobs["notebook"] == "24-residual-cnn.ipynb"
    assert knobs["recipe: learning rate"] == "0.003"
    index = pd.DataFrame({"label": ["nv", "nv", "mel"], "group": ["a", "a", "b"], "split": ["train", "train", "test"]})
    facts = card.data(at(tmp_path), index).set_index("what")["value"]
    assert facts["images used"] == "3 images of 2 lesions: 2 training, 0 validation, 1 test"
    assert facts["classes"] == "Melanocytic nevi 2, Melanoma 1"
    assert "drawn by the suite" in facts["these images"]
    assert facts["licence"] == "CC BY-NC 4.0"
    assert "these images" not in card.data(at(tmp_path, profile="laptop"), index)["what"].tolist()


def test_variants_are_no_further_images(tmp_path):
    index = pd.DataFrame(
        {
            "source_id": ["a", "a", "a", "b", "c", "d"],
            "group": ["a", "a", "a", "b", "c", "d"],
            "label": ["nevus"] * 4 + ["melanoma"] * 2,
            "split": ["train"] * 4 + ["val", "test"],
        }
    )
    facts = card.data(at(tmp_path, "melanoma-three-classes"), index).set_index("what")["value"]
    assert facts["images used"] == (
        "4 images: 2 training, 1 validation, 1 test; the training images as 4 variants of 2"
    )
    assert facts["classes"] == "Nevus 2, Melanoma 2"


def test_a_card_says_what_the_model_is_told(tmp_path):
    assert card.told(at(tmp_path), "residual-cnn") == "one image of the kind described below, and nothing else"
    assert card.told(at(tmp_path), "image-and-metadata").endswith("with age, sex, localization of the patient")


def test_a_card_and_the_prediction_page_name_the_same_network(served, monkeypatch):
    monkeypatch.chdir(served.folder)
    own = run.Run(*served_project.PLACE, "card", params.load(*served_project.PLACE), served.folder)
    assert card.served(own) == ("small", served.model.version)


def test_a_study_without_networks_has_none_to_serve(tmp_path):
    here = at(tmp_path)
    kept = {name: one for name, one in here.settings.experiments.items() if name not in here.settings.networks}
    bare = run.Run(here.study, here.profile, "card", here.settings.model_copy(update={"experiments": kept}), tmp_path)
    assert card.served(bare) == ("", "")
