"""The cells of a notebook's source, read as plain JSON, since what is asked before a run must not take seconds."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from lesionbook.errors import LesionbookError


@dataclass(frozen=True)
class Cell:
    """Kind (``code`` or ``markdown``), text and tags of one cell."""

    kind: str
    text: str
    tags: tuple[str, ...]


def cells(notebook: Path) -> list[Cell]:
    """Read the cells of a notebook in their order.

    Raises
    ------
    LesionbookError
        If the file is no notebook.
    """
    try:
        found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        return [
            Cell(cell["cell_type"], "".join(cell["source"]), tuple(cell["metadata"].get("tags", ()))) for cell in found
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise LesionbookError(f"{notebook.name} is no notebook; restore it from the repository.") from error


def opening(notebook: Path) -> tuple[str, str]:
    """Title and question of a notebook, from its first cell: ``# Title``, then the question in italics.

    Raises
    ------
    LesionbookError
        If the cell begins otherwise.
    """
    found = re.match(r"# (.+)\n\n\*(.+)\*", cells(notebook)[0].text)
    if not found:
        raise LesionbookError(
            f"{notebook.name}: begin the first cell with '# Title', an empty line and '*The question in a sentence?*'."
        )
    return found.group(1).strip(), found.group(2).strip()
