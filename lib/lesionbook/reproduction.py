"""Published results against those of a run: theirs, ours, the tolerance set beforehand, and what follows."""

import json
from typing import Any

import pandas as pd

from lesionbook import audit, params, published_facts, statistics, tables
from lesionbook.published_facts import Facts, Result
from lesionbook.run import Run

AGREES, DIFFERS, NOT_COMPARED = "agrees", "differs", "not compared"
PLURALS = {AGREES: "agree", DIFFERS: "differ"}
BUILT = "published-parameters.json"  # left by the report of a network whose size is published
KINDS = ("private", "public")
DRAWN = "the images are drawn: no accuracy on them can be held against one on real images"


def table(run: Run, scored: pd.DataFrame) -> pd.DataFrame:
    """Hold every score that a study states against the one measured here.

    Parameters
    ----------
    run : Run
        Of the comparison, or of a step after it.
    scored : DataFrame
        ``estimate, low, high, n_images, n_groups`` with the index ``model`` (title of the experiment), ``score``: the
        intervals of `statistics.bootstrap_scores`, which draw whole groups.

    Returns
    -------
    DataFrame
        One row per published score, in the order of the study file: ``figure``, ``score``, ``stated, stated_low,
        stated_high`` (Wilson, at the images that it rests on), ``images``, ``here, low, high, n_images, n_groups`` (NaN
        where there is none), ``tolerance``, ``verdict`` (agrees, differs, not compared), ``why``.
    """
    facts = published_facts.of(run.study, run.settings)
    rows = [_row(run, one, scored) for one in facts.results]
    rows += [
        _competition(model, facts, kind)
        for model in dict.fromkeys(one.model for one in facts.leaderboard)
        for kind in KINDS
    ]
    columns = ["figure", "score", "stated", "stated_low", "stated_high", "images", "here", "low", "high", "n_images"]
    return pd.DataFrame(rows, columns=[*columns, "n_groups", "tolerance", "verdict", "why"])


def sizes(run: Run) -> pd.DataFrame:
    """Hold published parameter counts against the networks that this run's reports built in their published size.

    Returns
    -------
    DataFrame
        ``experiment`` (title), ``parameters`` (total, trainable, non trainable), ``published, here`` (missing where the
        network's report has not run), ``verdict``.
    """
    rows = []
    for name, stated in published_facts.of(run.study, run.settings).parameters.items():
        path = run.folder(name) / BUILT
        built = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        for kind, count in stated.items():
            here = built.get(kind)
            verdict = NOT_COMPARED if here is None else AGREES if here == count else DIFFERS
            rows.append((title(run.settings, name), kind.replace("_", " "), count, here, verdict))
    return pd.DataFrame(rows, columns=["experiment", "parameters", "published", "here", "verdict"])


def counts(*found: pd.DataFrame) -> dict[str, int]:
    """How many rows of one or more tables agree, differ and are not compared, by these words."""
    verdicts = pd.concat([one["verdict"] for one in found]) if found else pd.Series(dtype=str)
    return {verdict: int((verdicts == verdict).sum()) for verdict in (AGREES, DIFFERS, NOT_COMPARED)}


def sentence(found: dict[str, int]) -> str:
    """Say in a sentence what `counts` counted."""
    total = sum(found.values())
    if not total:
        return "The study states nothing that could be held against this run."
    compared = total - found[NOT_COMPARED]
    if not compared:
        what = "The one published figure cannot" if total == 1 else f"None of the {total} published figures can"
        return f"{what} be compared in this run; the table says why."
    what = tables.number(total, "published figure")
    rest = f"; {found[NOT_COMPARED]} cannot be compared" if found[NOT_COMPARED] else ""
    agree, differ = (counted(one, found[one]) for one in PLURALS)
    return f"Of {what}, {agree} and {differ}{rest}."


