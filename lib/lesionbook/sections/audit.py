"""What the audit shows of a published study: what can be recomputed from its tables, and what does not agree."""

from typing import Any

import numpy as np
import pandas as pd

from lesionbook import audit, audit_arithmetic, pairing, report
from lesionbook.figures import audit as figures
from lesionbook.published_facts import Crosstab, Facts

YES = {True: "yes", False: "no"}
NOTHING = "The study prints nothing of this kind."


def accuracies(facts: Facts) -> pd.DataFrame:
    """Show of each stated accuracy which numbers of right answers it stands for; give what does not agree."""
    found = audit.accuracies([*facts.results, *facts.accuracies])
    if found.empty:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    shown = found.assign(stated=found["stated"].map("{:.6g}".format), possible=found["possible"].map(YES))
    report.show_table(
        shown,
        label="accuracies",
        caption="Stated accuracies, the right answers that would be printed so, and the interval that the number of "
        "images implies (Wilson; images taken as independent). All printed digits count, also those not shown. "
        "*Would fit* names other numbers of images under which it is possible.",
        formats={"images": "{:,}"},
        index=False,
    )
    impossible = found[~found["possible"]]
    follows = [f"no whole number of {row.images:,} images is printed so" for row in impossible.itertuples()]
    why = [
        f"it fits {others}" if isinstance(others, str) else "a cut or mistyped digit, or another number of images"
        for others in impossible["would fit"]
    ]
    return impossible[["figure", "stated"]].assign(follows=follows, agrees=False, why=why)


def reports(facts: Facts) -> pd.DataFrame:
    """Show what follows from each printed classification report; give what does not agree."""
    if not facts.reports:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    parts = []
    for name, printed in facts.reports.items():
        found = audit.report_rows(printed)
        parts.append(found.assign(table=f"report of {printed.model}", why="rounding does not explain it"))
        report.show_table(
            _shown(found),
            label=f"report-{name}",
            caption=f"Report of {printed.model}: F1 from precision and recall, averages from the classes, accuracy "
            "from the "
            "recalls; what follows is the range that rounding to the printed places leaves.",
            index=False,
        )
        report.show_table(
            audit.possible_classes(printed).assign(possible=lambda table: table["possible"].map(YES)),
            label=f"possible-{name}",
            caption=f"Report of {printed.model}: for how many pairs of true positives and true negatives a class has "
            "all "
            "three printed scores, counted by the library mlscorecheck. Zeros may stand for a class that was never "
            "answered.",
            formats=dict.fromkeys(audit.SCORES, "{:.2f}"),
            index=False,
        )
    return pd.concat(parts)


