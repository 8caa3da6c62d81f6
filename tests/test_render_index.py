import json

import notebook_fixture
import pytest
from bs4 import BeautifulSoup

from lesionbook.render import html, index


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("index")
    source = notebook_fixture.write(folder / "model.ipynb", notebook_fixture.cells())
    html.render(source, folder / "sample" / "s" / "model.html", study_title="A study", navigation=[], profile="sample")
    reports = [
        index.ReportEntry("The model", "What it learned </script>.", "sample/s/model.html", "sample/s/model.pdf"),
        ("The comparison", "Against <b>published</b>.", "sample/s/compare.html", None),
    ]
    entries = [
        index.IndexEntry(
            "sample", "s", "A study", "Does it?", "sample/s/book.pdf", reports, True, "It does.", ["The model"]
        ),
        index.IndexEntry("laptop", "s", "A study", "Does it?", None, []),
    ]
    index.render(entries, folder / "index.html")
    return folder / "index.html"


@pytest.fixture(scope="module")
def soup(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_index_lists_every_report_by_profile_and_study(soup):
    assert [heading.get_text() for heading in soup.find_all("h2")] == ["Sample profile", "Laptop profile"]
    card = soup.find(id="sample-s")
    assert [link["href"] for link in card.find_all("a")] == [
        "sample/s/model.html",
        "sample/s/model.pdf",
        "sample/s/compare.html",
        "sample/s/book.pdf",
    ]
    text = " ".join(card.get_text().split())
    for part in ["drawn images", "It does.", "Incomplete: The model", "Does it?", "Against <b>published</b>."]:
        assert part in text
    assert "drawn images" not in soup.find(id="laptop-s").get_text()


def test_an_overview_stands_before_the_studies(tmp_path):
    line = index.Overview("The <best>", "0.9 (0.8–1.0)", "100 (70)", "1 agrees, 2 differ")
    entries = [
        index.IndexEntry("sample", "s", "A study", "Does it?", None, [], True, overview=line),
        index.IndexEntry("laptop", "s", "A study", "Does it?", None, []),
    ]
    index.render(entries, tmp_path / "index.html")
    soup = BeautifulSoup((tmp_path / "index.html").read_text(encoding="utf-8"), "html.parser")
    assert soup.find("h2").get_text() == "Overview"
    (row,) = soup.select("#overview tbody tr")
    assert row.find("a")["href"] == "#sample-s"
    assert soup.find(id="sample-s") is not None
    assert "sample, drawn" in row.get_text()
    shown = {cell["data-label"]: cell.get_text() for cell in row.find_all("td")}
    assert shown["best model"] == "The <best>"
    assert shown["published scores"] == "1 agrees, 2 differ"
    assert shown["parameter counts"] == "none stated"
    heads = [head.get_text() for head in soup.select("#overview thead th")]
    assert heads[1:] == list(shown)


def test_without_results_there_is_no_overview(soup):
    assert soup.find(id="overview") is None


def test_index_needs_no_network(soup):
    assert not soup.find_all(["link", "iframe", "img"]) and not soup.find_all(src=True)
    assert "http" not in "".join(element.get_text() for element in soup.find_all(["style"]))


def test_search_finds_headings_captions_and_text(soup):
    texts = json.loads(soup.find(id="texts").get_text())
    assert [item["href"] for item in texts] == ["sample/s/model.html"], "a report that is not there is not searched"
    parts = texts[0]["parts"]
    assert {"title": "Table 1", "anchor": "tbl-scores", "text": "Scores per class."} in parts
    titles = [part["title"] for part in parts]
    assert titles == [
        "Loss and scores",
        "The model",
        "Details",
        "Figure 1",
        "Table 1",
        "Figure 2",
        "Table 2",
        "Table 3",
        "The model",
    ]
    everything = " ".join(part["text"] for part in parts)
    assert "These are drawn, see Table 1." in everything
    assert "fit()" not in everything and "HAM_0000001" not in everything and "On this page" not in everything
    assert r"\\bar" not in everything, "a formula's TeX is not its text"


def test_index_repeats_and_survives_emptiness(page, tmp_path):
    index.render([], tmp_path / "reports" / "index.html")
    assert "make report" in (tmp_path / "reports" / "index.html").read_text(encoding="utf-8")
    assert index.search_text(tmp_path / "reports" / "index.html") == [
        {"title": "Lesionbook", "anchor": "", "text": index.search_text(tmp_path / "reports" / "index.html")[0]["text"]}
    ]
