"""Study files: read, merged with a profile, and checked to the last key before anything runs."""

import difflib
import json
from functools import cache
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from lesionbook import paths, sources
from lesionbook.errors import LesionbookError
from lesionbook.study import FIRST, LAST, SECOND, Study

PROFILES = ("sample", "laptop", "paper")
COMMON = ("study", "profile", "step", "output", "seed", "threads")  # passed to every notebook


def studies() -> list[str]:
    """Names of all study files."""
    return sorted(path.stem for path in (paths.root() / "params").glob("*.yml"))


def load(study: str, profile: str) -> Study:
    """Read a study file and apply a profile.

    Raises
    ------
    LesionbookError
        One sentence with the file, the key, what is wrong and, for a mistyped key, what may have been meant.
    """
    if study not in studies():
        raise LesionbookError(
            f"No study {study!r} in params/{meant(study, studies())}; there is {', '.join(studies())}."
        )
    if profile not in PROFILES:
        raise LesionbookError(f"No profile {profile!r}{meant(profile, PROFILES)}; there is {', '.join(PROFILES)}.")
    return _read(paths.study_file(study), profile)


def drawable(study: str) -> bool:
    """Whether a study has a sample profile: settings that fit a few drawn images."""
    path = paths.study_file(study)
    return "sample" in _keys(_raw(path).get("profiles"), f"params/{path.name}: profiles")


def check(study: str, profile: str) -> Study:
    """Load a study and hold every experiment against the parameters cell of its notebook.

    Raises
    ------
    LesionbookError
        As `load`; also if a notebook is missing, does not know a parameter, or has a default of another type.
    """
    loaded = load(study, profile)
    for name in (FIRST, SECOND, LAST):
        if name not in loaded.experiments:
            raise LesionbookError(f"params/{study}.yml: experiments.{name} is missing; every study needs it.")
    for name, experiment in loaded.experiments.items():
        where = f"params/{study}.yml: experiments.{name}"
        source = paths.notebook(experiment.notebook)
        if not source.exists():
            names = sorted(path.stem for path in source.parent.glob("*.ipynb"))
            near = meant(experiment.notebook, names)
            raise LesionbookError(f"{where}: no notebook {experiment.notebook!r} in notebooks/{near}.")
        known = defaults(source)
        for key, value in arguments(study, profile, name, loaded).items():
            if key not in known:
                near = meant(key, known)
                raise LesionbookError(f"{where}: the notebook {source.name} has no parameter {key!r}{near}.")
            if not _same_type(known[key], value):
                raise LesionbookError(
                    f"{where}: {key} is {value!r}, but its default in {source.name} is {known[key]!r}; "
                    f"give a value of type {type(known[key]).__name__}."
                )
    return loaded


def arguments(study: str, profile: str, step: str, loaded: Study) -> dict[str, Any]:
    """What papermill passes to the notebook of a step: the common parameters and those the study file names."""
    experiment = loaded.experiments[step]
    common = {
        "study": study,
        "profile": profile,
        "step": step,
        "output": paths.relative(paths.step(profile, study, step)),
        "seed": loaded.seed_of(step),
        "threads": experiment.threads,
    }
    return common | json.loads(experiment.parameters.model_dump_json(exclude_unset=True))


@cache
def defaults(notebook: Path) -> dict[str, Any]:
    """Names and default values in the cell tagged ``parameters`` of a notebook.

    Raises
    ------
    LesionbookError
        If the notebook has no such cell, or more than one, or the cell fails.
    """
    cells = [cell for cell in sources.cells(notebook) if cell.kind == "code" and "parameters" in cell.tags]
    if len(cells) != 1:
        raise LesionbookError(f"{notebook.name}: {len(cells)} cells are tagged 'parameters'; it needs exactly one.")
    values: dict[str, Any] = {}
    try:
        exec(compile(cells[0].text, notebook.name, "exec"), {}, values)
    except Exception as error:
        raise LesionbookError(
            f"{notebook.name}: the cell tagged 'parameters' does not run by itself ({error})."
        ) from error
    return values


def _raw(path: Path) -> dict[str, Any]:
    """Read a study file as it stands, as far as it is YAML with keys."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise LesionbookError(f"params/{path.name}, line {line}: {getattr(error, 'problem', 'not YAML')}.") from error
    except UnicodeDecodeError as error:
        raise LesionbookError(f"params/{path.name}: not UTF-8 at byte {error.start}; save it as UTF-8.") from error
    return dict(_keys(raw, f"params/{path.name}: the file"))


def _read(path: Path, profile: str) -> Study:
    raw, where = _raw(path), f"params/{path.name}: "
    profiles = _keys(raw.pop("profiles", None), where + "profiles")
    experiments = _keys(raw.get("experiments"), where + "experiments")
    for name, changes in profiles.items():
        if name not in PROFILES:
            raise LesionbookError(f"{where}profiles.{name} is no profile{meant(name, PROFILES)}.")
        inside = f"{where}profiles.{name}"
        for experiment in _keys(_keys(changes, inside).get("experiments"), f"{inside}.experiments"):
            if experiments and experiment not in experiments:
                near = meant(experiment, experiments)
                raise LesionbookError(f"{inside}.experiments.{experiment}: no such experiment{near}.")
        _validate(merged(raw, changes or {}), f"params/{path.name}, profile {name}")
    return _validate(merged(raw, profiles.get(profile) or {}), f"params/{path.name}, profile {profile}")


def _keys(value: Any, where: str) -> dict[str, Any]:
    """Take a group of keys; nothing written counts as an empty one."""
    if value is not None and not isinstance(value, dict):
        raise LesionbookError(f"{where} must hold keys with values (given: {str(value)[:40]!r}).")
    return value or {}


def merged(base: Any, changes: Any) -> Any:
    """Apply changes to nested dictionaries; everything else is replaced."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return changes
    return base | {key: merged(base.get(key), value) if key in base else value for key, value in changes.items()}


def _validate(raw: dict[str, Any], where: str) -> Study:
    try:
        return Study.model_validate(raw)
    except ValidationError as error:
        # A key that is there but mistyped explains one that is missing, so it comes first.
        first = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")[0]
        location = [str(part) for part in first["loc"]]
        key = ".".join(location)
        if first["type"] == "extra_forbidden":
            known = _fields(Study, location[:-1]) + ["profiles"] * (len(location) == 1)
            near = meant(location[-1], known)
            raise LesionbookError(f"{where}: {key} is no key of a study file{near}.") from error
        value = first["input"] if isinstance(first["input"], int | float | str | bool) else None
        given = "" if value is None else f" (given: {value!r})"
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] in ("model_type", "dict_type"):
            message = "must hold keys with values"
        raise LesionbookError(f"{where}: {key or 'the file'}: {message[0].lower()}{message[1:]}{given}.") from error


def _fields(model: Any, location: list[str]) -> list[str]:
    """Keys allowed at a place of the schema, found by walking down its types."""
    for part in location:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = model.model_fields[part].annotation if part in model.model_fields else None
        elif get_args(model):
            model = get_args(model)[-1]
        models = [kind for kind in get_args(model) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if models and not str(model).startswith("dict"):
            model = models[0]
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _same_type(default: Any, value: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(default, bool) and isinstance(value, bool)
    if isinstance(default, float):
        return isinstance(value, int | float)
    return isinstance(value, type(default)) or (isinstance(default, tuple | list) and isinstance(value, tuple | list))


def meant(word: str, options: Any) -> str:
    """Give the suffix ' (did you mean …?)' for the nearest option, or nothing."""
    close = difflib.get_close_matches(str(word), [str(option) for option in options], n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""
