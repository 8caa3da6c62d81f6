"""A report's HTML made ready for paper: no code, no menus, images as files, anchors and numbers of the book."""

import base64
import io
import re
from pathlib import Path

from bs4 import BeautifulSoup, SoupStrainer, Tag
from PIL import Image, UnidentifiedImageError

from lesionbook.errors import LesionbookError

TEXT_WIDTH, TEXT_HEIGHT = 6.35, 8.4  # inches between the margins of assets/report.typ, room for a caption left
CSS_DPI = 96
WHOLE_ROWS = 18  # a table of no more rows stays on one page
LONG = 28  # characters; a longer text is broken into lines before a table is set smaller
_SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/svg+xml": ".svg", "image/gif": ".gif"}
_NOTES = {
    "note-info": "info",
    "note-drawn": "drawn",
    "note-warning": "warning",
    "banner": "failure",
    "failure": "failure",
}


def prepare(html: Path, folder: Path, *, chapter: int | None = None, chapters: dict[str, int] | None = None) -> str:
    """Return the body of a report as plain HTML for pandoc and write its images into a folder.

    Parameters
    ----------
    html : Path
        A report made by `lesionbook.render.html`.
    folder : Path
        Where the images go.
    chapter : int, optional
        The chapter's number in a book: Figure 3 becomes Figure 2.3. None for a report by itself.
    chapters : dict of file name -> chapter number, optional
        The book's reports, so that a link from one to another leads to its chapter.
    """
    soup = BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser")
    main = soup.find("main")
    if main is None:
        raise LesionbookError(f"{html.name} is no report: it has no <main>; render it from its notebook first.")
    for element in main.select(".chrome, script, style"):
        element.decompose()
    if main.find("h1") is None:
        heading = soup.new_tag("h1")
        heading.string = soup.title.get_text().partition(" · ")[0]
        main.insert(0, heading)
    for heading in main("h1")[1:]:
        heading.name = "h2"  # one report is one chapter
    if chapter is not None:
        _number_by_chapter(main, chapter)
    _anchor(main, chapter or 1, chapters or {})
    for count, image in enumerate(main("img"), start=1):
        _extract(image, folder, f"image-{chapter or 1}-{count}")
    for figure in main.select("figure.source"):
        _source(soup, figure)
    for figure in main.select("figure.table"):
        _table(soup, figure)
    for name, kind in _NOTES.items():
        for note in main.select(f".{name}"):
            note.attrs = {"class": "callout", "kind": kind}
            _title(soup, note)
    for cell in main.select("td:not([style]), th:not([style])"):
        classes = cell.get("class", [])
        side = "right" if "number" in classes else "center" if cell.has_attr("colspan") else "left"
        cell["style"] = f"text-align:{side}"
    return main.decode_contents(formatter="minimal")


def study_title(html: Path) -> str:
    """Read the study's title from a report's page title, ``<report> · <study>``; empty if it names none."""
    title = BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser", parse_only=SoupStrainer("title")).get_text()
    return title.rpartition(" · ")[2] if " · " in title else ""


def _number_by_chapter(main: Tag, chapter: int) -> None:
    pattern = re.compile(r"(Figure|Table)(\s)(\d+)")
    for element in main.select(".caption-number, a.reference"):
        element.string = pattern.sub(rf"\1\g<2>{chapter}.\3", element.get_text())


def _anchor(main: Tag, chapter: int, chapters: dict[str, int]) -> None:
    """Rename the anchors so that they are unique in the book, and drop links that lead nowhere on paper."""
    names = {}
    first = main.find("h1")
    for count, element in enumerate(main.find_all(id=True), start=1):
        names[element["id"]] = f"a{chapter}-{count}"
        element["id"] = f"a{chapter}-{count}"
    first["id"] = f"chapter-{chapter}"
    for link in main("a"):
        address = link.get("href", "")
        target, _, anchor = address.partition("#")
        if target in chapters:
            link["href"] = f"#chapter-{chapters[target]}"
        elif not target and anchor in names:
            link["href"] = f"#{names[anchor]}" if main.find(id=names[anchor]) else f"#chapter-{chapter}"
        elif not re.match(r"https?:|mailto:", address):
            link.unwrap()


def _extract(image: Tag, folder: Path, name: str) -> None:
    """Write an embedded image to a file and give it its printed size: its true one, or what the page has room for."""
    kind, _, data = image["src"].removeprefix("data:").partition(";base64,")
    content = base64.b64decode(data)
    file = folder / f"{name}{_SUFFIXES.get(kind, '.png')}"
    file.write_bytes(content)
    width, height = _pixels(content)
    shown = float(image.get("width") or width) / CSS_DPI
    shown = min(shown, TEXT_WIDTH, TEXT_HEIGHT * width / height)
    image.attrs = {"src": file.name, "alt": image.get("alt", ""), "width": f"{shown:.3f}in"}


def _pixels(content: bytes) -> tuple[float, float]:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            return picture.size
    except UnidentifiedImageError:  # a vector image: it has no pixels, give it the line
        return TEXT_WIDTH * CSS_DPI, TEXT_WIDTH * CSS_DPI * 0.7


def _source(soup: BeautifulSoup, figure: Tag) -> None:
    code = soup.new_tag("pre", attrs={"class": "python"})
    inner = soup.new_tag("code")
    inner.string = figure.find("pre").get_text().rstrip()
    code.append(inner)
    caption = figure.find("figcaption")
    caption.name = "p"
    figure.replace_with(caption, code)


def _table(soup: BeautifulSoup, figure: Tag) -> None:
    caption, table = figure.find("figcaption"), figure.find("table")
    caption.name, caption.attrs = "div", {"class": "caption"}
    holder = soup.new_tag("div", attrs={"class": "tabular", "id": figure["id"]})
    holder["shape"] = "landscape" if _estimated_width(table) > TEXT_WIDTH else "portrait"
    holder["words"] = "many" if any(len(cell.get_text()) > LONG for cell in table("td")) else "few"
    holder["rows"] = "few" if len(table("tr")) <= WHOLE_ROWS else "many"
    holder.extend([caption, table.extract()])
    figure.replace_with(holder)


def _estimated_width(table: Tag) -> float:
    """Guess a table's width in inches, set at 7 pt with long texts broken."""
    rows = [row.find_all(["td", "th"]) for row in table("tr")]
    columns: dict[int, int] = {}
    for row in rows:
        if any(cell.has_attr("colspan") for cell in row):
            continue
        # Row names that span rows leave their place out in the rows below: count from the right.
        for place, cell in enumerate(reversed(row)):
            columns[place] = max(columns.get(place, 0), min(len(cell.get_text()), LONG))
    return sum(count * 3.3 + 9 for count in columns.values()) / 72


def _title(soup: BeautifulSoup, note: Tag) -> None:
    title = note.select_one(".note-title")
    if title is not None:
        title.name, title.attrs = "div", {"class": "note-title"}
