"""What is varied: changes to an experiment of the study file, and what becomes of the experiment by them.

Light to import, so that a study file can be checked before a run.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from pydantic import ValidationError

from lesionbook import params, paths, tables
from lesionbook.architectures import builders
from lesionbook.errors import LesionbookError
from lesionbook.recipes import FineTuning, Knobs, Recipe
from lesionbook.study import Study
from lesionbook.tuning import space

Changes = Mapping[str, Any]  # knob to value; the keys of a recipe one level below
SIZES = ("sample_size", "validation_size")  # images taken of the training and validation side
# Knobs of a report rather than of a training, and those that a whole notebook shares.
APART = ("precision", "devices", "views", "repeats", "mistakes", "examples")


@dataclass(frozen=True)
class Setting:
    """An experiment with changes applied: all that decides its training but images and seed.

    Attributes
    ----------
    notebook : str
        Whose network it is.
    parameters : dict
        Parameters of that notebook, from which the options of the network are taken.
    recipe, fine_tuning
        How it is trained, in one or two phases.
    weights : str
        Initial weights, as `lesionbook.initial_weights` reads them.
    sample_size, validation_size : int or None
        So many images of the side are used, with the shares of the classes kept; all where None.
    """

    notebook: str
    parameters: dict[str, Any]
    recipe: Recipe
    fine_tuning: FineTuning | None = None
    weights: str = "none"
    sample_size: int | None = None
    validation_size: int | None = None

    @property
    def epochs(self) -> int:
        """Epochs of a training that nothing stops."""
        return self.recipe.epochs + (self.fine_tuning.epochs if self.fine_tuning else 0)


def apply(loaded: Study, base: str, *changes: Changes) -> Setting:
    """Apply changes to an experiment of a study, one after the other.

    Parameters
    ----------
    loaded : Study
        With its profile.
    base : str
        Name of the experiment.
    *changes : mapping
        Parameters of its notebook, keys of its recipe nested, and ``sample_size`` and ``validation_size``.

    Raises
    ------
    LesionbookError
        If there is no such experiment, its network cannot be varied, or a key or a value is none that it can have.
    """
    if base not in loaded.experiments:
        raise LesionbookError(
            f"base: no experiment {base!r} in the study file{params.meant(base, loaded.experiments)}."
        )
    experiment = loaded.experiments[base]
    builders.module(experiment.notebook)
    given = experiment.parameters.model_dump(mode="json", exclude_unset=True)
    known = params.defaults(paths.notebook(experiment.notebook)) | given
    for key in params.COMMON + APART:
        known.pop(key, None)
    sizes: dict[str, int] = {}
    for change in changes:
        for key in change:
            if key not in known and key not in SIZES:
                near = params.meant(key, [*known, *SIZES])
                raise LesionbookError(f"{experiment.notebook} has no parameter {key!r} to vary{near}.")
        sizes |= {key: change[key] for key in SIZES if key in change}
        known = params.merged(known, {key: value for key, value in change.items() if key not in SIZES})
    knobs = checked(known)
    for key, value in sizes.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise LesionbookError(f"{key} must be a whole number above zero (given: {value!r}).")
    second = knobs.fine_tuning if known.get("fine_tuning") else None
    return Setting(experiment.notebook, known, knobs.recipe, second, known.get("weights", "none"), **sizes)


def varying(loaded: Study, base: str, fixed: Changes) -> Callable[..., Setting]:
    """Give `apply` with its study, its experiment and the changes that all settings share: what is left are changes."""
    return partial(apply, loaded, base, fixed)


def checked(known: Changes) -> Knobs:
    """Hold parameters against the ranges of a study file; those that are no knobs are left out."""
    values = {key: value for key, value in known.items() if key in Knobs.model_fields}
    if not values.get("fine_tuning", True):
        del values["fine_tuning"]
    try:
        return Knobs.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            near = params.meant(first["loc"][-1], Recipe.model_fields)
            raise LesionbookError(f"{key} is no key of a recipe{near}.") from error
        raise LesionbookError(f"{key}: {first['msg'].lower()} (given: {first['input']!r}).") from error


def title(changes: Changes) -> str:
    """Name a setting by what it changes: ``learning rate 0.001, schedule plateau``."""
    said = [
        f"{tables.name(path.rpartition('.')[2])} {space.text(value)}" for path, value in space.flat(changes).items()
    ]
    return ", ".join(said) or "as it is"


def columns(changes: Sequence[Changes]) -> pd.DataFrame:
    """List settings for reading: a row for each, a column per changed knob."""
    rows = [{path: space.text(value) for path, value in space.flat(change).items()} for change in changes]
    return pd.DataFrame(rows).fillna("–").rename(columns=lambda path: tables.name(path.rpartition(".")[2]))


def points(changes: Sequence[Changes], axis: str) -> pd.DataFrame:
    """Say where settings stand in a figure.

    Parameters
    ----------
    changes : sequence of mapping
        The settings.
    axis : str
        The knob on the axis, with or without the groups above it (``recipe.learning_rate`` or ``learning_rate``).

    Returns
    -------
    DataFrame
        A row per setting: ``title``, ``short`` (its values alone), ``x`` (its value on the axis) and ``series`` (what
        else tells settings apart, in words; empty where nothing does).

    Raises
    ------
    LesionbookError
        If a setting does not say the knob of the axis.
    """
    rows, paths_of_all = [], [space.flat(change) for change in changes]
    for change, values in zip(changes, paths_of_all, strict=True):
        found = [path for path in values if path == axis or path.endswith(f".{axis}")]
        if len(found) != 1:
            raise LesionbookError(f"settings: {title(change)!r} does not say {axis!r}, which is to be the axis.")
        varied = {
            path: value
            for path, value in values.items()
            if path != found[0] and path not in SIZES and any(other.get(path) != value for other in paths_of_all)
        }
        short = ", ".join(space.text(value) for value in values.values())
        rows.append((title(change), short, values[found[0]], title(varied) if varied else ""))
    return pd.DataFrame(rows, columns=["title", "short", "x", "series"])


def together(choices: Sequence[Changes]) -> dict[str, Any]:
    """Put the choices of several sweeps together, later ones over earlier ones.

    ``validation_size`` is left out: with fewer images to judge by, nothing gets better.
    """
    found: dict[str, Any] = {}
    for choice in choices:
        found = params.merged(found, dict(choice))
    return {key: value for key, value in found.items() if key != "validation_size"}


def check(loaded: Study) -> None:
    """Hold every sweep and search of a study against the experiment that it varies.

    Raises
    ------
    LesionbookError
        As `apply` and `points`, with the name of the experiment; also for a range of a search that leads outside.
    """
    for name in [*loaded.sweeps, *loaded.searches]:
        knobs = loaded.experiments[name].parameters
        try:
            for change in knobs.settings:
                apply(loaded, knobs.base, knobs.fixed, change)
            if name in loaded.sweeps:
                points(knobs.settings, knobs.axis)
            titles = [search.title for search in knobs.searches]
            if len(titles) != len(set(titles)):
                raise LesionbookError("searches: two of them have the same title.")
            for search in knobs.searches:
                for path in search.only:
                    if path not in knobs.space:
                        raise LesionbookError(f"searches: {path!r} is not in space{params.meant(path, knobs.space)}.")
            _known("sweeps", knobs.sweeps, loaded.sweeps)
            _known("against", knobs.against, loaded.models)
            for end in (0, -1):
                apply(loaded, knobs.base, knobs.fixed, space.nested(space.corner(knobs.space, end)))
        except LesionbookError as error:
            raise LesionbookError(f"experiments.{name}: {error}") from error


def _known(key: str, named: Sequence[str], known: Sequence[str]) -> None:
    for one in named:
        if one not in known:
            raise LesionbookError(f"{key}: {one!r} is no such experiment of this study{params.meant(one, known)}.")
