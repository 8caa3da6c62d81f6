"""What a notebook shows: figures, tables, notes and source, each with what a reader needs to find and to understand it.

The renderer (`lesionbook.render`) numbers what is shown here and resolves the references to it; in Jupyter the same
outputs stand by themselves.
"""

import base64
import html
import inspect
import io
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import mistune
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from lesionbook.errors import LesionbookError
from lesionbook.render import tables

# Pixels stored per inch; shown at 96 CSS pixels per inch, so a 10 pt label is 10 pt on the page and sharp when zoomed.
DPI = 160
CSS_DPI = 96
NOTE_TITLES = {"info": "Note", "drawn": "Drawn images", "warning": "Caution"}
_NOTE_STYLES = {"info": ("#2f6f9f", "#eef5fa"), "drawn": ("#7a5ca8", "#f4f0fa"), "warning": ("#b3591b", "#fdf3ea")}
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def show_figure(figure: Figure, *, label: str, caption: str, alt: str) -> None:
    r"""Show a figure with its caption and its description, then close it.

    Parameters
    ----------
    figure : matplotlib Figure
        Drawn at its true size: one inch is 96 CSS pixels on the page, less where the page is narrower.
    label : str
        Name for references: ``[Figure](#fig-<label>)`` in a Markdown cell. Letters, digits, ``-``, ``_``, ``.``; once
        per notebook.
    caption : str
        What to see in it. Inline Markdown and ``$…$`` formulas are allowed.
    alt : str
        What is drawn, for a reader who cannot see it.

    Raises
    ------
    LesionbookError
        If the label is no valid name, or the caption or the description is empty.
    """
    _check("figure", label, caption=caption, alt=alt)
    buffer = io.BytesIO()
    # Software and date would change the bytes with the version and the minute.
    figure.savefig(
        buffer,
        format="png",
        dpi=DPI,
        bbox_inches="tight",
        pad_inches=0.08,
        facecolor="white",
        metadata={"Software": None},
    )
    plt.close(figure)
    data = buffer.getvalue()
    width = round(int.from_bytes(data[16:20], "big") * CSS_DPI / DPI)  # the PNG header keeps the width at byte 16
    _show(
        f'<figure class="lesionbook" id="fig-{label}" style="margin:1em 0">'
        f'<img src="data:image/png;base64,{base64.b64encode(data).decode()}" alt="{html.escape(alt)}" width="{width}" '
        f'style="max-width:100%;height:auto;background:#fff">'
        f'<figcaption style="max-width:46em">{_inline(caption)}</figcaption></figure>',
        f"Figure: {caption}",
    )


def show_table(
    frame: pd.DataFrame,
    *,
    label: str,
    caption: str,
    formats: dict[str, str | Callable[[object], str]] | None = None,
    index: bool = True,
    links: dict[str, Sequence[str | None]] | None = None,
) -> None:
    """Show a table with its caption: numbers to the right, text to the left, missing values as a dash.

    Parameters
    ----------
    frame : DataFrame
        One- or many-level rows and columns. Markup in cells is shown as written.
    label : str
        Name for references: ``[Table](#tbl-<label>)`` in a Markdown cell.
    caption : str
        What the table says. Inline Markdown and ``$…$`` formulas are allowed.
    formats : dict of column name -> format, optional
        A format string such as ``"{:.3f}"`` or a callable from value to text. Other columns: whole numbers as they are,
        fractions with three decimals. Names that the frame lacks are passed over, so one dict can serve several tables.
    index : bool
        Whether to show the row names.
    links : dict of column name -> addresses, optional
        Where the cells of a column lead, one address or None for each row: ``explore.html#Size`` is the section
        *Size* of the report beside this one.

    Raises
    ------
    LesionbookError
        If the label is no valid name, the caption is empty, or a format does not fit its column.
    """
    _check("table", label, caption=caption)
    table = tables.markup(frame, label=label, formats=formats or {}, index=index, links=links)
    _show(
        f'<figure class="lesionbook table" id="tbl-{label}" style="margin:1em 0">'
        f'<figcaption style="max-width:46em">{_inline(caption)}</figcaption>'
        f'<div class="table-box" tabindex="0" style="overflow-x:auto">{table}</div>'
        "</figure>",
        f"Table: {caption}",
    )


