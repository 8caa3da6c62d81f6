import re
from pathlib import Path

import notebook_fixture
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from lesionbook import report
from lesionbook.errors import LesionbookError
from lesionbook.render import html

NAVIGATION = [
    html.NavigationEntry("The images", "explore.html"),
    html.NavigationEntry("Model", "model.html", current=True),
]


def make(folder: Path, content: list, name: str = "model") -> Path:
    source = notebook_fixture.write(folder / f"{name}.ipynb", content)
    output = folder / "reports" / f"{name}.html"
    html.render(source, output, study_title="A study <1>", navigation=NAVIGATION, profile="sample")
    return output


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    return make(tmp_path_factory.mktemp("html"), notebook_fixture.cells())


@pytest.fixture(scope="module")
def soup(page) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def test_page_needs_no_network(soup):
    assert not soup.find_all(["link", "iframe", "object", "embed"])
    for element in soup.find_all(src=True):
        assert element["src"].startswith("data:"), element.name
    for text in [*soup.find_all("style"), *soup.find_all("script")]:
        assert not re.search(r"https?:|@import|url\(", text.get_text())
    # addresses stand only in links a reader may follow
    assert {link["href"] for link in soup.find_all(href=re.compile("^https?:"))} == {"https://example.org"}


def test_every_image_is_described(soup):
    assert [image.get("alt") for image in soup.main.find_all("img")] == ["A line falls.", "It rises again."]


def test_figures_and_tables_are_numbered_in_reading_order(soup):
    numbers = [mark.get_text() for mark in soup.select("figcaption .caption-number")]
    assert numbers == ["Figure 1.", "Table 1.", "Figure 2.", "Table 2.", "Table 3."]
    links = [
        " ".join(link.get_text().split())
        for link in soup.select("section.text p a[href^='#fig'], section.text p a[href^='#tbl']")
    ]
    assert links == ["Figure 2", "Figure 1", "Table 1", "the curve"]
    assert soup.select_one(".note a").get_text().split() == ["Table", "1"]


def test_every_link_in_the_page_leads_somewhere(soup):
    anchors = [element["id"] for element in soup.find_all(id=True)]
    assert len(anchors) == len(set(anchors))
    for link in soup.find_all("a", href=re.compile("^#")):
        assert link["href"][1:] in anchors


def test_code_is_folded_and_parameters_are_named(soup):
    folds = soup.select("details.code")
    assert len(folds) == 10 and not any(fold.has_attr("open") for fold in folds)
    assert [fold.summary.get_text() for fold in folds][:3] == ["Parameters", "Parameters of this run", "Code"]
    assert soup.find(id="show-code") is not None


def test_navigation_and_contents(soup):
    assert [link.get_text() for link in soup.select("nav.reports a")] == ["The images", "Model"]
    assert soup.select_one("nav.reports a[aria-current=page]").get_text() == "Model"
    assert [link["href"] for link in soup.select("nav.contents a")] == ["#The-model", "#Details", "#The-model-2"]
    assert {"model.pdf", "book.pdf"} <= {link["href"] for link in soup.select("header a")}
    assert soup.title.get_text() == "Loss and scores · A study <1>"


def test_formulas_become_mathml_except_in_code(soup):
    formulas = soup.main.find_all("math")
    assert len(formulas) == 3 and all(formula.find("annotation") for formula in formulas)
    assert soup.select_one("figcaption math") is not None
    block = soup.find("math", display="block")
    assert len(block.find_all("mtr")) == 2 and "&" not in block.mtable.get_text()
    assert soup.select_one("section.text code").get_text() == "$HOME"
    assert "$" not in re.sub(r"\$HOME", "", "".join(p.get_text() for p in soup.select("main p, main figcaption")))


def test_noise_and_places_of_this_machine_stay_out(page, soup):
    text = page.read_text(encoding="utf-8")
    assert "chatter of a library" not in text and "50%|" not in text and "100%|" not in text
    assert "best epoch: 12" in soup.main.get_text()
    assert "/home/someone" not in text and "…/ham10000" in text
    assert str(Path(html.__file__).parents[3]) not in text


def test_markup_in_cells_is_shown_not_obeyed(soup):
    assert soup.main.find("td", string="<b>nevus</b>") is not None


def test_same_notebook_same_bytes(page, tmp_path):
    assert make(tmp_path, notebook_fixture.cells()).read_bytes() == page.read_bytes()


def test_failed_run_says_so_at_the_top(tmp_path):
    soup = BeautifulSoup(make(tmp_path, notebook_fixture.failed()).read_text(encoding="utf-8"), "html.parser")
    banner = soup.main.select_one(".banner")
    assert "cell 7 failed: ValueError: no images in …/x" in " ".join(banner.get_text().split())
    cell = soup.find(id=banner.a["href"][1:])
    trace = cell.select_one(".failure pre").get_text()
    assert "Cell In[7]" in trace and "File lesionbook/training.py:9" not in trace and "inner" in trace
    assert "\x1b" not in trace and "/home" not in trace and cell.select_one(".failure").find_parent("details") is None
    assert "Figure (not drawn)" in soup.main.get_text()


def test_run_that_was_cut_off_says_so(tmp_path):
    cut = new_code_cell("fit()", execution_count=3, metadata={"papermill": {"status": "running"}})
    text = make(tmp_path, [new_markdown_cell("# Cut"), cut]).read_text(encoding="utf-8")
    assert "cell 3 failed</a>: Stopped" in text and 'id="failed-cell"' in text


def test_repeated_label_is_refused_by_name(tmp_path):
    outputs = [
        notebook_fixture.shown(report.show_figure, notebook_fixture.curve(), label="loss", caption="L.", alt="A.")
        for _ in "ab"
    ]
    with pytest.raises(LesionbookError, match=r"model\.ipynb.*'loss'"):
        make(tmp_path, [new_code_cell("x", outputs=output) for output in outputs])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[Figure](#fig-absent)", "'absent'"),
        ("[any text](#tbl-absent)", "'absent'"),
        (r"$\nosuchcommand{x$", "nosuchcommand"),
        ("![far](https://example.org/x.png)", "not embedded"),
    ],
)
def test_what_cannot_be_rendered_is_refused_by_name(tmp_path, text, said):
    with pytest.raises(LesionbookError, match=rf"model\.ipynb.*{said}"):
        make(tmp_path, [new_markdown_cell(text)])


def test_scripts_of_outputs_are_dropped_and_addresses_of_objects(tmp_path):
    data = {"text/html": "<p onclick='x()'>kept</p><script src='https://example.org/x.js'></script>"}
    outputs = [
        new_output("display_data", data=data),
        new_output("display_data", data={"text/plain": "<Axes at 0x7f00aa>"}),
        new_output("display_data", data={"application/javascript": "alert(1)", "text/plain": "x"}),
    ]
    text = make(tmp_path, [new_code_cell("x", outputs=outputs)]).read_text(encoding="utf-8")
    assert "kept" in text and "x.js" not in text and "alert" not in text and "0x7f00aa" not in text


def test_jupyter_error_headings_of_papermill_are_left_out(tmp_path):
    mark = new_markdown_cell("An Exception was encountered", metadata={"tags": ["papermill-error-cell-tag"]})
    assert "Exception was" not in make(tmp_path, [mark, new_markdown_cell("# T")]).read_text(encoding="utf-8")
