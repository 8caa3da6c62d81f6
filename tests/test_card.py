import json

import pandas as pd
import pytest
import served_project

from lesionbook import card, params, run
from lesionbook.errors import LesionbookError


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


@pytest.mark.parametrize("study", params.studies())
@pytest.mark.parametrize("name", card.CHECKLISTS)
def test_every_item_leads_to_a_section_or_says_why_not(tmp_path, study, name):
    here = at(tmp_path, study)
    for chosen in here.settings.models:
        table = card.answered(card.checklist(name), here, chosen)
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
    item = {one.number: one for one in card.checklist("claim-2024").items}
    where = {
        study: card.answered(card.checklist("claim-2024"), at(tmp_path, study), "residual-cnn").set_index("item")[
            "address"
        ]
        for study in ("ham10000-transfer", "my-images")
    }
    assert where["ham10000-transfer"]["14"] == "patients.html#How-the-diagnosis-was-confirmed"
    assert pd.isna(where["my-images"]["14"])
    assert item["14"].reason
    assert where["ham10000-transfer"]["22"] == "residual-cnn.html#The-architecture"
    assert where["ham10000-transfer"]["3"] == "#Intended-use"
    assert where["ham10000-transfer"]["27"] == "ensemble.html"


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([{"item": "1", "about": "x"}], "item 1 needs at or not"),
        ([{"item": "1", "about": "x", "not": "y"}] * 2, "item 1 occurs twice"),
        ([{"item": "1", "about": "x", "nott": "y"}], "item 1: 'nott' is no key"),
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
    assert facts["images used"] == "3 of 2 lesions: 2 training, 0 validation, 1 test"
    assert facts["classes"] == "Melanocytic nevi 2, Melanoma 1"
    assert "drawn by the suite" in facts["these images"]
    assert facts["licence"] == "CC BY-NC 4.0"
    assert "these images" not in card.data(at(tmp_path, profile="laptop"), index)["what"].tolist()


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