def crosstabs(facts: Facts, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show what follows from each printed matrix, and whether lost order explains it; give what does not agree."""
    if not facts.crosstabs:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    parts = []
    for name, crosstab in facts.crosstabs.items():
        found = audit.crosstab_rows(crosstab, facts.reports.get(name))
        why = "predictions and labels may stand in different orders (see the simulation)"
        parts.append(found.assign(table=f"matrix of {crosstab.model}", why=why))
        report.show_table(
            pd.DataFrame(crosstab.rows, index=pd.Index(crosstab.classes, name="actual"), columns=crosstab.classes),
            label=f"matrix-{name}",
            caption=f"Printed matrix of {crosstab.model}: actual classes in rows, predicted ones in columns.",
        )
        agreeing = int(found["agrees"].sum())
        report.show_note(
            f"Of {len(found)} figures that follow from this matrix, {agreeing} agree with what is printed elsewhere. "
            + " ".join(
                f"For {row.figure}, {row.stated} is stated and {row.follows} follows."
                for row in found[~found["agrees"]].itertuples()
            )
        )
        _pairing(crosstab, repeats=repeats, seed=seed)
    return pd.concat(parts)


def arithmetic(facts: Facts) -> pd.DataFrame:
    """Show what follows from counts, shares and sums, and from tables that repeat others; give what does not agree."""
    parts = {"counts, splits, weights and sizes": audit_arithmetic.deterministic_rows(facts)}
    parts |= {f"shares, {name}": audit_arithmetic.share_rows(name, one) for name, one in facts.shares.items()}
    if facts.moments:
        parts["mean and deviation of the labels"] = audit_arithmetic.moment_rows(facts)
    if facts.closing:
        parts["closing table of F1 against the reports"] = audit_arithmetic.closing_rows(facts.closing, facts.reports)
    parts = {name: part for name, part in parts.items() if len(part)}
    if not parts:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    summary = [(name, len(part), int(part["agrees"].sum())) for name, part in parts.items()]
    report.show_table(
        pd.DataFrame(summary, columns=["part", "figures", "agree"]),
        label="arithmetic",
        caption="Figures that follow from other printed figures by arithmetic alone.",
        index=False,
    )
    found = pd.concat([part.assign(table=name) for name, part in parts.items()])
    return found.assign(why="one of the two is mistyped or comes from another run")


def sweeps(facts: Facts) -> pd.DataFrame:
    """Show each printed sweep with its intervals, and how good the best of equal runs would look by chance."""
    if not facts.sweeps:
        report.show_note(NOTHING)
        return pd.DataFrame(columns=audit.COLUMNS)
    parts = []
    for name, sweep in facts.sweeps.items():
        found = audit_arithmetic.sweep_rows(sweep)
        shown = found.assign(possible=found["possible"].map(YES)) if "possible" in found else found
        report.show_table(
            shown.rename(columns={"possible": "possible (training)"}),
            label="sweep-" + name.replace(" ", "-"),
            caption=f"Sweep over {name}: accuracy, the numbers of validation images that it fits, its interval "
            "(Wilson), and "
            "whether the training accuracy is a whole number of images.",
            formats={"accuracy": "{:.4f}", "training accuracy": "{:.4f}"},
            index=False,
        )
        parts.append(audit_arithmetic.sweep_findings(name, sweep, found))
    parts.append(audit_arithmetic.sweeps_against_results(facts))
    report.show_table(
        audit_arithmetic.luck(facts),
        label="luck",
        caption="The best run of each sweep, and what the best would reach on average if all runs were equally good "
        "and "
        "differed by the chance of the validation images alone (independent images for each run; the same images for "
        "all, "
        "as here, leave chance a smaller part).",
        index=False,
    )
    return pd.concat(parts)


def findings(*parts: pd.DataFrame) -> dict[str, Any]:
    """List what does not agree, from all parts; give the numbers for ``summary.json``."""
    found = pd.concat([part for part in parts if len(part)]) if any(len(part) for part in parts) else pd.DataFrame()
    if found.empty:
        report.show_note("Nothing that is printed can be recomputed from other printed figures.")
        return {"disagree": 0, "figures": []}
    wrong = found[~found["agrees"].astype(bool)]
    if len(wrong):
        shown = wrong[["figure", "stated", "follows", "why"]].assign(stated=wrong["stated"].map("{:.6g}".format))
        report.show_table(
            shown.rename(columns={"why": "why it may be"}),
            label="findings",
            caption="What does not agree: what is stated, what follows from other figures of the same study, and why "
            "it may "
            "be. Nothing here says which of two figures is the right one.",
            index=False,
        )
    else:
        report.show_note("Everything that can be recomputed agrees with what is printed.")
    return {"disagree": len(wrong), "figures": wrong["figure"].tolist()}


def _pairing(crosstab: Crosstab, *, repeats: int, seed: int) -> None:
    matrix = np.array(crosstab.rows)
    observed, images = int(np.trace(matrix)), int(matrix.sum())
    simulated = pairing.simulate(matrix, crosstab.accuracy, repeats=repeats, seed=seed)
    expected, p_value = pairing.association(matrix)
    report.show_figure(
        figures.pairings(simulated, images=images, observed=observed, stated=crosstab.accuracy),
        label="pairing",
        caption=f"{repeats:,} simulated models that are right {crosstab.accuracy:.0%} of the time and answer each "
        "class as "
        "often as the matrix says: right answers if each answer is held against the label of its own image, and if it "
        "is "
        "held against that of an image drawn at random.",
        alt="Two histograms of right answers; the printed number lies in the middle of the shuffled one.",
    )
    low, high = simulated["shuffled"].quantile([0.025, 0.975])
    inside = "inside" if low <= observed <= high else "outside"
    report.show_note(
        f"Paired at random, such a model has {simulated['shuffled'].mean():.0f} right answers on average and between "
        f"{low:.0f} and {high:.0f} in 95 % of the simulations; the {observed} of the matrix lie {inside}. In order it "
        "has "
        f"{simulated['in order'].mean():.0f}. Chance with the margins of the matrix gives {expected:.0f}, and a "
        "chi-squared "
        f"test of independence between rows and columns gives p = {p_value:.2f}: the matrix shows no association "
        "between "
        "actual and predicted class."
        if p_value > 0.05
        else f"Rows and columns of the matrix are associated (p = {p_value:.3g})."
    )


def _shown(found: pd.DataFrame) -> pd.DataFrame:
    return found.assign(stated=found["stated"].map("{:.6g}".format), agrees=found["agrees"].map(YES))


def whose(facts: Facts) -> None:
    """Say whose figures are looked at."""
    if facts.by:
        report.show_note(f"The figures are those of {facts.by} ({facts.year}): {facts.work}.")
    else:
        report.show_note("No published study belongs to this one.")