def show_note(text: str, kind: str = "info") -> None:
    """Show a note set apart from the text.

    Parameters
    ----------
    text : str
        Inline Markdown; an empty line starts a paragraph.
    kind : {"info", "drawn", "warning"}
        ``drawn`` marks results that come from the suite's drawn images.

    Raises
    ------
    LesionbookError
        If the kind is unknown or the text is empty.
    """
    if kind not in NOTE_TITLES:
        raise LesionbookError(f"note: kind {kind!r} is unknown; choose one of {', '.join(NOTE_TITLES)}.")
    if not text.strip():
        raise LesionbookError("note: the text is empty; say what the reader should know or drop the note.")
    line, background = _NOTE_STYLES[kind]
    style = f"border-left:4px solid {line};background:{background};color:#1d1d1f;padding:.6em 1em;margin:1em 0"
    _show(
        f'<div class="lesionbook note note-{kind}" role="note" style="{style}">'
        f'<p class="note-title" style="margin:0 0 .3em;font-weight:600">{NOTE_TITLES[kind]}</p>{_markdown(text)}</div>',
        f"{NOTE_TITLES[kind]}: {text}",
    )


def show_source(obj: Callable | type) -> None:
    """Show the source of a function or class, with the file it stands in.

    Raises
    ------
    LesionbookError
        If the source cannot be found, as for a built-in.
    """
    obj = inspect.unwrap(obj)
    try:
        source, file = inspect.getsource(obj), Path(inspect.getsourcefile(obj) or "")
    except (TypeError, OSError) as error:
        raise LesionbookError(f"source: {obj!r} has no source file; show a function of the library instead.") from error
    formatter = HtmlFormatter(cssclass="highlight", style="default")
    name = html.escape(_location(obj, file))
    _show(
        # The style serves Jupyter; the renderer drops it for the report's own, which has a dark side.
        f"<style>{formatter.get_style_defs('.lesionbook .highlight')}</style>"
        f'<figure class="lesionbook source" style="margin:1em 0"><figcaption><code>{name}</code></figcaption>'
        f"{highlight(source, PythonLexer(), formatter).strip()}</figure>",
        f"{name}\n\n{source}",
    )


def _show(markup: str, plain: str) -> None:
    display({"text/html": markup, "text/plain": plain}, raw=True)


def _check(what: str, label: str, **texts: str) -> None:
    if not _LABEL.fullmatch(label):
        raise LesionbookError(f"{what} {label!r}: a label is made of letters, digits, '-', '_' and '.'; rename it.")
    for name, text in texts.items():
        if not text.strip():
            said = "a description (alt) for readers who cannot see it" if name == "alt" else "a caption"
            raise LesionbookError(f"{what} {label!r} needs {said}; it is empty.")


def _location(obj: Callable | type, file: Path) -> str:
    package = sys.modules.get(obj.__module__.partition(".")[0])
    base = Path(package.__file__).parent.parent if getattr(package, "__file__", None) else file.parent
    # Never the machine's own path: outside its package a file is named, not located.
    return file.relative_to(base).as_posix() if file.is_relative_to(base) else file.name


class _Renderer(mistune.HTMLRenderer):
    """Markdown with formulas left as ``$…$``, which Jupyter typesets and the renderer turns into MathML."""

    def inline_math(self, text: str) -> str:
        return f"${mistune.escape(text)}$"

    def block_math(self, text: str) -> str:
        return f"<p>$${mistune.escape(text)}$$</p>\n"


def _formulas(md: mistune.Markdown) -> None:
    """Read ``$…$`` before anything inside it can be taken for emphasis or an escape."""
    md.inline.register(
        "inline_math",
        r"\$(?P<math_text>(?!\s)(?:[^$\\]|\\.)+?(?<!\s))\$(?!\d)",
        lambda _, match, state: (state.append_token({"type": "inline_math", "raw": match["math_text"]}), match.end())[
            1
        ],
        before="link",
    )


_markdown_renderer = mistune.create_markdown(renderer=_Renderer(escape=True), plugins=[_formulas])


def _markdown(text: str) -> str:
    return str(_markdown_renderer(inspect.cleandoc(text))).strip()


def _inline(text: str) -> str:
    return _markdown(text).removeprefix("<p>").removesuffix("</p>").replace("</p>\n<p>", "<br>")
