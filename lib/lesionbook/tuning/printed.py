"""Published tables of sweeps, and which of their rows a setting repeats."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lesionbook.errors import LesionbookError
from lesionbook.statistics import wilson
from lesionbook.tuning.settings import Setting

SIZES = (198, 199, 200)  # of the validation side, where a table does not say its own


def sweep(published: Mapping[str, Any], name: str) -> pd.DataFrame:
    """A published table as a frame, with ``images`` and ``right``: whole numbers behind each accuracy.

    Parameters
    ----------
    published : mapping
        The section ``published`` of a study file, with ``sweeps``.
    name : str
        Which sweep; empty for none.

    Returns
    -------
    DataFrame
        Its columns as printed; no row where no sweep is named.

    Raises
    ------
    LesionbookError
        If there is no such table, or an accuracy is no share of any of the numbers of images.
    """
    if not name:
        return pd.DataFrame()
    tables = published.get("sweeps", {})
    if name not in tables:
        raise LesionbookError(f"published: sweeps has no table {name!r}; there is {', '.join(tables) or 'none'}.")
    frame = pd.DataFrame(tables[name]["rows"], columns=tables[name]["columns"])
    of_row, of_table = frame.get("validation_size"), tables[name].get("images", SIZES)
    sizes = [of_table if of_row is None else (int(of_row[row]),) for row in range(len(frame))]
    images = [_images(value, known) for value, known in zip(frame["val_accuracy"], sizes, strict=True)]
    return frame.assign(images=images, right=(frame["val_accuracy"] * images).round().astype(int))


def _images(accuracy: float, sizes: Sequence[int]) -> int:
    """The first number of images of which a share rounds to the accuracy (the idea of Brown and Heathers, 2017)."""
    for size in sizes:
        if round(round(accuracy * size) / size, 4) == accuracy:
            return size
    raise LesionbookError(f"published: an accuracy of {accuracy} is no share of {' or '.join(map(str, sizes))} images.")


def stated(setting: Setting) -> dict[str, Any]:
    """Knobs of a setting by the names that the columns of published tables have for them."""
    known = {"learning_rate": setting.recipe.learning_rate, "batch_size": setting.recipe.batch_size}
    known |= {"reduce_on_plateau": setting.recipe.schedule == "plateau"}
    known |= {key: setting.parameters[key] for key in ("activation", "alpha") if key in setting.parameters}
    if known.get("activation") == "leaky_relu":
        known["activation"] = f"leaky_relu({known['alpha']:g})"
    sizes = {"sample_size": setting.sample_size, "validation_size": setting.validation_size}
    return known | {key: size for key, size in sizes.items() if size is not None}


def match(frame: pd.DataFrame, values: Sequence[Mapping[str, Any]]) -> list[int | None]:
    """Find for each setting the published row that it repeats.

    Parameters
    ----------
    frame : DataFrame
        From `sweep`.
    values : sequence of mapping
        Of each setting: its knobs, by the names of the table's columns where they mean the same.

    Returns
    -------
    list of int or None
        Position of the row whose columns that the setting knows all agree.
    """
    found: list[int | None] = []
    for known in values:
        shared = [column for column in frame.columns if column in known]
        rows = [
            position
            for position in range(len(frame))
            if shared and all(_same(frame[column].iloc[position], known[column]) for column in shared)
        ]
        found.append(rows[0] if len(rows) == 1 else None)
    return found


def _same(stated: Any, here: Any) -> bool:
    if isinstance(stated, str) or isinstance(here, str):
        stated, here = (re.sub(r"[\s_]", "", str(one)).lower() for one in (stated, here))
        return stated == here
    return bool(np.isclose(float(stated), float(here)))


def beside(frame: pd.DataFrame, rows: Sequence[int | None], points: pd.DataFrame) -> pd.DataFrame:
    """Published accuracies at the places of the settings that repeat them, with Wilson's 95 % interval.

    Parameters
    ----------
    frame, rows
        From `sweep` and `match`.
    points : DataFrame
        ``x, series`` of each setting, from `lesionbook.tuning.settings.points`.

    Returns
    -------
    DataFrame
        ``x, series, estimate, low, high`` of the settings that have a published row.
    """
    found = []
    for place, row in zip(points.itertuples(), rows, strict=True):
        if row is not None:
            ends = wilson(int(frame["right"].iloc[row]), int(frame["images"].iloc[row]))
            found.append((place.x, place.series, frame["val_accuracy"].iloc[row], ends.low, ends.high))
    return pd.DataFrame(found, columns=["x", "series", "estimate", "low", "high"])
