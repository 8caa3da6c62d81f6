"""Published figures beside the ones that came out here."""

from collections.abc import Mapping
from typing import Any

import pandas as pd


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested figures into one level: ``{"age": {"mean": 1}}`` becomes ``{"age, mean": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}, {key}" if prefix else str(key)
        flat |= flatten(value, name) if isinstance(value, Mapping) else {name: value}
    return flat


def agreement(
    published: Mapping[str, Any], here: Mapping[str, Any], *, tolerance: float, comparable: bool = True
) -> pd.DataFrame:
    """Hold deterministic figures against the published ones.

    Parameters
    ----------
    published, here : mapping
        Figures by name, nested as one likes; those missing in `here` are listed as not computed.
    tolerance : float
        Largest difference that still counts as agreement: half a unit of the last published place.
    comparable : bool
        False on other images than the published ones (the drawn sample): the figures are shown, no verdict is given.

    Returns
    -------
    DataFrame
        ``figure``, ``published``, ``here``, ``agrees`` (``yes``, ``no``, ``not comparable`` or ``not computed``).
    """
    mine = flatten(here)
    rows = []
    for name, value in flatten(published).items():
        if name not in mine:
            verdict = "not computed"
        elif not comparable:
            verdict = "not comparable"
        else:
            verdict = "yes" if abs(float(mine[name]) - float(value)) <= tolerance else "no"
        rows.append((name, value, mine.get(name), verdict))
    return pd.DataFrame(rows, columns=["figure", "published", "here", "agrees"])
