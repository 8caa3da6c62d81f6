"""What is shown of each model beside the others: scores, classes, calibration, subgroups."""

import pandas as pd

from lesionbook import calibration as calibrated
from lesionbook import classwise, report, tables
from lesionbook import subgroups as kinds
from lesionbook.figures import calibration as reliability
from lesionbook.figures import comparison, matrices
from lesionbook.figures import subgroups as subgroup_figures
from lesionbook.run import Run

GROUPED = ["precision", "recall", "specificity", "f1", "auc", "average_precision"]


def scores(run: Run, scored: pd.DataFrame, test: dict[str, pd.DataFrame]) -> None:
    """Show the scores of every model with intervals, one table for each question, and draw two of them.

    Parameters
    ----------
    run : Run
    scored : DataFrame
        Index ``model, score``; as from `statistics.bootstrap_scores`.
    test : dict of DataFrame
        Test predictions of each model.
    """
    counted = tables.counted(next(iter(test.values())), run.record.group_name)
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
        "Resamples look less calibrated than the images they come from, so the calibration error's interval lies high.",
        index=False,
    )
    report.show_table(
        tables.explained(pd.DataFrame(index=list(tables.MEANINGS))),
        label="meanings",
        caption="What the scores mean; ↑ higher is better, ↓ lower is better.",
        index=False,
    )
    report.show_figure(
        comparison.intervals(scored[scored.index.isin(["balanced_accuracy", "macro_auc"], level="score")]),
        label="scores",
        caption=f"Two of the scores as a picture, with 95 % intervals; {counted}. Models are compared by their paired "
        "differences below, not by whether these intervals overlap.",
        alt="Forest plot of balanced accuracy and macro AUC of each model with intervals.",
    )


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
        caption="Area under the ROC curve of every class against the rest, with 95 % intervals. "
        + ("With two classes, it is the same area for both." if len(run.names) == 2 else ""),
        alt="Matrix of models by classes with the area under the ROC curve and its interval in each cell.",
    )
    counted = tables.counted(test[chosen], run.record.group_name)
    own = table[table["model"] == chosen].set_index(["class", "score"])
    texts = tables.with_interval(own, digits=2).unstack("score").reindex(run.classes).rename_axis(columns=None)
    sizes = own.xs("recall", level="score")[["n_images", "n_groups"]].reindex(run.classes)
    texts = texts.rename(index=run.names).rename(columns=tables.name)
    ranking = pd.DataFrame(
        {
            "class": texts.index,
            "images": sizes["n_images"].to_numpy(),
            f"{run.record.group_name}s": sizes["n_groups"].to_numpy(),
            "AUC": texts["AUC"].to_numpy(),
            "average precision": texts["average precision"].to_numpy(),
        }
    )
    report.show_table(
        texts[["precision", "recall", "specificity", "F1"]].reset_index(),
        label="classes",
        caption=f"Answers of *{chosen}*, each class against all others; {counted}, 95 % intervals. A dash: the model "
        "never gives this answer, or the class does not occur.",
        index=False,
    )
    report.show_table(
        tables.groups_if_fewer(ranking, run.record.group_name),
        label="class-ranking",
        caption=f"Ranking by *{chosen}*, each class against all others, with 95 % intervals. Average precision has to "
        "be held against the share of the class among the images, which is what guessing gets.",
        index=False,
    )
    return table


