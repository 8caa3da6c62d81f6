"""What the audit shows of a published study: what can be recomputed from its tables, and what does not agree."""

from typing import Any

import numpy as np
import pandas as pd

from lesionbook import audit, audit_arithmetic, audit_sweeps, pairing, report, tables
from lesionbook.figures import audit as figures
from lesionbook.published_facts import Crosstab, Facts

YES = {True: "yes", False: "no"}
NOTHING = "The study prints nothing of this kind."


def accuracies(facts: Facts) -> pd.DataFrame:
    """Show of each stated accuracy which numbers of right answers it stands for; give what was checked."""
    found = audit.accuracies([*facts.results, *facts.accuracies])
    if found.empty:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    shown = found.assign(stated=found["stated"].map("{:.6g}".format), possible=found["possible"].map(YES))
    report.show_table(
        shown.dropna(axis="columns", how="all"),
        label="accuracies",
        caption="Stated accuracies, the right answers that would be printed so, and the interval that the number of "
        "images implies (Wilson; images taken as independent; at the number that fits, where another one does). All "
        "printed digits count, also those not shown."
        + (" *Would fit* names what else could be meant." if found["would fit"].notna().any() else ""),
        formats={"images": "{:,}"},
        index=False,
    )
    follows = [
        f"{right} right answers" if right != "none" else f"no whole number of {images:,} images is printed so"
        for right, images in zip(found["right answers"], found["images"], strict=True)
    ]
    why = [
        f"it fits {others}" if isinstance(others, str) else "a mistyped digit, or another number of images"
        for others in found["would fit"]
    ]
    return found[["figure", "stated"]].assign(follows=follows, agrees=found["possible"], why=why)


def reports(facts: Facts) -> pd.DataFrame:
    """Show what follows from each printed classification report; give what was checked."""
    if not facts.reports:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    parts = []
    for name, printed in facts.reports.items():
        found, classes = audit.report_rows(printed), audit.possible_classes(printed)
        stated = audit.stated_rows(printed, [*facts.results, *facts.accuracies])
        report.show_table(
            _shown(found),
            label=f"report-{name}",
            caption=f"Report of {printed.model}: F1 from precision and recall, averages from the classes, accuracy "
            "from the recalls; what follows is the range that rounding to the printed places leaves.",
            index=False,
        )
        report.show_table(
            classes.assign(possible=classes["possible"].map(YES)),
            label=f"possible-{name}",
            caption=f"Report of {printed.model}: for how many pairs of true positives and true negatives a class has "
            "all three printed scores, counted by the library mlscorecheck. Zeros may stand for a class that was never "
            "answered.",
            formats=dict.fromkeys(audit.SCORES, "{:.2f}"),
            index=False,
        )
        others = "; ".join(f"{row.figure}: {row.stated:.6g}" for row in stated.itertuples())
        count, places = len(printed.classes), printed.decimals
        report.show_note(
            f"The unweighted mean of recall, also called balanced accuracy, is {printed.macro[1]:.{places}f}. Answers "
            f"that have nothing to do with the images have 1/{count} = {1 / count:.{places}f} on average, however "
            f"often each class is answered. The accuracy of this report is {printed.accuracy:.{places}f}."
            + f" Stated for this model and as many images: {others}."
            * bool(others)
        )
        scores = pd.DataFrame(
            {
                "figure": "precision, recall and F1 of " + classes["class"],
                "stated": classes["F1"],
                "follows": classes["pairs"].map("{:,} pairs of true positives and true negatives".format),
                "agrees": classes["possible"],
            }
        )
        parts += [found.assign(why="rounding does not explain it"), scores.assign(why="no numbers of answers give all")]
        parts.append(stated.assign(why="the report may pair predictions with other labels, or be of another run"))
    return pd.concat(parts)


