"""Numbers, references and anchors of a report: figures and tables counted in reading order, links that say so."""

from dataclasses import dataclass, field

from bs4 import BeautifulSoup, Tag

from lesionbook.errors import LesionbookError

KINDS = {"fig": "Figure", "tbl": "Table"}
# Link texts that stand for the number; any other text was chosen by the writer and stays.
_PLACEHOLDERS = {"figure", "fig.", "table"}


@dataclass(frozen=True)
class Captioned:
    """A numbered figure or table: its anchor, its number ("Figure 3") and the text of its caption."""

    anchor: str
    number: str
    caption: str


@dataclass
class Section:
    """A heading of the report with the headings below it."""

    anchor: str
    title: str
    children: list["Section"] = field(default_factory=list)


def text(element: Tag) -> str:
    """Return an element's text in one line, formulas once (their TeX is left out)."""
    strings = (string for string in element.strings if string.find_parent("annotation") is None)
    return " ".join("".join(strings).split())


def number(soup: BeautifulSoup, *, complete: bool = True) -> list[Captioned]:
    """Count figures and tables in document order and write the numbers into captions and references, in place.

    Parameters
    ----------
    soup : BeautifulSoup
        The report's body.
    complete : bool
        False for a notebook that failed: a reference to what was never drawn is then no error.

    Raises
    ------
    LesionbookError
        If two figures or tables share a label, or a reference names an unknown one.
    """
    found: dict[str, Captioned] = {}
    counts = dict.fromkeys(KINDS, 0)
    for figure in soup.select("figure.lesionbook[id]"):
        anchor = figure["id"]
        kind, _, label = anchor.partition("-")
        if anchor in found:
            raise LesionbookError(f"the label {label!r} is given to two {KINDS[kind].lower()}s; rename one.")
        counts[kind] += 1
        name = f"{KINDS[kind]} {counts[kind]}"
        caption = figure.find("figcaption")
        found[anchor] = Captioned(anchor, name, text(caption))
        mark = soup.new_tag("span", attrs={"class": "caption-number"})
        mark.string = f"{name}."
        caption.insert(0, mark, " ")
    for link in soup.select('a[href^="#fig-"], a[href^="#tbl-"]'):
        _resolve(link, found, complete)
    return list(found.values())


def _resolve(link: Tag, found: dict[str, Captioned], complete: bool) -> None:
    anchor = link["href"][1:]
    plain = link.get_text(strip=True).lower() in _PLACEHOLDERS
    if anchor in found:
        if plain:
            link.string = found[anchor].number.replace(" ", "\N{NO-BREAK SPACE}")
            link["class"] = "reference"
        return
    kind, _, label = anchor.partition("-")
    if complete:
        close = ", ".join(sorted(name.partition("-")[2] for name in found if name.startswith(kind))) or "none"
        raise LesionbookError(
            f"the text refers to {KINDS[kind].lower()} {label!r}, which the notebook does not show "
            f"(it shows: {close}); mend the reference or the label."
        )
    link.replace_with(f"{KINDS[kind]} (not drawn)" if plain else link.get_text())


def sections(soup: BeautifulSoup) -> list[Section]:
    """Give every heading an anchor, as Jupyter forms it, and return the contents: second and third level headings."""
    used: set[str] = set()
    contents: list[Section] = []
    for heading in soup.find_all(["h1", "h2", "h3", "h4"]):
        title = text(heading)
        base = anchor = "-".join(title.split()) or "section"
        count = 1
        while anchor in used or soup.find(id=anchor) not in (None, heading):
            count += 1
            anchor = f"{base}-{count}"
        used.add(anchor)
        heading["id"] = anchor
        if heading.name == "h2":
            contents.append(Section(anchor, title))
        elif heading.name == "h3" and contents:
            contents[-1].children.append(Section(anchor, title))
    return contents
