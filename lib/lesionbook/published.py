"""Published figures beside the ones that came out here."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pandas as pd


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turn nested figures into one level: ``{"age": {"mean": 1}}`` becomes ``{"age, mean": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}, {key}" if prefix else str(key)
        flat |= flatten(value, name) if isinstance(value, Mapping) else {name: value}
    return flat


def agreement(published: Mapping[str, Any], here: Mapping[str, Any], *, comparable: bool = True) -> pd.DataFrame:
    """Hold deterministic figures against the published ones.

    Two figures agree if they differ by no more than half a unit of the last place that was published.

    Parameters
    ----------
    published, here : mapping
        Figures by name, nested as one likes; those missing in `here` are listed as not computed.
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
            verdict = "yes" if abs(float(mine[name]) - float(value)) <= tolerance(value) else "no"
        rows.append((name, value, mine.get(name), verdict))
    return pd.DataFrame(rows, columns=["figure", "published", "here", "agrees"])


def tolerance(value: float) -> float:
    """Half a unit of the last place that a figure is printed with, and never less than floating point allows."""
    places = -int(Decimal(str(value)).as_tuple().exponent)
    return max(0.5 * 10.0**-places, 1e-9 * abs(value)) if isinstance(value, float) else 0.0


def sections(published: Mapping[str, Any], here: Mapping[str, Any]) -> dict[str, Any]:
    """Deterministic figures of a study file, as far as their section is one that was computed."""
    stated = published.get("deterministic") or {}
    return {name: value for name, value in stated.items() if name in here}


def verdict(compared: pd.DataFrame) -> str:
    """Say in a sentence how many figures of `agreement` agree."""
    counts = compared["agrees"].value_counts()
    if "not comparable" in counts:
        return "The published figures belong to the complete real data set; on these images they cannot be compared."
    return f"Of {len(compared)} published figures, {counts.get('yes', 0)} agree and {counts.get('no', 0)} do not."