def crosstabs(facts: Facts, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show what follows from each printed matrix, and whether lost order explains it; give what was checked."""
    if not facts.crosstabs:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    parts = []
    for name, crosstab in facts.crosstabs.items():
        found = audit.crosstab_rows(crosstab, facts.reports.get(name), [*facts.results, *facts.accuracies])
        order = "predictions and labels may stand in different orders (see the simulation)"
        side = "matrix and accuracy may be of different sides of the split"
        parts.append(found.assign(why=np.where(found["figure"].str.startswith("images behind"), side, order)))
        report.show_table(
            pd.DataFrame(crosstab.rows, index=pd.Index(crosstab.classes, name="actual"), columns=crosstab.classes),
            label=f"matrix-{name}",
            caption=f"Printed matrix of {crosstab.model}: actual classes in rows, predicted ones in columns.",
        )
        wrong = found[~found["agrees"]]
        others = "; ".join(f"{row.figure}: {row.stated:,g} stated, {row.follows}" for row in wrong.itertuples())
        report.show_note(
            f"Of {len(found)} figures that follow from this matrix, {len(found) - len(wrong)} agree with what is "
            "printed elsewhere." + f" The others: {others}." * bool(others)
        )
        _pairing(crosstab, repeats=repeats, seed=seed)
    return pd.concat(parts)


def arithmetic(facts: Facts) -> pd.DataFrame:
    """Show what follows from counts, shares and sums, and from tables that repeat others; give what was checked."""
    parts = {"counts, splits, weights and sizes": audit_arithmetic.deterministic_rows(facts)}
    parts |= {f"shares, {name}": audit_arithmetic.share_rows(name, one) for name, one in facts.shares.items()}
    if facts.moments:
        parts["mean and deviation of the labels"] = audit_arithmetic.moment_rows(facts)
    if facts.closing:
        parts["closing table of F1 against the reports"] = audit_arithmetic.closing_rows(facts.closing, facts.reports)
    parts["images of the reports, side by side with the split"] = audit_arithmetic.side_rows(facts)
    parts["other sums and products"] = audit_arithmetic.identity_rows(facts)
    parts = {name: part for name, part in parts.items() if len(part)}
    if not parts:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    summary = [(name, len(part), int(part["agrees"].sum())) for name, part in parts.items()]
    report.show_table(
        pd.DataFrame(summary, columns=["part", "figures", "agree"]),
        label="arithmetic",
        caption="Figures that follow from other printed figures by arithmetic, or that stand in several places.",
        index=False,
    )
    usual = "one of the two is mistyped or comes from another run"
    return pd.concat([part if "why" in part else part.assign(why=usual) for part in parts.values()])


def sweeps(facts: Facts) -> pd.DataFrame:
    """Show each printed sweep with its intervals, and how good the best of equal runs would look by chance."""
    if not facts.sweeps:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    parts = []
    for name, sweep in facts.sweeps.items():
        found = audit_sweeps.sweep_rows(sweep)
        shown, trained = found, ""
        if "possible" in found:
            shown = found.assign(possible=found["possible"].map(YES)).rename(
                columns={"possible": "possible (training)"}
            )
            trained = ", and whether the training accuracy is a whole number of the training images"
            if found["training images"].nunique() == 1:
                trained += f" ({shown.pop('training images').iloc[0]:,})"
        report.show_table(
            shown,
            label="sweep-" + name.replace(" ", "-"),
            caption=f"Sweep over {name}: accuracy, the numbers of validation images that it fits, its interval "
            f"(Wilson){trained}.",
            formats={"accuracy": "{:.4f}", "training accuracy": "{:.4f}", "training images": "{:,}"},
            index=False,
        )
        parts.append(audit_sweeps.sweep_findings(name, sweep, found))
    parts.append(audit_sweeps.sweeps_against_results(facts))
    report.show_table(
        audit_sweeps.luck(facts).assign(p=lambda table: table["p"].map(tables.p_value)),
        label="luck",
        caption="The best run of each sweep, and what the best would reach on average if all runs were equally good "
        "and differed by the chance of the validation images alone; p tests that they are equally good (chi-squared). "
        "Both take the images of each run as independent; where all runs share their images, as here, chance has a "
        "smaller part and p is rather too large.",
        index=False,
    )
    return pd.concat(parts)


def findings(*parts: pd.DataFrame) -> dict[str, Any]:
    """List what does not agree, from all parts; give the numbers for ``summary.json``."""
    found = pd.concat([part for part in parts if len(part)]) if any(len(part) for part in parts) else pd.DataFrame()
    if found.empty:
        report.show_note("Nothing that is printed can be recomputed from other printed figures.")
        return {"checked": 0, "disagree": 0, "figures": []}
    wrong = found[~found["agrees"].astype(bool)]
    checked = f"Held against others that determine or repeat them: {tables.number(len(found), 'figure')}; "
    report.show_note(
        checked
        + (f"{len(wrong)} of them {'does' if len(wrong) == 1 else 'do'} not agree." if len(wrong) else "all agree.")
    )
    if len(wrong):
        shown = wrong[["figure", "stated", "follows", "why"]].assign(stated=wrong["stated"].map("{:.6g}".format))
        report.show_table(
            shown.rename(columns={"why": "why it may be"}),
            label="findings",
            caption="What does not agree: what is stated, what follows from other figures of the same study, and why "
            "it may be. Nothing here says which of two figures is the right one, and one cause may show in several "
            "rows.",
            index=False,
        )
    return {"checked": len(found), "disagree": len(wrong), "figures": wrong["figure"].tolist()}


def _pairing(crosstab: Crosstab, *, repeats: int, seed: int) -> None:
    matrix = np.array(crosstab.rows)
    observed, images = int(np.trace(matrix)), int(matrix.sum())
    simulated = pairing.simulate(matrix, crosstab.accuracy, repeats=repeats, seed=seed)
    expected, p_value = pairing.association(matrix)
    report.show_figure(
        figures.pairings(simulated, images=images, observed=observed, stated=crosstab.accuracy),
        label="pairing",
        caption=f"{repeats:,} simulated models that are right {100 * crosstab.accuracy:.0f} % of the time and answer "
        "each class as often as the matrix says: right answers if each answer is held against the label of its own "
        "image, and if it is held against that of an image drawn at random.",
        alt="Two histograms of right answers and the printed number: if answers meet the labels of their own images, "
        "and if they meet those of images drawn at random.",
    )
    low, high = simulated["shuffled"].quantile([0.025, 0.975])
    inside = "inside" if low <= observed <= high else "outside"
    report.show_note(
        f"Paired at random, such a model has {simulated['shuffled'].mean():.0f} right answers on average and between "
        f"{low:.0f} and {high:.0f} in 95 % of the simulations; the {observed} of the matrix lie {inside}. In order it "
        f"has {simulated['in order'].mean():.0f}. Chance with the margins of the matrix gives {expected:.0f}. A "
        f"chi-squared test of independence between rows and columns gives p = {p_value:.2g} (approximate where cells "
        "hold few images): "
        + (
            "the matrix gives no sign that predicted and actual classes have to do with each other."
            if p_value > 0.05
            else "predicted and actual classes have to do with each other."
        )
    )


def _shown(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(stated=found["stated"].map("{:.6g}".format), agrees=found["agrees"].map(YES))


def whose(facts: Facts) -> None:
    """Say whose figures are looked at."""
    if facts.by:
        report.show_note(f"The figures are those of {facts.by} ({facts.year}): {facts.work}.")
    else:
        report.show_note("No published study belongs to this one.")