def counted(verdict: str, count: int) -> str:
    """Write how many figures have a verdict: ``1 agrees``, ``2 agree``, ``3 not compared``."""
    return f"{count} {verdict if count == 1 else PLURALS.get(verdict, verdict)}"


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """Bring the rows of `table` into a table that fits a page: numbers with intervals in one cell."""
    theirs = [
        f"{row.stated:.6g}"
        if pd.isna(row.stated_low)
        else f"{row.stated:.6g} ({row.stated_low:.3f}–{row.stated_high:.3f})"
        for row in found.itertuples()
    ]
    ours = tables.with_interval(found.rename(columns={"here": "estimate"}))
    return pd.DataFrame(
        {
            "published figure": found["figure"],
            "score": found["score"].map(tables.name),
            "published (95 %)": theirs,
            "here (95 %)": ours,
            "tolerance": found["tolerance"],
            "verdict": found["verdict"],
            "why": found["why"],
        }
    )


def title(settings: params.Study, experiment: str) -> str:
    """Name of an experiment as tables of models have it."""
    return settings.experiments[experiment].title or tables.name(experiment)


def adapted(run: Run, experiment: str) -> list[str]:
    """What the profile of this run changes in an experiment against the published settings, in words."""
    paper = params.load(run.study, "paper")
    found = []
    if run.settings.images.size != paper.images.size:
        found.append(f"images of {run.settings.images.size} pixels instead of {paper.images.size}")
    if run.settings.selection != paper.selection:
        found.append("fewer images")
    ours, theirs = (_knobs(one, experiment) for one in (run.settings, paper))
    changed = sorted(key for key in {*ours, *theirs} - {"precision"} if ours.get(key) != theirs.get(key))
    if changed:
        found.append("changed for this profile: " + ", ".join(tables.name(key) for key in changed))
    return found


def _competition(model: str, facts: Facts, kind: str) -> dict[str, Any]:
    """Row of a model's best submission to a competition."""
    values = [getattr(one, kind) for one in facts.leaderboard if one.model == model]
    best = f", best of {len(values)} submissions" if len(values) > 1 else ""
    return {
        "figure": f"{model}, {kind} leaderboard{best}",
        "score": "that of the competition",
        "stated": max(values),
        "verdict": NOT_COMPARED,
        "why": "the labels of the competition's test images are not public",
    }


def _row(run: Run, one: Result, scored: pd.DataFrame) -> dict[str, Any]:
    images = audit.rests_on(one)
    wilson = statistics.wilson(round(one.value * images), images)
    row: dict[str, Any] = {
        "figure": f"{one.model}, {one.source}",
        "score": one.score,
        "stated": one.value,
        "images": images,
        "tolerance": one.tolerance,
        "verdict": NOT_COMPARED,
        "why": one.not_redone,
    }
    if one.score == "accuracy":
        row |= {"stated_low": wilson.low, "stated_high": wilson.high}
    if not one.experiment:
        return row
    if run.drawn:
        return row | {"why": DRAWN}
    if (wanted := _weights(params.load(run.study, "paper"), one.experiment)) != _weights(run.settings, one.experiment):
        return row | {"why": f"the weights are not those published ({wanted})"}
    key = (title(run.settings, one.experiment), one.score)
    if key not in scored.index:
        return row | {"why": f"the experiment {key[0]} is not part of this comparison"}
    ours = scored.loc[key]
    row |= {"here": float(ours["estimate"]), **{name: ours[name] for name in ("low", "high", "n_images", "n_groups")}}
    close = abs(row["here"] - one.value) <= one.tolerance + 1e-12
    reasons = [*one.differs, *adapted(run, one.experiment)]
    if not close and ours["low"] <= one.value <= ours["high"]:
        reasons.append("the interval here holds the published value, so chance alone may do")
    return row | {"verdict": AGREES if close else DIFFERS, "why": "; ".join(reasons)}


def _weights(settings: params.Study, experiment: str) -> str:
    return settings.experiments[experiment].parameters.weights


def _knobs(settings: params.Study, experiment: str) -> dict[str, Any]:
    """Parameters of an experiment, those of its recipe beside the others."""
    values = json.loads(settings.experiments[experiment].parameters.model_dump_json(exclude_unset=True))
    return values | values.pop("recipe", {})
