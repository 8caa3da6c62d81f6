"""What is shown of settings that were varied: sweeps, searches, and what the published study says of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from lesionbook import report, tables
from lesionbook.figures import sweep as figures
from lesionbook.run import Run
from lesionbook.tuning import chance, printed, runs, settings, sweep

DRAWN = "The images of this run are drawn; the published numbers stand beside them and cannot be held against them."
SCORES = ["val_accuracy", "val_auc", "val_loss"]  # shown of trainings with new seeds


def shared(base: str, fixed: settings.Changes) -> None:
    """Say what all trainings change alike of the experiment that they vary."""
    if fixed:
        report.show_note(f"All trainings change the experiment *{base}* alike: {settings.title(fixed)}.")


def together(changes: settings.Changes, chosen: settings.Setting) -> None:
    """Name the choices of the sweeps put together, and say where one of them makes another one idle."""
    idle = "alpha" in changes and chosen.parameters.get("activation") != "leaky_relu"
    report.show_note(
        f"Put together: {settings.title(changes)}."
        + (" The slope *alpha* has no part in a network without leaky ReLU: the choices depend on each other." * idle)
    )


def response(
    run: Run,
    changes: Sequence[settings.Changes],
    frame: pd.DataFrame,
    varied: Sequence[settings.Setting],
    *,
    axis: str,
    scale: str,
    published: str,
) -> None:
    """Draw the response curve beside the published one, and list both."""
    score, points = sweep.monitored(varied[0]), settings.points(changes, axis)
    theirs = printed.sweep(run.settings.published, published)
    rows = printed.match(theirs, [printed.stated(one) for one in varied]) if published else [None] * len(varied)
    report.show_figure(
        figures.response(
            points,
            frame,
            score,
            label=tables.name(axis.rpartition(".")[2]),
            scale=scale,
            published=printed.beside(theirs, rows, points) if published and score == "val_accuracy" else None,
        ),
        label="response",
        caption=f"{tables.name(score).capitalize()} by {tables.name(axis.rpartition('.')[2])}: small dots are single "
        "trainings, the large ones means over the seeds."
        + (" Published: one training each, with Wilson's interval for its images." if published else ""),
        alt="Score against the varied setting, one dot per training and a line through the means.",
    )
    gathered = sweep.summary(frame, score)
    columns = dict(settings.columns(changes)) | {
        f"{tables.name(score)}: mean (range)": [_range(row) for row in gathered.itertuples()],
        "training accuracy": gathered["accuracy"],
        "validation loss": gathered["val_loss"].map(_number),
    }
    if gathered["own_images"].nunique() > 1:
        columns["on its own"] = [
            f"{row.own_accuracy:.3f} of {row.own_images:.0f}" if row.complete else "–" for row in gathered.itertuples()
        ]
    if published:
        columns["published"] = [np.nan if row is None else theirs["val_accuracy"].iloc[row] for row in rows]
    report.show_table(
        pd.DataFrame(columns),
        label="settings",
        caption="The settings, each with all its seeds; training and validation figures are means, of the epochs whose "
        "weights were kept."
        + (" On its own: accuracy on the fewer images that chose the epoch." if "on its own" in columns else "")
        + (" Published: the accuracy stated." if published else "")
        + (f" {DRAWN}" if published and run.drawn else ""),
        formats={"training accuracy": "{:.3f}", "published": "{:.3f}"},
        index=False,
    )


def _range(row: object) -> str:
    if not row.complete:
        return "–"
    text = f"{row.mean:.3f} ({row.low:.3f}–{row.high:.3f})"
    return text if row.complete == row.runs else f"{text}, {row.complete} of {row.runs}"


def _number(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.3f}" if abs(value) < 1000 else f"{value:.1e}"


def spread(gathered: pd.DataFrame, seeds: int) -> None:
    """Say how much seeds alone move a score."""
    moved = sweep.spread(gathered)
    if np.isnan(moved.difference):
        report.show_note("One seed, or one setting: nothing here says what chance alone does to a difference.")
        return
    reached = gathered["mean"].max() - gathered["mean"].min()
    verdict = "more" if reached > moved.difference else "less"
    report.show_note(
        f"Between seeds of one setting the score has a standard deviation of {moved.sd:.3f}. The means of two settings "
        f"of {seeds} seeds each must differ by {moved.difference:.3f} before seeds alone do not explain it (Tukey's "
        f"test for all pairs at 5 %). The best and the worst setting differ by {reached:.3f}: {verdict} than that."
    )


def failures(states: pd.DataFrame) -> None:
    """List what did not come to its end; `states` has ``setting, seed, state, reason, epochs``."""
    failed = states[~states["state"].isin([runs.COMPLETE, runs.PRUNED])]
    if failed.empty:
        report.show_note("No training failed: none diverged, none ran out of memory.")
        return
    report.show_table(
        failed[["setting", "seed", "state", "reason", "epochs"]],
        label="failures",
        caption="Trainings that did not come to their end; they count as tried.",
        index=False,
    )


def published_sweep(run: Run, name: str) -> None:
    """Say which differences within a published table exceed chance."""
    theirs = printed.sweep(run.settings.published, name)
    if theirs.empty:
        report.show_note("The published study has no such table.")
        return
    tested = chance.pairs(theirs)
    ends = chance.against_best(theirs, tested)
    shown = theirs.drop(columns=["train_loss", "train_accuracy", "val_loss", "images", "right"])
    shown = shown.rename(columns={"val_accuracy": "accuracy"}).rename(columns=tables.name)
    shown = shown.assign(**{"right answers": theirs["right"].astype(str) + " of " + theirs["images"].astype(str)})
    shown = shown.assign(**{"against the best": ends["difference"], "p": ends["p"], "p (Holm)": ends["holm"]})
    exceeds = np.where(ends["p"].isna(), "best", np.where(ends["holm"] < chance.LEVEL, "yes", "no"))
    report.show_table(
        shown.assign(**{"beyond chance": exceeds}),
        label="published",
        caption="The published table, each row against its best one. Right answers are worked out from the accuracy; p "
        f"is adjusted for all {len(tested)} pairs of rows, since the best one was not known beforehand.",
        formats={
            shown.columns[0]: _printed,
            "accuracy": "{:.4f}",
            "against the best": tables.signed,
            "p": tables.p_value,
            "p (Holm)": tables.p_value,
        },
        index=False,
    )
    report.show_note(chance.verdict(theirs, tested))


def _printed(value: object) -> str:
    """Write a setting as a table prints it: 0.00001, not 1e-05."""
    return f"{value:f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def published_result(run: Run, model: str) -> None:
    """State what was published of a model, by its name among the results of the study file."""
    for result in run.settings.published.get("results", []):
        if result["model"] == model:
            text = f"Published for *{model}*: an accuracy of {result['value']:.4f} ({result['source']})."
            report.show_note(f"{text} {DRAWN}" if run.drawn else text)
            return
    report.show_note("The published study states no result that belongs here.")


def costs(rows: Mapping[str, Mapping[str, float]]) -> None:
    """List what searches and sweeps took; `rows` by name, from `sweep.cost` or `trials.cost`."""
    frame = pd.DataFrame({name: row for name, row in rows.items() if row["trainings"]}).T
    frame = frame[["trainings", "epochs", "multiply_adds"]]
    report.show_table(
        frame.assign(multiply_adds=frame["multiply_adds"] / 1e9)
        .rename(columns={"multiply_adds": "multiply-adds (10⁹)"})
        .rename_axis("")
        .reset_index(),
        label="cost",
        caption="What it took: trainings, epochs, and the multiply-adds of all training images on their way forward; "
        "going backward costs about twice as much again.",
        formats={"trainings": "{:,.0f}", "epochs": "{:,.0f}", "multiply-adds (10⁹)": "{:,.1f}"},
        index=False,
    )


def finals(entered: pd.DataFrame, frame: pd.DataFrame, score: str) -> None:
    """List the finalists of a search: what each scored there and in the finals; the chosen one is named."""
    gathered, chosen = sweep.summary(frame, score), sweep.choose(frame, score)
    shown = pd.DataFrame(
        {
            "setting": entered["changes"].map(settings.title),
            "search": entered["search"],
            "there": entered["score"],
            "in the finals": list(map(_range, gathered.itertuples())),
            "": ["chosen" if position == chosen else "" for position in gathered.index],
        }
    )
    report.show_table(
        shown,
        label="finals",
        caption=f"The finalists, with their {tables.name(score)}: there, of the one training by which their search "
        "chose them; in the finals, of several, as mean (range).",
        formats={"there": "{:.3f}"},
        index=False,
    )


def again(titles: Sequence[str], frame: pd.DataFrame, score: str) -> None:
    """List settings that were trained again with seeds that chose nothing."""
    gathered = sweep.summary(frame, score)
    shown = pd.DataFrame({"setting": titles, f"{tables.name(score)}: mean (range)": map(_range, gathered.itertuples())})
    for name in SCORES:
        if name != score:
            shown[tables.name(name)] = gathered[name].to_numpy()
    report.show_table(
        shown,
        label="again",
        caption="Trained again with other seeds, on the same validation images.",
        index=False,
    )


def choices(found: Mapping[str, Mapping[str, Any]], titles: Mapping[str, str]) -> pd.DataFrame:
    """List the winners of sweeps; `found` holds the summary that each has left."""
    rows = [
        (
            titles[name],
            one["best"]["title"],
            f"{one['best']['mean']:.3f} ({one['best']['low']:.3f}–{one['best']['high']:.3f})",
            one["spread"]["sd"],
        )
        for name, one in found.items()
    ]
    return pd.DataFrame(rows, columns=["sweep", "winner", "score: mean (range)", "deviation between seeds"])
