"""Model card of a run, and the reporting guidelines: which report answers which item, and which items stay open.

A model card says in one place what a model is for, what it was made from, how good it is and where it ends (Mitchell et
al., "Model cards for model reporting", FAT* 2019).
"""

import json
import re
from collections import Counter
from collections.abc import Set
from functools import cache
from importlib import resources
from typing import Annotated, Any, Literal

import pandas as pd
import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from lesionbook import params, paths, reproduction, sources, subgroups, tables
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Settings
from lesionbook.run import Run, read_json

CHECKLISTS = ("claim-2024", "tripod-ai")
OPEN = "not answered here"
MODEL, NETWORK, CARD, ELSE = "model", "network", "card", "else"
Condition = Literal["published collection", "further seeds", "facts of patients", "kind of confirmation"]


class Place(Settings):
    """Where an item is answered: an experiment, or a kind of one, and a section of its report (empty: all of it)."""

    experiment: Annotated[str, Field(alias="in")]
    section: str
    when: Condition | None = None
    note: str = ""


class Item(Settings):
    """An item of a guideline: its number, what it asks in our words, where it is answered, and why it may not be."""

    number: Annotated[str, Field(alias="item")]
    about: str
    places: Annotated[tuple[Place, ...], Field(alias="at")] = ()
    reasons: Annotated[
        dict[Condition | Literal["else"], str],
        BeforeValidator(lambda given: {ELSE: given} if isinstance(given, str) else given),
    ] = Field({}, alias="not")

    @model_validator(mode="after")
    def _has_an_answer(self) -> "Item":
        if not self.places and not self.reasons:
            raise ValueError("needs at or not")
        return self


class Checklist(Settings):
    """A guideline with its items; the header of claim-2024.yml explains the keys and the conditions."""

    name: str
    title: str
    source: str
    items: tuple[Item, ...]

    @model_validator(mode="after")
    def _each_once(self) -> "Checklist":
        number, count = Counter(item.number for item in self.items).most_common(1)[0]
        if count > 1:
            raise ValueError(f"item {number} occurs twice; number the items once")
        return self


