"""The cells of a notebook's source, read as plain JSON, since what is asked before a run must not take seconds."""

import json
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
