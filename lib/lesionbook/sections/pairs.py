"""What is shown of the differences between models: on resamples, image by image, and by areas."""

import pandas as pd

from lesionbook import pairwise, report, statistics, tables
from lesionbook.figures import matrices
from lesionbook.run import Run


def differences(run: Run, test: dict[str, pd.DataFrame], chosen: str, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show the paired differences of every pair as two triangles, and those from the chosen model as tables.

    Returns
    -------
    DataFrame
        As from `pairwise.judged`, with a ``sentence`` for each pair and score; empty for a single model.
    """
    if _alone(test):
        return pd.DataFrame(columns=["model", "reference", "score", "difference", "verdict", "sentence"])
    table = pairwise.judged(statistics.paired_differences(test, repeats=repeats, seed=seed))
    table["sentence"] = [pairwise.sentence(row) for _, row in table.iterrows()]
    counted = tables.counted(next(iter(test.values())), run.group_name)
    pairs = len(table) // table["score"].nunique()
    caption = (
        f"of every pair of models, row minus column; {counted}. “Better” and “worse” speak of the row and hold at 5 % "
        f"after Holm's adjustment for {tables.number(pairs, 'pair')}; “?” is not told apart."
    )
    report.show_note(
        "[Figure](#fig-pairs-balanced-accuracy) and [Figure](#fig-pairs-macro-auc) show every pair, "
        "[Table](#tbl-against-balanced-accuracy) and [Table](#tbl-against-macro-auc) those with the chosen model; a "
        "sentence for each pair stands in `pairs.csv`."
    )
    report.show_figure(
        matrices.pairs(table[table["score"] == "balanced_accuracy"]),
        label="pairs-balanced-accuracy",
        caption=f"Difference of balanced accuracy {caption}",
        alt="Triangle of model pairs with the difference of balanced accuracy and the verdict in each cell.",
    )
    report.show_figure(
        matrices.pairs(table[table["score"] == "macro_auc"]),
        label="pairs-macro-auc",
        caption=f"Difference of macro AUC {caption}",
        alt="Triangle of model pairs with the difference of macro AUC and the verdict in each cell.",
    )
    report.show_table(
        _against(table[table["score"] == "balanced_accuracy"], chosen),
        label="against-balanced-accuracy",
        caption=f"Balanced accuracy against that of *{chosen}*, paired, {counted}. The interval is that of this pair "
        "alone. The p value takes the difference as normally distributed, with the deviation that it has between "
        "resamples; the verdict rests on the one after Holm's adjustment.",
        index=False,
    )
    report.show_table(
        _against(table[table["score"] == "macro_auc"], chosen),
        label="against-macro-auc",
        caption=f"Macro AUC against that of *{chosen}*, in the same way.",
        index=False,
    )
    return table


def accuracies(run: Run, test: dict[str, pd.DataFrame], chosen: str, differences: pd.DataFrame) -> pd.DataFrame:
    """Show McNemar's test of each model against the chosen one, beside `differences`; give it for every pair."""
    table = pairwise.accuracies(test)
    if _alone(test):
        return table
    mine = pairwise.turned(table, chosen)
    gaps = pairwise.turned(differences[differences["score"] == "accuracy"], chosen).set_index("model")
    first = next(iter(test.values()))
    units = tables.units(first, run.group_name)
    exact = "p, exact" if units == "images" else f"p, by {run.group_name}"
    counted = tables.counted(first, run.group_name)
    report.show_table(
        pd.DataFrame(
            {
                "model": mine["model"],
                "right alone": mine["only_model"],
                "chosen alone": mine["only_reference"],
                "p, McNemar": mine["p_mcnemar_holm"].map(tables.p_value),
                exact: mine["p_holm"].map(tables.p_value),
                "verdict": mine["verdict"],
            }
        ),
        label="mcnemar",
        caption=f"Test images that the model alone, and that *{chosen}* alone, gets right; p values after Holm's "
        f"adjustment for {tables.number(len(table), 'pair')}: of McNemar's test, and of the exact test that swaps "
        f"{units}, on which the verdict rests. n = {counted}.",
        index=False,
    )
    report.show_table(
        pd.DataFrame(
            {"model": mine["model"], "difference\u00a0(95\u00a0%)": _gaps(gaps.loc[mine["model"]])} | _needed(mine)
        ),
        label="against-accuracy",
        caption=f"Accuracy against that of *{chosen}*, paired, on the resamples of the tables above; {counted}.",
        index=False,
    )
    return table


def areas(run: Run, test: dict[str, pd.DataFrame], chosen: str, positive: str) -> pd.DataFrame:
    """Show DeLong's comparison of the areas of one class with that of the chosen model; give it for every pair."""
    single, table = pairwise.areas(test, positive)
    if _alone(test):
        return table
    first = next(iter(test.values()))
    mine = pairwise.turned(table, chosen)
    shown = pd.DataFrame(
        {
            "model": mine["model"],
            "AUC (95 %)": tables.with_interval(single).loc[mine["model"]].to_numpy(),
            "difference\u00a0(95\u00a0%)": _gaps(mine),
            "p, Holm": mine["p_holm"].map(tables.p_value),
            "verdict": mine["verdict"],
        }
    )
    report.show_table(
        shown,
        label="delong",
        caption=f"Area under the ROC curve of *{run.names[positive]}* against the rest, compared with that of "
        f"*{chosen}*, {tables.with_interval(single)[chosen]}, by DeLong's test with "
        f"{tables.units(first, run.group_name)} as units. n = {tables.counted(first, run.group_name)}.",
        index=False,
    )
    return table


def _alone(test: dict[str, pd.DataFrame]) -> bool:
    """Whether there is one model only; if so, say that there is nothing to compare."""
    if len(test) == 1:
        report.show_note("There is one model, so that there is nothing to compare it with.")
    return len(test) == 1


def _against(table: pd.DataFrame, chosen: str) -> pd.DataFrame:
    mine = pairwise.turned(table, chosen)
    return pd.DataFrame(
        {
            "model": mine["model"],
            "difference\u00a0(95\u00a0%)": _gaps(mine),
            "p": mine["p"].map(tables.p_value),
            "p, Holm": mine["p_holm"].map(tables.p_value),
            "verdict": mine["verdict"],
        }
        | _needed(mine)
    )


def _needed(table: pd.DataFrame) -> dict[str, list[str]]:
    """Column of about how many images it would take, where two models are not told apart; none if all are."""
    texts = [
        pairwise.rounded(row.images_needed) if row.verdict == pairwise.NEITHER else "" for row in table.itertuples()
    ]
    return {"images needed": texts} if any(texts) else {}


def _gaps(table: pd.DataFrame) -> list[str]:
    return [tables.signed_interval(row.difference, row.low, row.high) for row in table.itertuples()]