def calibration(
    run: Run, validation: dict[str, pd.DataFrame], test: dict[str, pd.DataFrame], *, repeats: int, seed: int
) -> dict[str, float]:
    """Show reliability before and after temperature scaling, and what it does to the scores; give the temperatures."""
    found, parts, scored = {}, [], {}
    for model, frame in test.items():
        found[model], scored[model] = calibrated.before_and_after(validation[model], frame, repeats=repeats, seed=seed)
        for when, one in (("before", frame), ("after", calibrated.scaled(frame, found[model]))):
            part = calibrated.reliability_by_group(one, repeats=repeats, seed=seed)
            parts.append(part.assign(model=model, when=when))
    counted = tables.counted(next(iter(test.values())), run.record.group_name)
    report.show_figure(
        reliability.reliabilities(pd.concat(parts)),
        label="reliability",
        caption=f"Accuracy against confidence before and after temperature scaling, in bins of 0.1; {counted}, 95 % "
        "intervals. On the dashed line a model is as sure as it is right; below it, it is too sure. Larger points hold "
        "more images.",
        alt="Reliability diagrams, one panel per model, before and after scaling, with intervals.",
    )
    texts = tables.with_interval(pd.concat(scored, names=["model"]))
    wide = texts.unstack(["score", "when"]).loc[list(test)]
    temperatures = pd.Series(found).map("{:.2f}".format)
    report.show_table(
        pd.DataFrame({"temperature": temperatures} | _sides(wide, "log_loss"), index=list(test))
        .rename_axis("model")
        .reset_index(),
        label="temperatures",
        caption=f"Temperature found on the validation images (0.05 to 20 were tried), and the log loss of the test "
        f"images ({counted}) before and after, with 95 % intervals; lower is better.",
        index=False,
    )
    report.show_table(
        pd.DataFrame(_sides(wide, "expected_calibration_error"), index=list(test)).rename_axis("model").reset_index(),
        label="calibration",
        caption=f"Expected calibration error (ECE) of the test images ({counted}) before and after, with 95 % "
        "intervals; lower is better. The ECE of few images is above zero even for a perfectly calibrated model, and "
        "resamples raise it further, so that its interval lies high.",
        index=False,
    )
    report.show_table(
        pd.DataFrame(_sides(wide, "brier"), index=list(test)).rename_axis("model").reset_index(),
        label="brier",
        caption=f"Brier score of the test images ({counted}) before and after, with 95 % intervals; lower is better.",
        index=False,
    )
    return found


def subgroups(run: Run, test: pd.DataFrame, positive: str, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show the scores of one model in the subgroups that the index tells apart; give them."""
    table = kinds.scores(test, run.store().index, positive, repeats=repeats, seed=seed)
    if set(table["attribute"]) == {"all"}:
        report.show_note(
            "The data set says nothing of age, sex, body site or how a diagnosis was confirmed, so that no subgroup "
            f"can be looked at. {run.record.limits}"
        )
        return table
    report.show_figure(
        subgroup_figures.scores(table, {"auc": f"AUC of {positive} against the rest"}),
        label="subgroups",
        caption="Scores in subgroups of the test images with 95 % intervals; dashed: all images. Rows without a point "
        f"have too few images (balanced accuracy: fewer than {kinds.FEWEST_IMAGES}, or one class; AUC: fewer than "
        f"{kinds.FEWEST_OF_A_SIDE} of *{positive}* or of the others). The balanced accuracy is the mean over the "
        "classes that occur in the subgroup.",
        alt="Forest plot of balanced accuracy and area under the curve by age, sex, site and kind of diagnosis.",
    )
    texts = table.assign(text=tables.with_interval(table, digits=2))
    area, mean = (texts[texts["score"] == score].reset_index(drop=True) for score in ("auc", "balanced_accuracy"))
    report.show_table(
        tables.groups_if_fewer(
            pd.DataFrame(
                {
                    "subgroup": [
                        row.value if row.attribute == "all" else f"{row.attribute}: {row.value}"
                        for row in area.itertuples()
                    ],
                    "images": area["n_images"],
                    f"{run.record.group_name}s": area["n_groups"],
                    positive: area["n_positive"],
                    "balanced accuracy": mean["text"],
                    f"AUC of {positive}": area["text"],
                }
            ),
            run.record.group_name,
        ),
        label="subgroups",
        caption=f"The same as numbers; the column *{positive}* counts the images of that class.",
        formats={"images": "{:,}", f"{run.record.group_name}s": "{:,}"},
        index=False,
    )
    report.show_note(f"What else these data cannot tell: {run.record.limits}")
    return table


def _keys(run: Run) -> str:
    """Spell out the keys of the classes where there are too many for long names in a figure."""
    return "; ".join(f"{key}: {name}" for key, name in run.names.items()) + "." if len(run.names) > 3 else ""


def _sides(wide: pd.DataFrame, score: str) -> dict[str, pd.Series]:
    name = {"expected_calibration_error": "ECE", "brier": "Brier score"}.get(score, tables.name(score))
    return {f"{name} {when}": wide[(score, when)] for when in ("before", "after")}
