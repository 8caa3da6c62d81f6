"""What the model card shows: the data, the model chosen, and who answers which item of the reporting guidelines."""

from typing import Any

import pandas as pd

from lesionbook import card, classwise, images, metrics, params, predictions, report, reproduction, statistics, tables
from lesionbook.run import Run

SHOWN = ["accuracy", "balanced_accuracy", "macro_auc", "log_loss", "brier", "expected_calibration_error"]


def intended_use(run: Run) -> None:
    """Say what the model is for and what it is not for."""
    chosen, _ = card.chosen(run)
    report.show_table(
        pd.DataFrame(
            [
                ("question", run.settings.summary),
                ("made for", "teaching how such models are built and judged, and running published studies again"),
                ("users", "students and their teachers"),
                ("input", card.told(run, chosen)),
                ("output", "a probability for each class: " + ", ".join(run.names.values())),
                ("not made for", "diagnosis, triage or any decision about a patient; it is no medical device"),
                ("images it does not know", "other cameras, clinics, populations and diseases than those below"),
            ],
            columns=["what", "value"],
        ),
        label="use",
        caption="What the model is for.",
        index=False,
    )


def data(run: Run) -> None:
    """Show what the model was made from and tested on."""
    report.show_table(
        card.data(run, _index(run)), label="data", caption="What the model was made from and tested on.", index=False
    )


def model(run: Run, *, repeats: int, seed: int) -> tuple[str, dict[str, Any]]:
    """Show how good the model is that was chosen on validation images; give its experiment and the scores."""
    chosen, summary = card.chosen(run)
    frames = {side: predictions.read(run.result(chosen, "predictions.csv"), split=side) for side in ("val", "test")}
    scored = statistics.bootstrap_scores(frames["test"], repeats=repeats, seed=seed)
    validation = metrics.scores(frames["val"])
    counted = tables.counted(frames["test"], run.group_name)
    name = reproduction.title(run.settings, chosen)
    among = len(run.settings.models)
    report.show_note(
        (
            f"Chosen among {among} models by balanced accuracy on the validation images: **{name}**."
            if among > 1
            else f"The only model of the study: **{name}**."
        )
        + f" Its test images: {counted}."
    )
    table = tables.scores(scored.loc[SHOWN]).rename(columns={"estimate (95 % interval)": "test (95 %)"})
    table.insert(1, "validation", [f"{validation[score]:.3f}" for score in SHOWN])
    report.show_table(
        table,
        label="scores",
        caption=f"Scores of the chosen model on {counted} of the test side, with 95 % intervals by bootstrap over "
        f"groups, beside those on the {len(frames['val']):,} validation images that chose it. Resamples "
        "look less calibrated than the images they come from; the calibration error's interval allows for it.",
        index=False,
    )
    recalls = classwise.intervals(frames["test"], repeats=repeats, seed=seed)
    report.show_table(
        tables.per_class(metrics.per_class(frames["test"]), recalls, run.names, run.group_name).drop(columns="F1"),
        label="classes",
        caption="The chosen model class by class, each against all others, with 95 % intervals. The comparison has "
        "more scores.",
        index=False,
    )
    return chosen, summary["scores"]


def training(run: Run, chosen: str) -> None:
    """Show how the chosen model came about and by what its answers are known again."""
    report.show_table(
        card.settings(run, chosen),
        label="settings",
        caption="What the study file sets for the chosen model under this profile; the rest are the defaults of its "
        "notebook.",
        index=False,
    )
    digest = images.digest(run.result(chosen, "predictions.csv"))
    report.show_note(
        f"Its answers to the validation and test images have the SHA-256 `{digest[:16]}…`; a run that gives the same "
        f"came about in the same way. The last table of [its report]({chosen}.html) names what decided it.\n\n"
        + _served(run, chosen)
    )


def _served(run: Run, chosen: str) -> str:
    name, version = card.served(run)
    if name == chosen:
        return f"The prediction page (`make serve`) serves it as version `{version}`."
    if not name:
        return (
            "The study trains no network for images alone (notebooks 20 to 39), which the prediction page could serve."
        )
    other = reproduction.title(run.settings, name)
    return (
        "The prediction page (`make serve`) serves the best of the study's networks for images alone (notebooks 20 to "
        f"39), [{other}]({name}.html), as version `{version}`: the scores of this card are not its scores."
    )


def limits(run: Run) -> None:
    """Say where the results end."""
    parts = [run.record.limits, f"In the images, look for {run.record.artefacts}: a model may have learned them."]
    if run.drawn:
        parts.insert(0, "These images are drawn: no figure in this card says anything about patients.")
    parts.append(
        "One split of one collection was used, without images of another origin. Intervals cover the choice of test "
        "images, not the chance in training. Next would come other splits and seeds, then images from elsewhere."
    )
    report.show_note("\n\n".join(part for part in parts if part), kind="warning")


def checklist(run: Run, name: str, chosen: str) -> dict[str, int]:
    """Show for each item of a guideline where it is answered; give how many are."""
    found = card.checklist(name)
    table = card.answered(found, run, chosen, card.conditions(run, _index(run)))
    done, items = card.counted(table)
    report.show_table(
        table.drop(columns="address"),
        label=name,
        caption=f"{found.name}: {done} of {items} items have a place in the reports. Numbers are the guideline's, "
        f"the words are ours; its wording stands in {found.source}.",
        links={"answered in": [one if isinstance(one, str) else None for one in table["address"]]},
        index=False,
    )
    return {"answered": done, "items": items}


def _index(run: Run) -> pd.DataFrame:
    return pd.read_csv(run.result(params.SECOND, "index.csv"), dtype={"label": str, "group": str})
