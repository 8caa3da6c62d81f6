"""The markup of a table: pandas lays it out, merged headers included; alignment and dashes are added here."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
from bs4 import BeautifulSoup

from lesionbook.errors import LesionbookError

MISSING = "–"
PROSE = 28  # a text cell with more characters than this may break its line
# A cell that is a number to the eye though stored as text: 0.83, <0.001, 12 %, 0.83 (0.80–0.86), 0.83 ± 0.02.
_NUMBER_LIKE = re.compile(r"[<>≤≥≈~+−-]?\s*\d[\d\s.,:%×/()\[\]–−±+e-]*(?:to [\d\s.,%)\]−-]+)?")


def markup(
    frame: pd.DataFrame,
    *,
    label: str,
    formats: dict[str, str | Callable[[object], str]],
    index: bool = True,
    links: dict[str, Sequence[str | None]] | None = None,
) -> str:
    """Write a frame as an HTML table, cells escaped, numbers (class ``number``) to the right, missing values as a dash.

    Parameters
    ----------
    frame : DataFrame
        One- or many-level rows and columns.
    label : str
        The table's name, for error messages.
    formats : dict of column name -> format string or callable
        Columns without one: whole numbers as they are, fractions with three decimals.
    index : bool
        Whether to show the row names.
    links : dict of column name -> addresses, optional
        Where the cells of a column lead, one address or None for each row.

    Raises
    ------
    LesionbookError
        If a format does not fit its column.
    """
    columns = [_cells(frame.iloc[:, i], label, formats.get(name)) for i, name in enumerate(frame.columns)]
    numeric = [_is_numeric(frame.iloc[:, i], column) for i, column in enumerate(columns)]
    cells = np.empty(frame.shape, dtype=object)
    for i, column in enumerate(columns):
        cells[:, i] = column
    texts = pd.DataFrame(cells, index=frame.index, columns=frame.columns)
    with pd.option_context("display.max_colwidth", None, "display.html.border", 0):
        soup = BeautifulSoup(texts.to_html(index=index, na_rep=MISSING, classes=[], border=0), "html.parser")
    table = soup.table
    del table["class"], table["border"]
    for row in table.find_all("tr"):
        row.attrs.clear()
    heads = table.thead.find_all("tr")
    leaves = heads[frame.columns.nlevels - 1].find_all("th")
    leaves = leaves[len(leaves) - len(columns) :]
    for head in table.thead.find_all("th"):
        head.attrs.pop("halign", None)
        head["scope"] = "col"
    rows = [row.find_all("td") for row in table.tbody.find_all("tr")]
    for place, right in enumerate(numeric):
        for cell in [leaves[place], *(row[place] for row in rows if place < len(row))]:
            cell["style"] = f"text-align:{'right' if right else 'left'}"
            if right:
                cell["class"] = "number"
            elif len(cell.get_text()) > PROSE:
                cell["class"] = "prose"
    for name, addresses in (links or {}).items():
        for row, address in zip(rows, addresses, strict=True):
            if address is not None:
                cell = row[list(frame.columns).index(name)]
                anchor = soup.new_tag("a", href=address)
                anchor.extend(list(cell.contents))
                cell.append(anchor)
    for cell in table.tbody.find_all("th"):
        cell.attrs.pop("valign", None)
        cell["scope"], cell["style"] = "row", "text-align:left;vertical-align:top"
    _lift_index_names(heads, frame, index)
    return str(table).replace("\n", "")


def _lift_index_names(heads: list, frame: pd.DataFrame, index: bool) -> None:
    """Write the row names' headings beside the columns' headings; pandas gives them a line of their own."""
    if not index or frame.columns.names != [None] * frame.columns.nlevels:
        return  # with named columns both names need their own line
    above = heads[frame.columns.nlevels - 1].find_all("th")[: frame.index.nlevels]
    if len(heads) > frame.columns.nlevels:
        for target, source in zip(above, heads[-1].find_all("th"), strict=False):
            target.string = source.get_text()
        heads[-1].decompose()
    for cell in above:
        cell["style"] = "text-align:left"


def _cells(column: pd.Series, label: str, form: str | Callable | None) -> list[str]:
    if form is None:
        form = _default(column)
    write = form.format if isinstance(form, str) else form
    try:
        return [MISSING if _is_missing(value) else str(write(value)) for value in column]
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise LesionbookError(f"table {label!r}, column {column.name!r}: the format does not fit ({error}).") from error


def _default(column: pd.Series) -> str | Callable:
    if pd.api.types.is_bool_dtype(column):
        return lambda value: "yes" if value else "no"
    if pd.api.types.is_float_dtype(column):
        whole = column.dropna().mod(1).eq(0).all()
        return "{:.0f}" if whole else "{:.3f}"
    return lambda value: f"{value:.3f}" if isinstance(value, float) else str(value)


def _is_missing(value: object) -> bool:
    missing = pd.isna(value)
    return bool(missing) if isinstance(missing, (bool, np.bool_)) else False  # a list in a cell is no missing value


def _is_numeric(column: pd.Series, texts: list[str]) -> bool:
    if pd.api.types.is_bool_dtype(column):
        return False
    shown = [text for text in texts if text != MISSING]
    if not shown:
        return pd.api.types.is_numeric_dtype(column)
    return pd.api.types.is_numeric_dtype(column) or all(_NUMBER_LIKE.fullmatch(text.strip()) for text in shown)
