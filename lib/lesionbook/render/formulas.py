"""TeX formulas as MathML, which browsers typeset by themselves and which keeps the TeX for the PDF."""

import json
import re

from bs4 import BeautifulSoup, NavigableString, Tag
from markupsafe import escape

from lesionbook.errors import LesionbookError
from lesionbook.render import pandoc

_FORMULA = re.compile(
    r"\$\$(?P<block>.+?)\$\$|(?<![\\$])\$(?P<inline>(?!\s)(?:[^$\\]|\\.)+?(?<!\s))\$(?!\d)", re.DOTALL
)
# Combining marks over nothing are lost in fonts without mathematics; these stand alone and mean the same.
_ACCENTS = str.maketrans({"\u0302": "^", "\u0303": "~", "\u0304": "\u00af", "\u0307": "\u02d9"})
_KINDS = {"block": "DisplayMath", "inline": "InlineMath"}


def placeholder(tex: str, *, block: bool) -> str:
    """Mark a formula in HTML text; `typeset` turns all marks of a page into MathML at once."""
    return f'<span class="formula" data-kind="{"block" if block else "inline"}">{escape(tex.strip())}</span>'


def mark(element: Tag) -> None:
    """Mark the ``$…$`` in an element's text, in place; code is left as it is."""
    for text in list(element.find_all(string=_FORMULA)):
        if text.find_parent(["code", "pre"]) or text.find_parent(class_="formula"):
            continue
        pieces, end = [], 0
        for match in _FORMULA.finditer(text):
            formula = placeholder(match["block"] or match["inline"], block=match["block"] is not None)
            pieces += [NavigableString(text[end : match.start()]), BeautifulSoup(formula, "html.parser").span.extract()]
            end = match.end()
        text.replace_with(*pieces, NavigableString(text[end:]))


def typeset(soup: BeautifulSoup) -> None:
    """Replace every marked formula by a ``<math>`` element annotated with its TeX, in place.

    Raises
    ------
    LesionbookError
        If a formula cannot be read.
    """
    marks = soup.select("span.formula")
    if not marks:
        return
    elements = BeautifulSoup(_mathml([(_KINDS[item["data-kind"]], item.get_text()) for item in marks]), "html.parser")
    for item, element in zip(marks, elements.find_all("math"), strict=True):
        for accent in element.find_all("mo", accent="true"):
            accent.string = accent.get_text().translate(_ACCENTS)
        del item["data-kind"]
        item["class"] = ["formula", element["display"]]
        item.clear()
        item.append(element.extract())


def _mathml(formulas: list[tuple[str, str]]) -> str:
    # pandoc's document tree is given as such, so that nothing in a formula can be taken for Markdown.
    blocks = [{"t": "Para", "c": [{"t": "Math", "c": [{"t": kind}, tex]}]} for kind, tex in formulas]
    document = json.dumps({"pandoc-api-version": [1, 23, 1], "meta": {}, "blocks": blocks})
    try:
        return pandoc.run(["--from=json", "--to=html", "--mathml", "--wrap=none", "--fail-if-warnings"], document)
    except LesionbookError as error:
        raise LesionbookError(f"a formula cannot be read; mend its TeX ({error})") from error