@cache
def checklist(name: str) -> Checklist:
    """Read a checklist of the package.

    Raises
    ------
    LesionbookError
        If an item has an unknown key or condition, neither a place nor a reason, or a number that occurs twice.
    """
    text = resources.files("lesionbook").joinpath("checklists", f"{name}.yml").read_text(encoding="utf-8")
    try:
        return Checklist.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise LesionbookError(f"checklists/{name}.yml: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def conditions(run: Run, index: pd.DataFrame) -> frozenset[Condition]:
    """Say which conditions of the checklists hold for a run.

    Parameters
    ----------
    run : Run
    index : DataFrame
        Of the store.
    """
    kinds = subgroups.attributes(index[index["split"] == "test"])
    known = {name for name, values in kinds.items() if (values != subgroups.UNKNOWN).any()}
    confirmation = {subgroups.ATTRIBUTES["dx_type"]}
    holds: dict[Condition, Any] = {
        "published collection": run.record.source,
        "further seeds": run.settings.repetitions,
        "facts of patients": known - confirmation,
        "kind of confirmation": known & confirmation,
    }
    return frozenset(name for name, hold in holds.items() if hold)


def answered(found: Checklist, run: Run, chosen: str, holds: Set[Condition]) -> pd.DataFrame:
    """Find for each item the first place that this study has.

    Parameters
    ----------
    found : Checklist
    run : Run
        Of the card.
    chosen : str
        Experiment of the model chosen on validation images.
    holds : set of str
        As from `conditions`.

    Returns
    -------
    DataFrame
        ``item, asks for, answered in`` (report and section, or ``not answered here, because …``), ``address`` (of the
        section, from a report of the same study; missing where it is not answered).
    """
    rows = []
    for item in found.items:
        places = (_resolved(place, run, chosen) for place in item.places if place.when in {None, *holds})
        place = next((one for one in places if one), None)
        if place is None:
            reasons = (text for when, text in item.reasons.items() if when in {ELSE, *holds})
            reason = next(reasons, "this study has no such report")
            rows.append((item.number, item.about, f"{OPEN}, because {reason}", None))
            continue
        title = _report_title(run, place.experiment)
        text = f"{title}: {place.section}" if place.section else title
        text += f" ({place.note})" if place.note else ""
        text += " (not the chosen model)" if place.experiment in {*run.settings.models} - {chosen} else ""
        anchor = "#" + "-".join(place.section.split()) if place.section else ""
        page = "" if place.experiment == run.step else f"{place.experiment}.html"
        rows.append((item.number, item.about, text, f"{page}{anchor}" or f"{place.experiment}.html"))
    return pd.DataFrame(rows, columns=["item", "asks for", "answered in", "address"])


def counted(found: pd.DataFrame) -> tuple[int, int]:
    """How many items of `answered` are answered, and how many there are."""
    return int(found["address"].notna().sum()), len(found)


def chosen(run: Run) -> tuple[str, dict[str, Any]]:
    """Experiment that the comparison chose on validation images, and the comparison's summary.

    Raises
    ------
    LesionbookError
        If the comparison names a model that the study does not have.
    """
    summary = json.loads(run.result(params.LAST, "summary.json").read_text(encoding="utf-8"))
    titles = {reproduction.title(run.settings, name): name for name in run.settings.models}
    if summary["chosen"] not in titles:
        raise LesionbookError(
            f"{paths.relative(run.folder(params.LAST))}/summary.json: {summary['chosen']!r} is no model of this study; "
            "run the comparison again."
        )
    return titles[summary["chosen"]], summary


def settings(run: Run, experiment: str) -> pd.DataFrame:
    """List what the study file sets for an experiment, besides the defaults of its notebook: ``knob, value``.

    The fingerprint of a network's training covers all that decided it, see `lesionbook.trained.key`; the provenance of
    its report names the same.
    """
    one = run.settings.experiments[experiment]
    given = json.loads(one.parameters.model_dump_json(exclude_unset=True))
    head = [
        ("notebook", f"{one.notebook}.ipynb"),
        ("threads", str(one.threads)),
        ("seed", str(run.settings.seed_of(experiment))),
    ]
    summary = run.folder(experiment) / "summary.json"
    trained = read_json(summary).get("training") if summary.exists() else None
    head += [("training fingerprint", trained)] if trained else []
    return pd.concat([pd.DataFrame(head, columns=["knob", "value"]), tables.settings(given)], ignore_index=True)


def told(run: Run, experiment: str) -> str:
    """Say what a model is told of an image: the image alone, or with columns of metadata."""
    columns = run.settings.experiments[experiment].parameters.columns
    beside = f" with {', '.join(map(tables.name, columns))} of the patient" if columns else ", and nothing else"
    return f"one image of the kind described below{beside}"


def served(run: Run) -> tuple[str, str]:
    """Experiment whose network the prediction page serves, and the version under which it does.

    The version holds a hash of the weights: a training that differs in their last bit has another one. Both are empty
    for a study without networks for images alone.
    """
    if not run.settings.networks:
        return "", ""
    from lesionbook import ensemble  # with Keras, which takes seconds to import and nothing else here needs
    from lesionbook.serve import model

    name = model.choose(run.study, run.profile)
    return name, f"{name}-{model.weights_hash(ensemble.network(run.result(name, model.FILE)))}"


def data(run: Run, index: pd.DataFrame) -> pd.DataFrame:
    """Facts of the data that the run used: ``what, value``."""
    record = run.record
    varied = "source_id" in index  # one row per variant of a training image
    pictures = index.drop_duplicates("source_id") if varied else index
    sides = pictures["split"].value_counts()
    counts = ", ".join(f"{sides.get(side, 0):,} {word}" for side, word in SIDES.items())
    classes = ", ".join(f"{run.names[key]} {count:,}" for key, count in pictures["label"].value_counts().items())
    trained = f"; the training images as {(index['split'] == 'train').sum():,} variants of {sides.get('train', 0):,}"
    rows = [
        ("collection", record.title),
        ("images used", f"{tables.counted(pictures, run.group_name)}: {counts}{trained if varied else ''}"),
        ("classes", classes),
        ("kind of study", "retrospective, on a public collection" if record.source else "on images of one's own"),
        ("groups", record.grouping),
        ("licence", record.licence),
        ("cite", record.citation),
        ("described in", record.source),
    ]
    if run.drawn:
        rows.insert(1, ("these images", "drawn by the suite; no patient is behind them"))
    return pd.DataFrame([row for row in rows if row[1]], columns=["what", "value"])


SIDES = {"train": "training", "val": "validation", "test": "test"}


def _resolved(place: Place, run: Run, chosen: str) -> Place | None:
    """The place in this study: kinds replaced by experiments; None if there is no such report or section."""
    known = run.settings.experiments
    kinds = {MODEL: chosen, CARD: run.step, NETWORK: next(iter(run.settings.networks), "")}
    name = kinds.get(place.experiment, place.experiment)
    if name not in known or (place.section and place.section not in _sections(known[name].notebook)):
        return None
    return place.model_copy(update={"experiment": name})


def _report_title(run: Run, experiment: str) -> str:
    one = run.settings.experiments[experiment]
    first = sources.cells(paths.notebook(one.notebook))[0].text
    return one.title or first.splitlines()[0].removeprefix("# ").strip()


@cache
def _sections(notebook: str) -> frozenset[str]:
    """Headings of a notebook's source."""
    texts = (cell.text for cell in sources.cells(paths.notebook(notebook)) if cell.kind == "markdown")
    return frozenset(re.findall(r"^##+ (.+)$", "\n".join(texts), re.MULTILINE))
