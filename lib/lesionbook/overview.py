"""One line of each study for the front page: what came out, and how it stands to the published figures."""

import json

import pandas as pd

from lesionbook import params, paths, reproduction
from lesionbook.render.index import Overview
from lesionbook.run import Run
from lesionbook.statistics import Interval


def line(study: str, profile: str, settings: params.Study) -> Overview | None:
    """Gather the line of a study from the files that its comparison left.

    How long it took stands on a page of its own, `lesionbook.render.times`: the same run gives this one the same bytes.

    Parameters
    ----------
    study, profile : str
    settings : Study
        The study with the profile applied.

    Returns
    -------
    Overview or None
        None where the models have not been compared.
    """
    folder = paths.step(profile, study, params.LAST)
    if not ((folder / "summary.json").exists() and (folder / "comparison.csv").exists()):
        return None
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    scored = pd.read_csv(folder / "comparison.csv").set_index(["model", "score"])
    if (summary.get("chosen"), "macro_auc") not in scored.index:
        return None
    best = Interval.of(scored.loc[(summary["chosen"], "macro_auc")])
    run = Run(study, profile, params.LAST, settings, folder)
    results, sizes = reproduction.table(run, scored), reproduction.sizes(run)
    return Overview(
        model=summary["chosen"],
        figure=str(best),
        tested=f"{best.n_images:,}" + (f" ({best.n_groups:,})" if best.n_groups < best.n_images else ""),
        published=_counted(results),
        parameters=_counted(sizes),
    )


def _counted(found: pd.DataFrame) -> str:
    """Say how many figures agree, differ and are not compared: ``2 agree, 1 differs, 3 not compared``."""
    if found.empty:
        return ""
    counts = reproduction.counts(found)
    verdicts = (reproduction.AGREES, reproduction.DIFFERS, reproduction.NOT_COMPARED)
    return ", ".join(reproduction.counted(one, counts[one]) for one in verdicts if counts[one])
