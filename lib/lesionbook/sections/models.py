"""What is shown of each model beside the others: scores, seeds, classes, calibration."""

from collections.abc import Iterable

import pandas as pd

from lesionbook import calibration as calibrated
from lesionbook import classwise, report, seeds, tables
from lesionbook.figures import calibration as reliability
from lesionbook.figures import comparison, matrices
from lesionbook.run import Run

GROUPED = ["precision", "recall", "specificity", "f1", "auc", "average_precision"]


def scores(run: Run, scored: pd.DataFrame, test: dict[str, pd.DataFrame], trainings: pd.DataFrame) -> None:
    """Show the scores of every model with intervals, a table for each question, and two of them drawn with all seeds.

    Parameters
    ----------
    run : Run
    scored : DataFrame
        Index ``model, score``; as from `statistics.bootstrap_scores`.
    test : dict of DataFrame
        Test predictions of each model.
    trainings : DataFrame
        As from `seeds.scores`.
    """
    counted = tables.counted(next(iter(test.values())), run.group_name)
    wide = tables.with_interval(scored).unstack("score").loc[list(test)].rename_axis(columns=None)
    wide = wide.rename(columns=tables.name)
    report.show_table(
        wide[["accuracy", "weighted F1", "balanced accuracy"]].reset_index(),
        label="scores",
        caption=f"How good the answers are: {counted} of the test side, 95 % intervals; higher is better.",
        index=False,
    )
    report.show_table(
        wide[["macro F1", "macro AUC", "macro average precision"]].reset_index(),
        label="means",
        caption=f"Further means over the classes, each class counting the same; {counted}, 95 % intervals; higher is "
        "better.",
        index=False,
    )
    report.show_table(
        wide[["log loss", "Brier score", "expected calibration error"]].reset_index(),
        label="probabilities",
        caption=f"How good the probabilities themselves are; {counted}, 95 % intervals; lower is better. "
        "Resamples look less calibrated than the images themselves; the calibration error's interval allows for it.",
        index=False,
    )
    report.show_table(
        tables.explained(pd.DataFrame(index=list(tables.MEANINGS))),
        label="meanings",
        caption="What the scores mean; ↑ higher is better, ↓ lower is better.",
        index=False,
    )
    two = scored[scored.index.isin(["balanced_accuracy", "macro_auc"], level="score")]
    report.show_figure(
        comparison.intervals(two, beside=seeds.further(trainings)),
        label="scores",
        caption=f"Two of the scores as a picture, with 95 % intervals; {counted}. Models are compared by their paired "
        "differences below, not by whether these intervals overlap."
        + (" Hollow points: trained again with other seeds, tested on the same images." if len(trainings) else ""),
        alt="Forest plot of balanced accuracy and macro AUC of each model with intervals, and points for other seeds.",
    )
    _spread(trainings)


