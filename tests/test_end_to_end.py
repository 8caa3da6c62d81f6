"""The whole study on a few drawn images, twice: other folder, other number of notebooks at once, same bytes."""

import copy
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pypdf
import pytest
import tiny_project
import yaml
from bs4 import BeautifulSoup

from lesionbook import predictions

pytestmark = pytest.mark.slow

STUDY = "ham10000-transfer"
MODELS = ("colour-statistics", "residual-cnn")
SMALLER = {
    "sample": {"images": 90},
    "images": {"size": 24},
    "experiments": {
        "explore": {"parameters": {"per_class": 5, "examples": 3}},
        "colour-statistics": {"parameters": {"repeats": 100}},
        "residual-cnn": {
            "parameters": {
                "recipe": {"epochs": 2, "warmup_epochs": 1},
                "widths": [8, 8],
                "blocks": [1, 1],
                "repeats": 100,
            }
        },
        "compare": {"parameters": {"repeats": 100}},
    },
}


def merged(base, changes):
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    return base | {key: merged(base.get(key), value) for key, value in changes.items()}


def project(folder):
    """A clone with a smaller sample and two of the models."""
    folder.mkdir(parents=True)
    shutil.copytree(tiny_project.ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".*"))
    shutil.copy(tiny_project.ROOT / "requirements.lock", folder)
    settings = yaml.safe_load((tiny_project.ROOT / "params" / f"{STUDY}.yml").read_text(encoding="utf-8"))
    sample = merged(settings["profiles"]["sample"], SMALLER)
    kept = ("explore", "patients", "prepare", *MODELS, "compare")
    for part in (settings, sample):
        part["experiments"] = {name: one for name, one in part["experiments"].items() if name in kept}
    settings["profiles"] = {"sample": sample}
    for key in ("results", "parameters"):  # they name experiments that are left out here
        del settings["published"][key]
    (folder / "params").mkdir()
    tiny_project.write_study(folder, settings, STUDY)
    return tiny_project.with_machinery(folder)


def texts(page):
    """What a reader of a page can see or copy."""
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def clones(tmp_path_factory):
    base = tmp_path_factory.mktemp("clones")
    folders = [project(base / "one"), project(base / "another place" / "two")]
    with ThreadPoolExecutor(2) as pool:
        done = list(
            pool.map(tiny_project.run_make, folders, ["report"] * 2, ["CORES=1", "CORES=4"], ["JOBS=1", "JOBS=4"])
        )
    for run in done:
        assert run.returncode == 0, run.stderr
    return folders


@pytest.fixture(scope="module")
def pages(clones):
    return sorted((clones[1] / "reports").rglob("*.html"))


def files(folder, *patterns):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for pattern in patterns
        for path in folder.rglob(pattern)
        if ".snakemake" not in path.parts and path.name != "times.html"  # the one page that may differ
    }


@pytest.mark.parametrize(
    ("patterns", "count"),
    [
        (("predictions.csv",), 2),
        (("reports/**/*.html",), 6),
        (("reports/**/*.pdf",), 6),
        (("index.csv", "history.csv", "comparison.csv", "images.npy", "build/sample/**/summary.json"), 9),
        (("build/sample/**/notebook.ipynb",), 5),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_two_clones_make_the_same_bytes(clones, patterns, count):
    one, two = (files(folder, *patterns) for folder in clones)
    assert set(one) == set(two)
    assert len(one) >= count
    assert [name for name in one if one[name] != two[name]] == []


def test_predictions_cover_validation_and_test_images_once(clones):
    index = pd.read_csv(clones[0] / "build" / "sample" / STUDY / "prepare" / "index.csv").set_index("image_id")
    assert len(index) == 90
    held_out = index[index["split"] != "train"]
    for model in MODELS:
        table = predictions.read(clones[0] / "build" / "sample" / STUDY / model / "predictions.csv")
        assert sorted(table["image_id"]) == sorted(held_out.index)
        for column in ("label", "split", "group"):
            assert (table[column].to_numpy() == held_out.loc[table["image_id"], column].astype(str).to_numpy()).all()
        assert np.allclose(predictions.probabilities(table).sum(axis=1), 1)
    assert not set(index[index["split"] == "train"]["group"]) & set(held_out["group"])


def test_pages_need_no_network(pages):
    assert len(pages) == 8
    for page in pages:
        soup = texts(page)
        assert not soup.find_all(["link", "iframe", "object", "embed"])
        loaded = [element["src"] for element in soup.find_all(src=True)]
        assert all(source.startswith("data:") for source in loaded), page.name
        for part in [*soup.find_all("style"), *soup.find_all("script")]:
            assert not re.search(r"url\((?!['\"]?data:)|@import|fetch\(|https?://", part.text), page.name
        for element in soup.find_all(style=True):
            assert "url(" not in element["style"]


def test_pages_say_that_the_images_are_drawn_and_describe_every_picture(pages):
    for page in pages:
        soup = texts(page)
        assert "drawn" in soup.text.lower() or page.name == "times.html"
        assert all(image.get("alt", "").strip() for image in soup.find_all("img"))
        assert not soup.find(role="alert"), page.name


def test_links_between_pages_lead_somewhere(pages):
    for page in pages:
        soup = texts(page)
        names = {element["id"] for element in soup.find_all(id=True)}
        for link in soup.find_all("a", href=True):
            target, _, anchor = link["href"].partition("#")
            if re.match(r"https?:", target):
                continue
            if target:
                assert (page.parent / target).is_file(), (page.name, link["href"])
            elif anchor:
                assert anchor in names, (page.name, link["href"])


def test_no_report_says_where_it_was_made(clones, pages):
    places = [str(folder) for folder in (clones[1], clones[1].parent, tiny_project.ROOT)] + ["site-packages", "/tmp/"]
    documents = {page.name: texts(page).text + str(page.read_bytes()) for page in pages}
    for pdf in sorted((clones[1] / "reports").rglob("*.pdf")):
        reader = pypdf.PdfReader(pdf)
        documents[pdf.name] = str(reader.metadata) + "".join(page.extract_text() for page in reader.pages)
    assert len(documents) == 15
    for name, text in documents.items():
        assert [place for place in places if place in text] == [], name
        assert len(text) > 500, name


def test_the_second_run_finds_nothing_to_do(clones):
    done = tiny_project.run_make(clones[0], "report", "CORES=2")
    assert done.returncode == 0
    assert done.stderr.strip() == "Nothing to do: every report is up to date (reports/index.html)."
