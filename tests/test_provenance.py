import hashlib
import re

import pytest

from lesionbook import params, paths, provenance
from lesionbook.run import Run

STUDY = """\
title: Demo
summary: Where from?
dataset: ham10000
seed: 7
images: {size: 64}
split: {train: 0.8, validation: 0.1, test: 0.1}
experiments: {explore: {notebook: a}, prepare: {notebook: b}, compare: {notebook: c}}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("params", "notebooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "params" / "demo.yml").write_text(STUDY)
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listed(profile="laptop", step="compare", **facts):
    begun = Run("demo", profile, step, params.load("demo", profile), paths.step(profile, "demo", step))
    return provenance.table(begun, **facts).set_index("what")["value"]


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_what_decided_a_report_is_listed(project):
    found = listed(seed=7, class_weights="balanced")
    assert found["study file, profile, step"] == "params/demo.yml, laptop, compare"
    assert found["data set"] == "HAM10000"
    assert (found["seed"], found["class weights"]) == ("7", "balanced")
    assert found["exact versions"] == f"requirements.lock, SHA-256 {digest('numpy==2.0' + chr(10))}"
    assert re.search(r"keras \d+\.\d+.*scikit-learn \d+.*numpy \d+", found["libraries"])
    assert found["Python and processor"].startswith("3.")


def test_a_sample_is_called_drawn(project):
    assert listed("sample")["data set"] == "HAM10000, drawn by seed"


def test_the_split_is_listed_as_soon_as_there_is_one(project):
    assert "split" not in listed()
    index = paths.step("laptop", "demo", "prepare") / "index.csv"
    index.parent.mkdir(parents=True)
    index.write_text("image_id\n")
    assert listed()["split"] == f"index.csv, SHA-256 {digest('image_id' + chr(10))}"
    assert "split" not in listed(step="explore"), "exploration may run before preparation or after it"


def test_changed_inputs_change_the_list_and_nothing_else_does(project):
    first = listed()
    assert listed().equals(first)
    # A new title runs no notebook again, so it must not be listed either.
    paths.study_file("demo").write_text(STUDY.replace("title: Demo", "title: Another"))
    assert listed().equals(first)
    (project / "requirements.lock").write_text("numpy==2.1\n")
    changed = listed()
    assert changed.index[changed != first].tolist() == ["exact versions"]


def test_neither_times_nor_places_of_a_machine_are_listed(project):
    text = " ".join(listed(seed=1))
    assert str(project) not in text
    assert not re.search(r"\d\d:\d\d|\b20\d\d-\d\d", text)


def test_a_library_that_is_not_installed_is_left_out(project, monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("no-such-library", "numpy"))
    assert re.fullmatch(r"numpy [\d.]+", listed()["libraries"])
