"""What a search may try: ranges of knobs, the numbers in them, and the changes to an experiment they amount to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lesionbook import tables
from lesionbook.recipes import Range

Space = Mapping[str, Range]  # knob, with the groups above it (``recipe.learning_rate``), to what may be tried


def flat(changes: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Bring nested changes to one level: ``{"recipe": {"epochs": 3}}`` becomes ``{"recipe.epochs": 3}``."""
    found: dict[str, Any] = {}
    for key, value in changes.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `flat`."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        *groups, key = path.split(".")
        inner = found
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[key] = value
    return found


def text(value: Any) -> str:
    """Write a value for reading: lists joined by dashes, yes and no, numbers with four digits."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list):
        return "–".join(text(one) for one in value)
    if isinstance(value, float):
        short = float(f"{value:.4g}")
        return np.format_float_positional(short, trim="-") if abs(short) >= 1e-6 else f"{short:g}"
    return tables.name(str(value))


def names(space: Space) -> dict[str, tuple[str, Range]]:
    """Name of each number that is tried, with its knob: lists are tried place by place (``filters 1``)."""
    found = {}
    for path, allowed in space.items():
        places = range(1, allowed.places + 1)
        found |= {f"{path} {place}": (path, allowed) for place in places} or {path: (path, allowed)}
    return found


def logarithmic(space: Space) -> list[str]:
    """Names of the numbers that belong on a logarithmic axis: drawn over powers, or choices that span one of ten."""
    found = []
    for name, (_, allowed) in names(space).items():
        sizes = [one for one in allowed.choices if isinstance(one, int | float) and not isinstance(one, bool)]
        spans = len(sizes) == len(allowed.choices) > 0 and 0 < 10 * min(sizes) <= max(sizes)
        if allowed.log or spans:
            found.append(name)
    return found


def changes(space: Space, tried: Mapping[str, Any]) -> dict[str, Any]:
    """Changes to the base that tried values amount to."""
    values: dict[str, Any] = {}
    for name, (path, allowed) in names(space).items():
        if name in tried:
            one = value(allowed, tried[name])
            values[path] = [*values.get(path, []), one] if allowed.places else one
    return nested(values)


def corner(space: Space, end: int) -> dict[str, Any]:
    """Give the first (0) or the last (-1) value of every knob, by its path."""
    found = {}
    for path, allowed in space.items():
        one = allowed.choices[end] if allowed.choices else value(allowed, (allowed.low, allowed.high)[end])
        found[path] = [one] * allowed.places if allowed.places else one
    return found


def whole(allowed: Range) -> bool:
    """Whether a range holds whole numbers: its ends and its step are."""
    return allowed.step is not None and all(
        float(one).is_integer() for one in (allowed.low, allowed.high, allowed.step)
    )


def value(allowed: Range, number: Any) -> Any:
    """Bring a tried value to the type that a study file would have."""
    return number if allowed.choices else int(number) if whole(allowed) else float(number)


def table(space: Space) -> pd.DataFrame:
    """List what may be tried, for reading: ``setting``, ``values``."""
    rows = []
    for path, allowed in space.items():
        if allowed.choices:
            values = " or ".join(text(one) for one in allowed.choices)
        else:
            step = (
                f", in steps of {allowed.step:g}" if allowed.step else ", evenly over the powers of ten" * allowed.log
            )
            values = f"{text(float(allowed.low))} to {text(float(allowed.high))}{step}"
        rows.append(
            (tables.name(path.rpartition(".")[2]), values + f", each of {allowed.places}" * bool(allowed.places))
        )
    return pd.DataFrame(rows, columns=["setting", "values"])
