"""One executed notebook as one HTML file that needs nothing else: no network, no side folder, no JavaScript."""

from dataclasses import dataclass
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from jinja2 import Environment, PackageLoader, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

import lesionbook
from lesionbook.errors import LesionbookError
from lesionbook.render import asset, cells, formulas, numbering

_ASSETS = PackageLoader("lesionbook.render", "assets")
_SHOWN_TYPES = ["text/html", "text/markdown", "image/svg+xml", "text/latex", "image/png", "image/jpeg", "text/plain"]


@dataclass(frozen=True)
class NavigationEntry:
    """One report of the study: its title, its address relative to the page, and whether it is this page."""

    title: str
    href: str
    current: bool = False


def render(
    notebook: Path,
    output: Path,
    *,
    study_title: str,
    navigation: list[NavigationEntry],
    profile: str,
    pdf_href: str | None = "",
    book_href: str | None = "book.pdf",
    index_href: str | None = "../../index.html",
) -> None:
    """Write the report of an executed notebook.

    Parameters
    ----------
    notebook : Path
        The executed ``.ipynb``. One that failed is rendered too, with the error at the top.
    output : Path
        The HTML file to write.
    study_title, profile : str
        Named in the page's header.
    navigation : list of NavigationEntry
        The study's reports in reading order.
    pdf_href, book_href, index_href : str or None
        Addresses relative to the page of this report as PDF (empty: same name, ``.pdf``), of the study's book and of
        the index; None leaves the link out.

    Raises
    ------
    LesionbookError
        If a label is used twice, a reference names nothing, a formula cannot be read or an image is not embedded.
    """
    name = notebook.name
    node = nbformat.read(notebook, as_version=4)
    failure = cells.prepare(node)
    try:
        body = BeautifulSoup(
            _Exporter().from_notebook_node(node, {"metadata": {"path": str(notebook.parent)}})[0], "html.parser"
        )
        _settle(body)
        formulas.typeset(body)
        captioned = numbering.number(body, complete=failure is None)
    except LesionbookError as error:
        raise LesionbookError(f"{name}: {error}") from error
    contents = numbering.sections(body)
    heading = body.find("h1")
    page = Environment(loader=_ASSETS, autoescape=True, keep_trailing_newline=True).get_template("page.html.j2")
    text = page.render(
        title=numbering.text(heading) if heading else output.stem,
        study_title=study_title,
        profile=profile,
        navigation=navigation,
        sections=contents,
        captioned=captioned,
        failure=failure,
        body=Markup(body.decode(formatter="minimal").strip()),
        css=Markup(asset("page.css")),
        js=Markup(asset("page.js")),
        pdf_href=f"{output.stem}.pdf" if pdf_href == "" else pdf_href,
        book_href=book_href,
        index_href=index_href,
        version=lesionbook.__version__,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8", newline="\n")


class _MathRenderer(IPythonRenderer):
    """nbconvert's Markdown with formulas marked instead of left to MathJax."""

    def block_math(self, body: str) -> str:
        return formulas.placeholder(body, block=True)

    def inline_math(self, body: str) -> str:
        return formulas.placeholder(body, block=False)

    def latex_environment(self, name: str, body: str) -> str:
        return formulas.placeholder(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)


class _Exporter(HTMLExporter):
    """nbconvert's HTML exporter with this package's template."""

    def __init__(self) -> None:
        super().__init__(extra_loaders=[_ASSETS], template_name="basic", template_file="cells.html.j2")
        self.embed_images = True

    @property
    def default_config(self) -> Config:
        config = super().default_config
        config.NbConvertBase.display_data_priority = _SHOWN_TYPES
        return config

    @pass_context
    def markdown2html(self, context: Context, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        renderer = _MathRenderer(
            escape=False, attachments=attachments, embed_images=True, path=path, exclude_anchor_links=True
        )
        return MarkdownWithMath(renderer=renderer).render(source)


def _settle(body: BeautifulSoup) -> None:
    """Make the body stand by itself: no scripts, no styles of its own, no image from elsewhere."""
    for element in body(["script", "style", "link", "iframe"]):
        element.decompose()
    for element in body.select(".lesionbook, .lesionbook [style]"):
        # Inline styles serve Jupyter; here the style sheet rules, which knows phones, print and the dark.
        del element["style"]
    for image in body("img"):
        if not image.get("src", "").startswith("data:"):
            raise LesionbookError(f"the image {image.get('src', '')!r} is not embedded; show it by show_figure.")
    for element in body.select("figcaption, .note"):
        formulas.mark(element)
    for box in body.select("div.output > table, div.output > div > table"):
        box.attrs = {}
