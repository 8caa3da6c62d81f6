"""What of an executed notebook belongs in its report: results yes, progress bars and warnings of libraries no."""

import re
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

import lesionbook

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PLACE = re.compile(r"(?<![\w.:/…])(?:[A-Za-z]:\\|/)(?:[^\s:'\"<>|]+[\\/])+(?=[^\s\\/])")
_ROOT = Path(lesionbook.__file__).resolve().parents[2]
_PAPERMILL_MARK = "papermill-error-cell-tag"


@dataclass(frozen=True)
class Failure:
    """The cell that stopped a notebook: its number among the code cells, the error's name and its message."""

    cell: int
    name: str
    message: str


def prepare(notebook: NotebookNode) -> Failure | None:
    """Leave in the notebook what a report shows, in place, and tell whether the run failed.

    Dropped: the stderr stream, lines that were overwritten by a carriage return, memory addresses, the place of the
    project on this machine, papermill's own error headings (the report has its banner), empty cells.

    Returns
    -------
    Failure or None
        The first error output, or the cell in which the run was cut off. The error output keeps a short traceback
        without colours and machine paths.
    """
    failure: Failure | None = None
    number = 0
    kept = []
    for cell in notebook.cells:
        if _PAPERMILL_MARK in cell.metadata.get("tags", []) or not cell.source.strip():
            continue
        kept.append(cell)
        if cell.cell_type != "code":
            continue
        given = "injected-parameters" in cell.metadata.get("tags", [])  # may name folders of this machine
        cell.source = _shorten_places(cell.source) if given else _hide_root(cell.source)
        number += 1
        cell.outputs = [output for output in map(_clean, cell.outputs) if output is not None]
        for output in cell.outputs:
            if output.output_type == "error" and failure is None:
                failure = Failure(
                    cell.execution_count or number, output.ename, output.evalue.strip().split("\n")[0][:300]
                )
                cell.metadata["failed"] = failure.cell
        if failure is None and cell.metadata.get("papermill", {}).get("status") in ("running", "failed"):
            failure = Failure(cell.execution_count or number, "Stopped", "the run ended in this cell without a message")
            cell.metadata["failed"] = failure.cell
    notebook.cells = kept
    return failure


def _clean(output: NotebookNode) -> NotebookNode | None:
    if output.output_type == "stream":
        output.text = _text(output.text)
        return output if output.name == "stdout" and output.text.strip() else None
    if output.output_type == "error":
        output.evalue = _shorten_places(_ANSI.sub("", output.evalue))
        frames = [_shorten_places(_ANSI.sub("", frame)) for frame in output.traceback]
        frames = [frame for frame in frames if frame.strip("- ") and "Traceback (most recent call last)" not in frame]
        # The cell's own frame and the last one say where; what lies between is the libraries' business.
        output.traceback = frames if len(frames) <= 3 else [frames[0], "…", *frames[-2:]]
        return output
    if "text/plain" in output.get("data", {}):
        output.data["text/plain"] = _text(output.data["text/plain"])
    return output


def _text(text: str) -> str:
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    return _shorten_places("\n".join(line for line in lines if "\r" not in line))


def _hide_root(text: str) -> str:
    return text.replace(f"{_ROOT}/", "").replace(str(_ROOT), ".")


def _shorten_places(text: str) -> str:
    """Cut absolute paths down to the module or file they name."""

    def shorten(match: re.Match) -> str:
        parts = re.split(r"[\\/]", match[0])
        for root in ("site-packages", "lesionbook"):
            if root in parts:
                start = parts.index(root) + (root == "site-packages")
                return "/".join(parts[start:])
        return "…/"

    return _ADDRESS.sub("", _PLACE.sub(shorten, _hide_root(text)))
