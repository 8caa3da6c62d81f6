"""The answers of the served network to a whole folder, under the same limits and with the same numbers."""

from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from lesionbook import predictions, processes
from lesionbook.decoding import decode, file_of
from lesionbook.errors import LesionbookError
from lesionbook.paths import relative
from lesionbook.serve import untrusted
from lesionbook.serve.classification import Answer, Classifier
from lesionbook.serve.limits import Limits

BATCH = 32


def files(folder: Path) -> pd.Series:
    """List the files of a folder and of those below it, hidden ones aside, sorted; indexed by their names from there.

    Raises
    ------
    LesionbookError
        If there is no such folder, or it holds no file.
    """
    if not folder.is_dir():
        raise LesionbookError(f"predict: {relative(folder)} is no folder; name the folder of the images.")
    below = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()]
    shown = [path for path in below if not any(part.startswith(".") for part in path.parts)]
    if not shown:
        raise LesionbookError(f"predict: {relative(folder)} holds no file; name the folder of the images.")
    return pd.Series([folder / path for path in shown], index=[path.as_posix() for path in shown])


def predict(
    classifier: Classifier,
    paths: pd.Series,
    *,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Answer image files; one that cannot be used is named with its reason and stops nothing.

    Parameters
    ----------
    classifier : Classifier
    paths : Series of Path
        N files, indexed by the names that they go by.
    on_progress : callable
        Called with the files done and in all, after each batch.

    Returns
    -------
    DataFrame of N rows
        ``file``; ``class``; ``confidence`` in percent, two places; ``p_<class>``, six decimals; ``calibrated_<class>``;
        ``unlike`` as in `classification.Answer`; ``known``; ``problem``: empty, or why there is no answer, and then all
        else is missing.
    """
    read = partial(
        _read, size=classifier.model.size, fit=classifier.model.run.settings.images.fit, limits=classifier.limits
    )
    pieces = processes.parted(list(paths), BATCH)
    rows: list[dict[str, object]] = []
    with closing(processes.in_order(read, pieces)) as results:
        for found in results:
            images = [image for image, _ in found if image is not None]
            answers = iter(classifier.answer(images) if images else [])
            rows += [_row(next(answers) if image is not None else None, problem) for image, problem in found]
            on_progress(len(rows), len(paths))
    classes = classifier.model.run.classes
    columns = ["class", "confidence", *(f"{predictions.PREFIX}{name}" for name in classes)]
    columns += [*(f"calibrated_{name}" for name in classes), "unlike", "known", "problem"]
    table = pd.DataFrame(rows, columns=columns)
    table.insert(0, "file", list(paths.index))
    return table


def _read(paths: list[Path], size: int, fit: str, limits: Limits) -> list[tuple[np.ndarray | None, str]]:
    found = []
    for path in map(Path, paths):
        try:
            if file_of(path) != path:  # a row of a large file is small
                found.append((decode(path, size, fit, max_pixels=limits.pixels)[0], ""))
                continue
            untrusted.check_size(path.name, path.stat().st_size, limits)
            found.append((untrusted.decode(path.read_bytes(), path, size, fit, limits), ""))
        except (LesionbookError, OSError) as error:
            reason = str(error) if isinstance(error, LesionbookError) else f"{path.name} cannot be read."
            found.append((None, reason))
    return found


def _row(answer: Answer | None, problem: str) -> dict[str, object]:
    if answer is None:
        return {"problem": problem}
    return {
        "class": answer.label,
        "confidence": round(100 * answer.probabilities[answer.label], 2),
        **{f"{predictions.PREFIX}{name}": value for name, value in answer.probabilities.items()},
        **{f"calibrated_{name}": value for name, value in answer.calibrated.items()},
        "unlike": answer.unlike,
        "known": answer.known,
        "problem": "",
    }
