"""The front page over all reports: what there is, what came out, and a search through all of it."""

import json
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag
from jinja2 import Environment, PackageLoader
from markupsafe import Markup

import lesionbook
from lesionbook.render import asset, numbering


class ReportEntry(NamedTuple):
    """One report: title, summary in a sentence, and its addresses relative to the index (no PDF: None)."""

    title: str
    summary: str
    html_href: str
    pdf_href: str | None = None


class Overview(NamedTuple):
    """What came out of a study, in words.

    The best model by validation, its macro AUC with interval, on how many test images (groups), and how many published
    scores and parameter counts agree (empty: none published).
    """

    model: str
    figure: str
    tested: str
    published: str = ""
    parameters: str = ""


@dataclass(frozen=True)
class IndexEntry:
    """One study in one profile.

    Attributes
    ----------
    profile, study, study_title : str
        Keys of profile and study, and the study's name for people.
    question : str
        What the study asks, in a sentence.
    book_href : str or None
        Address of the study's book.
    reports : list of ReportEntry or of tuples in its order
        In reading order.
    drawn : bool
        Whether the images were drawn by the suite.
    headline : str or None
        The result in a sentence.
    incomplete : list of str
        Titles of reports whose notebook failed.
    overview : Overview or None
        Its line in the table of all studies.
    """

    profile: str
    study: str
    study_title: str
    question: str
    book_href: str | None
    reports: list[ReportEntry]
    drawn: bool = False
    headline: str | None = None
    incomplete: list[str] = field(default_factory=list)
    overview: Overview | None = None


def render(entries: list[IndexEntry], output: Path) -> None:
    """Write the index as one self-contained page; reports that exist beside it are made searchable.

    Parameters
    ----------
    entries : list of IndexEntry
        In the order to show; those of one profile side by side.
    output : Path
        The page to write; the entries' addresses are relative to it.
    """
    texts = []
    for entry in entries:
        for report in (ReportEntry(*item) for item in entry.reports):
            page = output.parent / report.html_href
            if page.exists():
                where = f"{entry.study_title} · {entry.profile}"
                texts.append(
                    {"href": report.html_href, "title": report.title, "where": where, "parts": search_text(page)}
                )
    profiles = [(name, list(group)) for name, group in groupby(entries, key=lambda entry: entry.profile)]
    template = Environment(
        loader=PackageLoader("lesionbook.render", "assets"), autoescape=True, keep_trailing_newline=True
    )
    text = template.get_template("index.html.j2").render(
        profiles=profiles,
        compared=[entry for entry in entries if entry.overview is not None],
        report_entry=ReportEntry._make,
        css=Markup(f"{asset('page.css')}\n{asset('index.css')}"),
        js=Markup(asset("index.js")),
        # "<" is written as an escape so that no text can end the script element.
        search=Markup(json.dumps(texts, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")),
        version=lesionbook.__version__,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8", newline="\n")


def search_text(html: Path) -> list[dict[str, str]]:
    """Extract what a reader may look for in a report.

    Parameters
    ----------
    html : Path
        A report made by `lesionbook.render.html`.

    Returns
    -------
    list of dict
        One per section (``title``, its ``text``) and one per figure and table (``title`` is its number, ``text`` its
        caption), each with the ``anchor`` to go to; in reading order. Code and the cells of tables are left out.
    """
    main = BeautifulSoup(html.read_text(encoding="utf-8"), "html.parser").find("main")
    parts: list[dict[str, str]] = []
    if main is None:
        return parts
    for element in main.select(".chrome, pre, table, script, style"):
        element.decompose()
    section = {"title": "", "anchor": "", "text": ""}
    for element in main.find_all(["h1", "h2", "h3", "h4", "p", "li", "dd", "figure"]):
        if element.name[0] == "h":
            section = {"title": numbering.text(element), "anchor": element.get("id", ""), "text": ""}
            parts.append(section)
        elif element.name == "figure":
            parts.extend(_captioned(element))
        elif element.find_parent(["figure", "li", "p"]) is None:
            if not parts:
                parts.append(section)
            section["text"] = f"{section['text']} {numbering.text(element)}".strip()
    return parts


def _captioned(figure: Tag) -> list[dict[str, str]]:
    mark, caption = figure.select_one(".caption-number"), figure.find("figcaption")
    if mark is None or caption is None:
        return []
    title = mark.extract().get_text().rstrip(".")
    return [{"title": title, "anchor": figure.get("id", ""), "text": numbering.text(caption)}]
