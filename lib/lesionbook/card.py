"""Model card of a run, and the reporting guidelines: which report answers which item, and which items stay open.

A model card says in one place what a model is for, what it was made from, how good it is and where it ends (Mitchell et
al., "Model cards for model reporting", FAT* 2019).
"""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import pandas as pd
import yaml

from lesionbook import params, paths, reproduction, sources, tables
from lesionbook.errors import LesionbookError
from lesionbook.run import Run, read_json

CHECKLISTS = ("claim-2024", "tripod-ai")
OPEN = "not answered here"
MODEL, NETWORK, CARD = "model", "network", "card"


@dataclass(frozen=True)
class Place:
    """Where an item is answered: an experiment, or a kind of one, and a section of its report (empty: all of it)."""

    experiment: str
    section: str


@dataclass(frozen=True)
class Item:
    """An item of a guideline: its number, what it asks in our words, where it is answered, and why it may not be."""

    number: str
    about: str
    places: tuple[Place, ...]
    reason: str


@dataclass(frozen=True)
class Checklist:
    """A guideline with its items."""

    name: str
    title: str
    source: str
    items: tuple[Item, ...]


@cache
def checklist(name: str) -> Checklist:
    """Read a checklist of the package.

    Raises
    ------
    LesionbookError
        If an item has an unknown key, neither a place nor a reason, or a number that occurs twice.
    """
    text = resources.files("lesionbook").joinpath("checklists", f"{name}.yml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    items = tuple(
        Item(
            one["item"],
            one["about"],
            tuple(Place(place["in"], place["section"]) for place in one.get("at", ())),
            one.get("not", ""),
        )
        for one in content["items"]
    )
    for one in content["items"]:
        if further := sorted(set(one) - {"item", "about", "at", "not"}):
            raise LesionbookError(f"checklists/{name}.yml: item {one['item']}: {further[0]!r} is no key of an item.")
    numbers = [item.number for item in items]
    for item in items:
        if not item.places and not item.reason:
            raise LesionbookError(f"checklists/{name}.yml: item {item.number} needs at or not.")
        if numbers.count(item.number) > 1:
            raise LesionbookError(f"checklists/{name}.yml: item {item.number} occurs twice; number the items once.")
    return Checklist(content["name"], content["title"], content["source"], items)


def answered(found: Checklist, run: Run, chosen: str) -> pd.DataFrame:
    """Find for each item the first place that this study has.

    Parameters
    ----------
    found : Checklist
    run : Run
        Of the card.
    chosen : str
        Experiment of the model chosen on validation images.

    Returns
    -------
    DataFrame
        ``item, asks for, answered in`` (report and section, or ``not answered here, because …``), ``address`` (of the
        section, from a report of the same study; missing where it is not answered).
    """
    rows = []
    for item in found.items:
        place = next((one for one in (_resolved(place, run, chosen) for place in item.places) if one), None)
        if place is None:
            reason = item.reason or "this study has no such report"
            rows.append((item.number, item.about, f"{OPEN}, because {reason}", None))
            continue
        title = _report_title(run, place.experiment)
        text = f"{title}: {place.section}" if place.section else title
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
    sides = index["split"].value_counts()
    counts = ", ".join(f"{sides.get(side, 0):,} {word}" for side, word in SIDES.items())
    classes = ", ".join(f"{run.names[key]} {count:,}" for key, count in index["label"].value_counts().items())
    rows = [
        ("collection", record.title),
        ("images used", f"{len(index):,} of {index['group'].nunique():,} {record.group_name}s: {counts}"),
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
    name = {MODEL: chosen, CARD: run.step, NETWORK: _network(run, chosen)}.get(place.experiment, place.experiment)
    if name not in known or (place.section and place.section not in _sections(known[name].notebook)):
        return None
    return Place(name, place.section)


def _network(run: Run, chosen: str) -> str:
    """The chosen model if it is a network, else the first network of the study."""
    networks = run.settings.networks
    return chosen if chosen in networks else next(iter(networks), "")


def _report_title(run: Run, experiment: str) -> str:
    one = run.settings.experiments[experiment]
    if one.title:
        return one.title
    first = sources.cells(paths.notebook(one.notebook))[0].text
    return first.splitlines()[0].removeprefix("# ").strip()


@cache
def _sections(notebook: str) -> frozenset[str]:
    """Headings of a notebook's source."""
    texts = (cell.text for cell in sources.cells(paths.notebook(notebook)) if cell.kind == "markdown")
    return frozenset(re.findall(r"^##+ (.+)$", "\n".join(texts), re.MULTILINE))
