import base64
import io

import notebook_fixture
import pypdf
import pytest
from PIL import Image

from lesionbook.errors import LesionbookError
from lesionbook.render import html, pandoc, pdf, printing


def text_of(path) -> str:
    return " ".join(" ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split())


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pdf")
    made = []
    for name, content in [("model", notebook_fixture.cells()), ("broken", notebook_fixture.failed())]:
        made.append(folder / f"{name}.html")
        source = notebook_fixture.write(folder / f"{name}.ipynb", content)
        html.render(source, made[-1], study_title="A study", navigation=[], profile="sample")
    return made


@pytest.fixture(scope="module")
def report(pages):
    output = pages[0].with_suffix(".pdf")
    pdf.render(pages[0], output, title="Loss and scores")
    return output


@pytest.fixture(scope="module")
def book(pages):
    output = pages[0].parent / "book.pdf"
    pdf.book(pages, output, title='The "study" of #lesions', subtitle="After X 2022")
    return output


def test_report_has_the_numbers_of_the_html_and_no_code(report):
    text = text_of(report)
    for part in [
        "Loss and scores",
        "Figure 1. Loss",
        "Table 1. Scores per class.",
        "See Figure 2, Figure 1, Table 1",
        "best epoch: 12",
    ]:
        assert part in text
    running = [" ".join(page.extract_text().split()) for page in pypdf.PdfReader(report).pages][1:]
    assert running and all(page.startswith("Loss and scores A study") for page in running)
    assert "epochs = 3" not in text and "Show all code" not in text and "On this page" not in text
    assert "def class_names" in text, "a source listing is content, not code of the notebook"


def test_report_has_all_images_and_their_descriptions(report):
    reader = pypdf.PdfReader(report)
    assert sum(len(page.images) for page in reader.pages) == 2
    assert sorted(descriptions(reader)) == ["A line falls.", "It rises again."]


def descriptions(reader) -> list[str]:
    found, waiting = [], [reader.trailer["/Root"]["/StructTreeRoot"]]
    while waiting:
        item = waiting.pop()
        item = item.get_object() if isinstance(item, pypdf.generic.IndirectObject) else item
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            found += [str(item["/Alt"])] if "/Alt" in item else []
            waiting += [item["/K"]] if "/K" in item else []
    return found


def test_long_table_breaks_with_its_head_and_wide_table_lies_down(report):
    pages = pypdf.PdfReader(report).pages
    assert sum("HAM_0000" in page.extract_text() for page in pages) >= 2
    assert all("lesion" in page.extract_text() for page in pages if "HAM_0000" in page.extract_text())
    lying = [page for page in pages if page.mediabox.width > page.mediabox.height]
    assert len(lying) == 1 and "Table 2. Everything." in " ".join(lying[0].extract_text().split())


def test_same_html_same_bytes_without_dates(pages, report, tmp_path):
    pdf.render(pages[0], tmp_path / "again" / "model.pdf", title="Loss and scores")
    data = (tmp_path / "again" / "model.pdf").read_bytes()
    assert data == report.read_bytes()
    assert b"CreationDate" not in data and b"CreateDate" not in data and b"ModifyDate" not in data
    assert pypdf.PdfReader(report).metadata.title == "Loss and scores"


def test_failed_report_prints_its_banner(pages, tmp_path):
    pdf.render(pages[1], tmp_path / "broken.pdf", title="A study")
    assert "This report is incomplete: cell 7 failed: ValueError" in text_of(tmp_path / "broken.pdf")


def test_book_has_title_contents_and_chapters(book):
    reader = pypdf.PdfReader(book)
    texts = [" ".join(page.extract_text().replace("\u2060", "").split()) for page in reader.pages]
    assert 'The "study" of #lesions' in texts[0] and "After X 2022" in texts[0]
    assert texts[1].startswith("Contents") and "1.1 The model" in texts[1]
    assert [item.title for item in reader.outline if not isinstance(item, list)] == ["1 Loss and scores", "2 Broken"]
    opening = next(number for number, text in enumerate(texts, start=1) if text.startswith("Chapter 2 Broken"))
    assert f"2 Broken {opening}" in texts[1], "the contents name the page"
    assert "Figure 1.2. Once more." in " ".join(texts) and "See Figure 1.2, Figure 1.1, Table 1.1" in " ".join(texts)
    assert "Figure 2." not in " ".join(texts)


def test_book_repeats_byte_for_byte(pages, book, tmp_path):
    pdf.book(pages, tmp_path / "b.pdf", title='The "study" of #lesions', subtitle="After X 2022")
    assert (tmp_path / "b.pdf").read_bytes() == book.read_bytes()


def test_links_between_reports_lead_to_chapters_and_others_are_dropped(tmp_path):
    page = tmp_path / "a.html"
    links = '<a href="b.html#x">next</a> <a href="c.html">gone</a> <a href="https://example.org">far</a>'
    page.write_text(f"<title>A · S</title><main><p>{links}</p></main>", encoding="utf-8")
    body = printing.prepare(page, tmp_path, chapter=1, chapters={"a.html": 1, "b.html": 2})
    assert 'href="#chapter-2"' in body and "c.html" not in body and "gone" in body and "https://example.org" in body
    assert "<h1" in body and ">A</h1>" in body, "a page without a heading gets its title"


@pytest.mark.parametrize(("size", "shown"), [((6000, 300), 6.35), ((300, 6000), 0.42), ((96, 96), 1.0)])
def test_images_fit_the_page_and_are_not_blown_up(tmp_path, size, shown):
    data = io.BytesIO()
    Image.new("RGB", size).save(data, "PNG")
    source = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
    (tmp_path / "a.html").write_text(f'<title>A</title><main><img alt="x" src="{source}"></main>', encoding="utf-8")
    assert f'width="{shown:.3f}in"' in printing.prepare(tmp_path / "a.html", tmp_path)


def test_errors_are_sentences(tmp_path, pages, monkeypatch):
    with pytest.raises(LesionbookError, match="at least one report"):
        pdf.book([], tmp_path / "b.pdf", title="T", subtitle="S")
    (tmp_path / "a.html").write_text("<p>no report</p>", encoding="utf-8")
    with pytest.raises(LesionbookError, match=r"a\.html is no report"):
        pdf.render(tmp_path / "a.html", tmp_path / "a.pdf", title="T")
    with pytest.raises(LesionbookError, match="pandoc refused"):
        pandoc.run(["--from=nonsense"], "x")
    monkeypatch.setattr(pdf, "asset", lambda name: "#let broken = (")
    with pytest.raises(LesionbookError, match=r"out\.pdf: Typst could not"):
        pdf.render(pages[1], tmp_path / "out.pdf", title="T")
    assert not (tmp_path / "out.pdf").exists()


def test_slow_pandoc_is_stopped(monkeypatch):
    monkeypatch.setattr(pandoc, "TIMEOUT", 0.001)
    with pytest.raises(LesionbookError, match="took longer"):
        pandoc.run(["--from=html", "--to=typst"], "<p>x</p>" * 100_000)