def classes(run: Run, test: dict[str, pd.DataFrame], chosen: str, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show recall and AUC of every class and model, and every score of each class for one model; give all of them.

    Returns
    -------
    DataFrame
        ``model`` and the columns of `classwise.intervals`.
    """
    table = pd.concat(
        [
            classwise.intervals(frame, scores=GROUPED, repeats=repeats, seed=seed).assign(model=model)
            for model, frame in test.items()
        ],
        ignore_index=True,
    )
    report.show_figure(
        matrices.classes(table, names=run.names),
        label="recalls",
        caption="Recall of every class by model, with 95 % intervals; n is the number of test images of the class. "
        + _keys(run),
        alt="Matrix of models by classes with the recall and its interval in each cell.",
    )
    report.show_figure(
        matrices.classes(table, names=run.names, score="auc"),
        label="areas",
        caption="Area under the ROC curve of every class against the rest, with 95 % intervals. Where it is near 1 and "
        "images are few, the interval is too narrow: resamples hold no mistakes but those of the images they come from."
        + (" With two classes, it is the same area for both." if len(run.names) == 2 else ""),
        alt="Matrix of models by classes with the area under the ROC curve and its interval in each cell.",
    )
    counted = tables.counted(test[chosen], run.group_name)
    own = table[table["model"] == chosen].set_index(["class", "score"])
    answers, ranking = (
        tables.with_interval(own, digits).unstack("score").reindex(run.classes).rename_axis(columns=None)
        for digits in (2, 3)
    )
    answers = answers[["precision", "recall", "f1"]].rename(columns=tables.name)
    answers.insert(0, *_sizes(own.xs("recall", level="score").reindex(run.classes), run.group_name))
    report.show_table(
        answers.rename(index=run.names).reset_index(),
        label="classes",
        caption=f"Answers of *{chosen}*, each class against all others; {counted}, 95 % intervals. A dash: the model "
        "never gives this answer, or the class does not occur.",
        index=False,
    )
    report.show_table(
        ranking[["specificity", "auc", "average_precision"]].rename(index=run.names, columns=tables.name).reset_index(),
        label="class-ranking",
        caption=f"Specificity and ranking of *{chosen}*, each class against all others, with 95 % intervals. Average "
        "precision has to be held against the share of the class among the images, which is what guessing gets.",
        index=False,
    )
    return table


def calibration(
    run: Run, validation: dict[str, pd.DataFrame], test: dict[str, pd.DataFrame], *, repeats: int, seed: int
) -> dict[str, float]:
    """Show reliability before and after temperature scaling, and what it does to the scores; give the temperatures."""
    found, parts, scored, perfect = {}, [], {}, {}
    for model, frame in test.items():
        found[model], scored[model] = calibrated.before_and_after(validation[model], frame, repeats=repeats, seed=seed)
        for when, one in (("before", frame), ("after", calibrated.scaled(frame, found[model]))):
            part = calibrated.reliability_by_group(one, repeats=repeats, seed=seed)
            parts.append(part.assign(model=model, when=when))
        mean, low, high = calibrated.error_if_calibrated(one, repeats=repeats, seed=seed)
        perfect[model] = f"{mean:.3f} ({low:.3f}–{high:.3f})"
    counted = tables.counted(next(iter(test.values())), run.group_name)
    report.show_figure(
        reliability.reliabilities(pd.concat(parts)),
        label="reliability",
        caption=f"Accuracy against confidence before and after temperature scaling, in bins of 0.1; {counted}, 95 % "
        "intervals. On the dashed line a model is as sure as it is right; below it, it is too sure. Larger points hold "
        "more images; the long thin lines belong to bins of a few.",
        alt="Reliability diagrams, one panel per model, before and after scaling, with intervals.",
    )
    together = pd.concat(scored, names=["model"])
    wide = tables.with_interval(together).unstack(["score", "when"]).loc[list(test)]
    errors = together["estimate"].xs("expected_calibration_error", level="score").unstack("when").map("{:.3f}".format)
    errors = {f"ECE {when}": errors[when] for when in ("before", "after")}
    report.show_table(
        _listed({"temperature": pd.Series(found).map("{:.2f}".format)} | _sides(wide, "log_loss"), test),
        label="temperatures",
        caption=f"Temperature found on the validation images (0.05 to 20 were tried), and the log loss of the test "
        f"images ({counted}) before and after, with 95 % intervals; lower is better.",
        index=False,
    )
    report.show_table(
        _listed(errors | {"ECE if calibrated (95 %)": pd.Series(perfect)}, test),
        label="calibration",
        caption=f"Expected calibration error (ECE) of the test images ({counted}) before and after; lower is better. "
        "On few images it is above zero even for a perfectly calibrated model: the last column has the mean, and the "
        "middle 95 %, of what would come of the probabilities after scaling if they were right. An ECE within that "
        "range is no evidence against a model.",
        index=False,
    )
    report.show_table(
        _listed(_sides(wide, "brier"), test),
        label="brier",
        caption=f"Brier score of the test images ({counted}) before and after, with 95 % intervals; lower is better.",
        index=False,
    )
    return found


def _spread(trainings: pd.DataFrame) -> None:
    if trainings.empty:
        report.show_note(
            "Of every model one training is compared here. How far a score moves from one training to the next is in "
            "none of these intervals."
        )
        return
    gathered = seeds.spread(trainings)
    gathered["text"] = tables.with_interval(gathered.rename(columns={"mean": "estimate"}))
    wide = gathered.pivot(index=["model", "seeds"], columns="score", values="text")[seeds.SHOWN]
    report.show_table(
        wide.rename_axis(columns=None).rename(columns=tables.name).reset_index(),
        label="seeds",
        caption="Models that were trained with several seeds: number of trainings, mean score on the test images and, "
        "in brackets, the lowest and the highest. The intervals above cover the choice of test images and not this; "
        "the range of a few trainings is no interval either. The first seed stands for the model everywhere else.",
        index=False,
    )


def _keys(run: Run) -> str:
    """Spell out the keys of the classes where there are too many for long names in a figure."""
    return "; ".join(f"{key}: {name}" for key, name in run.names.items()) + "." if len(run.names) > 3 else ""


def _sizes(table: pd.DataFrame, group_name: str) -> tuple[str, pd.Series]:
    """Images and groups of each class as one narrow column, the images alone where every one is a group of its own."""
    images, groups = (table[name].map("{:,}".format) for name in ("n_images", "n_groups"))
    same = (images == groups).all()
    return ("images", images) if same else (f"images / {group_name}s", images + " / " + groups)


def _listed(columns: dict[str, pd.Series], models: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=list(models)).rename_axis("model").reset_index()


def _sides(wide: pd.DataFrame, score: str) -> dict[str, pd.Series]:
    return {f"{tables.name(score)} {when}": wide[(score, when)] for when in ("before", "after")}
