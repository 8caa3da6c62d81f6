"""What is shown of one class against the rest: how well it is found, where to cut, in whom, what acting is worth."""

import numpy as np
import pandas as pd

from lesionbook import calibration, decision, operating, pairwise, report, tables
from lesionbook import subgroups as kinds
from lesionbook.figures import decision as figures
from lesionbook.figures import subgroups as subgroup_figures
from lesionbook.run import Run


def detection(run: Run, test: dict[str, pd.DataFrame], positive: str, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show how well each model finds a class at fixed error rates; give the table."""
    first = next(iter(test.values()))
    areas, _ = pairwise.areas(test, positive)
    found = {m: operating.one_against_rest(f, positive, repeats=repeats, seed=seed) for m, f in test.items()}
    table = pd.concat(found, names=["model"])
    wide = tables.with_interval(table, digits=2).unstack("score").loc[list(test)].rename_axis(columns=None)
    ranked = pd.DataFrame(
        {"AUC (DeLong)": tables.with_interval(areas, digits=2), "average precision": wide["average_precision"]}
    )
    names = {
        "sensitivity_at_95_specificity": "sensitivity at 95 % specificity",
        "specificity_at_95_sensitivity": "specificity at 95 % sensitivity",
    }
    n = int((first["label"] == positive).sum())
    report.show_table(
        ranked.loc[list(test)].rename_axis("model").reset_index(),
        label="detection",
        caption=f"*{run.names[positive]}* against the rest: {n:,} of {tables.counted(first, run.group_name)}, "
        f"95 % intervals; higher is better. Guessing has an AUC of 0.5 and an average precision of "
        f"{n / len(first):.2f}.",
        index=False,
    )
    report.show_table(
        wide[list(names)].rename(columns=names).reset_index(),
        label="fixed-rates",
        caption=f"*{run.names[positive]}* against the rest at a fixed error rate, read off the test images' own curve; "
        f"{tables.counted(first, run.group_name)}, 95 % intervals; higher is better.",
        index=False,
    )
    return table


def operating_points(
    run: Run,
    validation: dict[str, pd.DataFrame],
    test: dict[str, pd.DataFrame],
    positive: str,
    *,
    cost_of_miss: float,
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Show what thresholds chosen on the validation images give on the test images, by two rules; give the table.

    Returns
    -------
    DataFrame
        Index ``rule, model, score``; ``threshold`` and the columns of `operating.at_threshold`.
    """
    parts = {}
    for rule, cost in (("youden", None), ("cost", cost_of_miss)):
        for model, frame in test.items():
            threshold = operating.threshold(validation[model], positive, cost)
            part = operating.at_threshold(frame, positive, threshold, repeats=repeats, seed=seed)
            parts[rule, model] = part.assign(threshold=threshold)
    table = pd.concat(parts, names=["rule", "model"])
    report.show_table(
        _rates(table.loc["youden"], list(test)),
        label="youden",
        caption=f"*{run.names[positive]}* at the threshold with the largest sum of sensitivity and specificity on the "
        "validation images, applied to the test images; 95 % intervals, which count images. Where those of the class "
        f"are as rare as there, this rule takes a miss to be worth {_others_per_image(validation, positive):.1f} "
        "false alarms.",
        index=False,
    )
    report.show_table(
        _rates(table.loc["cost"], list(test)),
        label="cost",
        caption=f"The same at the threshold that is cheapest on the validation images if a miss costs as much as "
        f"{cost_of_miss:g} false alarms.",
        index=False,
    )
    return table


def subgroups(run: Run, test: pd.DataFrame, positive: str, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show the scores of one model in the subgroups that the index tells apart; give them."""
    table = kinds.scores(test, run.store().index, positive, repeats=repeats, seed=seed)
    if set(table["attribute"]) == {"all"}:
        report.show_note(
            "The data set says nothing of age, sex, body site or how a diagnosis was confirmed, so that no subgroup "
            f"can be looked at. {run.record.limits}"
        )
        return table
    name = run.names[positive]
    report.show_figure(
        subgroup_figures.scores(table, {"auc": f"AUC of {name} against the rest"}),
        label="subgroups",
        caption="Scores in subgroups of the test images with 95 % intervals; dashed: all images. Rows without a point "
        f"have too few images (balanced accuracy: fewer than {kinds.FEWEST_IMAGES}, or one class; AUC: fewer than "
        f"{kinds.FEWEST_OF_A_SIDE} of *{name}* or of the others). The balanced accuracy is the mean over the "
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
                    f"{run.group_name}s": area["n_groups"],
                    name: area["n_positive"],
                    "balanced accuracy": mean["text"],
                    "AUC": area["text"],
                }
            ),
            run.group_name,
        ),
        label="subgroups",
        caption=f"The same as numbers; the column *{name}* counts the images of that class.",
        formats={"images": "{:,}", f"{run.group_name}s": "{:,}"},
        index=False,
    )
    report.show_note(f"What else these data cannot tell: {run.record.limits}")
    return table


def net_benefit(
    run: Run,
    test: dict[str, pd.DataFrame],
    temperatures: dict[str, float],
    chosen: str,
    positive: str,
    *,
    cost_of_miss: float,
    repeats: int,
    seed: int,
) -> pd.DataFrame:
    """Show the decision curves of all models, after temperature scaling, and their net benefit at one threshold."""
    scaled = {model: calibration.scaled(frame, temperatures[model]) for model, frame in test.items()}
    curves = pd.concat(
        [decision.curve(f, positive, repeats=repeats, seed=seed).assign(model=model) for model, f in scaled.items()],
        ignore_index=True,
    )
    at = decision.threshold_of(cost_of_miss)
    first = next(iter(test.values()))
    counted = tables.counted(first, run.group_name)
    report.show_figure(
        figures.net_benefit(curves, chosen, mark=at),
        label="net-benefit",
        caption=f"Net benefit of acting on *{run.names[positive]}* by threshold; {counted}. The band is the 95 % "
        f"interval of *{chosen}*; the dashed line marks the threshold {at:.3f}, at which a miss costs as much as "
        f"{cost_of_miss:g} false alarms. “Treat” stands for whatever follows an alarm.",
        alt="Decision curves of all models with those of treating all and treating none.",
    )
    one = {
        model: decision.curve(frame, positive, thresholds=np.array([at]), repeats=repeats, seed=seed).iloc[0]
        for model, frame in scaled.items()
    }
    points = pd.DataFrame(one).T
    report.show_table(
        pd.DataFrame(
            {
                "model": points.index,
                "net benefit (95 %)": [
                    tables.signed_interval(row.net_benefit, row.low, row.high) for row in points.itertuples()
                ],
                "more than the better default (95 %)": [
                    tables.signed_interval(row.gain, row.gain_low, row.gain_high) for row in points.itertuples()
                ],
            }
        ),
        label="net-benefit",
        caption=f"Net benefit at the threshold {at:.3f} ({counted}); 0.010 is one image of the class found among 100 "
        f"without any false alarm. Treating all has {tables.signed(points['treat_all'].iloc[0])}, treating none 0, and "
        f"a perfect model {tables.signed((first['label'] == positive).mean())}. A model that misses no image of the "
        "class misses none in any resample: its interval is too narrow.",
        index=False,
    )
    return curves


def _rates(table: pd.DataFrame, models: list[str]) -> pd.DataFrame:
    texts = tables.with_interval(table, digits=2).unstack("score").loc[models]
    rows = table.reset_index().set_index(["score", "model"])
    thresholds = rows.loc["sensitivity", "threshold"].loc[models]
    missed, calm = (rows.loc[score].loc[models] for score in ("sensitivity", "specificity"))
    return pd.DataFrame(
        {
            "model": models,
            "threshold": ["never" if np.isinf(value) else f"{value:.3f}" for value in thresholds],
            "sensitivity": texts["sensitivity"].to_numpy(),
            f"missed of {missed['n_images'].iloc[0]:,}": (missed["n_images"] - missed["hits"]).to_numpy(),
            "specificity": texts["specificity"].to_numpy(),
            f"false alarms of {calm['n_images'].iloc[0]:,}": (calm["n_images"] - calm["hits"]).to_numpy(),
        }
    )


def _others_per_image(validation: dict[str, pd.DataFrame], positive: str) -> float:
    """Other images per image of the class: the cost of a miss that Youden's rule implies."""
    labels = next(iter(validation.values()))["label"]
    return (labels != positive).sum() / (labels == positive).sum()
