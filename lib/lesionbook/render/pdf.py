"""Reports as PDF: HTML through pandoc to Typst, set with this package's own page; no TeX, no browser.

The bytes depend on the report alone: only the fonts inside Typst are used and no date is written.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from lesionbook.errors import LesionbookError
from lesionbook.render import asset, pandoc, printing

TIMEOUT = 180  # seconds
_TYPST = """
import sys, typst
try:
    typst.compile(sys.argv[1], output=sys.argv[2], root=sys.argv[3], ignore_system_fonts=True)
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""
# What pandoc's Typst writer cannot say: described images, captions above tables, notes, pages on their side.
_FILTER = r"""
local function raw(text) return pandoc.RawBlock("typst", text) end
local function quoted(text) return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"'):gsub("%s+", " ") .. '"' end
local function wrapped(before, blocks, after)
  local out = pandoc.List({raw(before)})
  out:extend(blocks)
  out:insert(raw(after))
  return out
end
local function image_call(image)
  return "image(" .. quoted(image.src) .. ", alt: " .. quoted(pandoc.utils.stringify(image.caption)) ..
    (image.attributes.width and ", width: " .. image.attributes.width or "") .. ")"
end
local function label(id) return id ~= "" and " <" .. id .. ">" or "" end

function Figure(figure)
  local found
  figure:walk({Image = function(image) found = found or image end})
  if found then
    local after = "])" .. label(figure.identifier)
    return wrapped("#figure(" .. image_call(found) .. ", caption: [", figure.caption.long, after)
  end
end
function Image(image) return pandoc.RawInline("typst", "#box(" .. image_call(image) .. ")") end
function Span(span)
  if span.classes:includes("caption-number") then
    local out = pandoc.List({pandoc.RawInline("typst", "#caption-number[")})
    out:extend(span.content)
    out:insert(pandoc.RawInline("typst", "]"))
    return out
  end
end
function Div(div)
  if div.classes:includes("callout") then
    return wrapped('#callout("' .. div.attributes.kind .. '")[', div.content, "]")
  elseif div.classes:includes("note-title") then
    return wrapped("#block(below: 0.6em)[#strong[", div.content, "]<note-title>]")
  elseif div.classes:includes("tabular") then
    local caption, body = div.content[1].content, pandoc.List({})
    for i = 2, #div.content do body:insert(div.content[i]) end
    local blocks = wrapped("#figure(kind: table, caption: [", caption, "], [")
    blocks:extend(body)
    blocks:insert(raw("])" .. label(div.identifier)))
    if div.attributes.words == "many" then blocks = wrapped("#wordy.update(true)", blocks, "#wordy.update(false)") end
    if div.attributes.shape == "landscape" then return wrapped("#page(flipped: true)[", blocks, "]") end
    if div.attributes.rows == "few" then return wrapped("#whole[", blocks, "]") end
    return blocks
  end
  if div.identifier ~= "" then return wrapped("#metadata(none)" .. label(div.identifier), div.content, "") end
  return div.content
end
"""


def render(html: Path, output: Path, *, title: str) -> None:
    """Print one report.

    Parameters
    ----------
    html : Path
        A report made by `lesionbook.render.html`.
    output : Path
        The PDF to write.
    title : str
        Stands in the document's properties. The running header names the report and its study.

    Raises
    ------
    LesionbookError
        If pandoc or Typst fails or takes too long.
    """
    heading = f"#show: report.with(title: {_typst(title)}, study: {_typst(printing.study_title(html))})"
    _print(lambda folder: _convert(printing.prepare(html, folder), folder), heading, output)


def book(htmls: list[Path], output: Path, *, title: str, subtitle: str) -> None:
    """Print the reports of a study as one book: title page, contents, a chapter per report.

    Figures and tables are numbered by chapter: Figure 3 of the second report is Figure 2.3.

    Raises
    ------
    LesionbookError
        If there is no report, or pandoc or Typst fails or takes too long.
    """
    if not htmls:
        raise LesionbookError(f"{output.name}: a book needs at least one report; render the reports first.")
    numbers = {html.name: number for number, html in enumerate(htmls, start=1)}

    def bodies(folder: Path) -> str:
        pages = (printing.prepare(html, folder, chapter=i, chapters=numbers) for i, html in enumerate(htmls, start=1))
        return "\n\n".join(_convert(page, folder) for page in pages)

    _print(bodies, f"#show: book.with(title: {_typst(title)}, subtitle: {_typst(subtitle)})", output)


def _typst(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # Typst strings are escaped as JSON's are


def _convert(body: str, folder: Path) -> str:
    (folder / "filter.lua").write_text(_FILTER, encoding="utf-8")
    text = pandoc.run(["--from=html", "--to=typst", "--wrap=none", "--lua-filter=filter.lua"], body, folder=folder)
    return text.replace("align(center)[#table(", "align(left)[#table(")  # below its caption, as in the HTML


def _print(bodies: Callable[[Path], str], head: str, output: Path) -> None:
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "report.typ").write_text(asset("report.typ"), encoding="utf-8")
        (folder / "main.typ").write_text(f'#import "report.typ": *\n{head}\n\n{bodies(folder)}', encoding="utf-8")
        made = folder / "out.pdf"
        _compile(folder / "main.typ", made, folder, output.name)
        output.write_bytes(made.read_bytes())


def _compile(source: Path, made: Path, folder: Path, name: str) -> None:
    # In a process of its own: it can be stopped, and a crash of the compiler is an error instead of the end.
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TYPST, str(source), str(made), str(folder)],
            capture_output=True,
            encoding="utf-8",
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LesionbookError(f"{name}: typesetting took longer than {TIMEOUT} seconds; see the HTML.") from error
    if done.returncode or not made.exists():
        said = " ".join(done.stderr.replace(str(folder), "").split())[:400]
        raise LesionbookError(f"{name}: Typst could not set the page ({said}); the HTML report is complete without it.")
