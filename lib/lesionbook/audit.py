"""Published tables held against themselves: what follows from the figures that a study prints, and whether it agrees.

Printed figures are rounded, so each stands for an interval, and a recomputed figure agrees if both intervals meet. What
does not agree is listed without a judgement: a slip in typing and a slip in computing look alike from outside.
"""

import logging
import math
from collections.abc import Iterable
from decimal import Decimal

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from lesionbook import statistics
from lesionbook.published_facts import Accuracy, Crosstab, Report, Result

SINGLE = 2.0**-24  # relative rounding of single precision, in which deep-learning libraries print accuracies
SCORES = ("precision", "recall", "F1")
AVERAGES = {"macro": "unweighted mean", "weighted": "weighted mean"}
COLUMNS = ["figure", "stated", "follows", "agrees"]


def half_unit(value: float, decimals: int | None = None) -> float:
    """Half a unit of the last printed place; never less than single precision resolves."""
    places = decimals if decimals is not None else -int(Decimal(str(value)).as_tuple().exponent)
    return max(0.5 * 10.0**-places, SINGLE * abs(value))


def counts(value: float, images: int, decimals: int | None = None) -> range:
    """Numbers of right answers out of `images` that would be printed as `value`; empty where there is none."""
    half = half_unit(value, decimals)
    low, high = math.ceil((value - half) * images - 1e-9), math.floor((value + half) * images + 1e-9)
    return range(max(low, 0), min(high, images) + 1)


def cut(value: float, images: int, decimals: int | None = None) -> range:
    """Numbers of right answers that would be printed as `value` if further places were cut off, not rounded."""
    unit = 2 * half_unit(value, decimals)
    low, high = math.ceil(value * images - 1e-9), math.ceil((value + unit) * images - 1e-9) - 1
    return range(max(low, 0), min(high, images) + 1)


def rests_on(one: Result | Accuracy) -> int:
    """Images that an accuracy rests on: of those named, the first number that it fits; else the one stated."""
    return next((n for n in (one.images, *one.or_images) if counts(one.value, n, one.decimals)), one.images)


def figure(one: Result | Accuracy) -> str:
    """Name a stated score as tables have it."""
    return one.what if isinstance(one, Accuracy) else f"{one.model}, {one.source}"


def are_accuracies(stated: Iterable[Result | Accuracy]) -> list[Result | Accuracy]:
    """Leave out scores that are no accuracies."""
    return [one for one in stated if getattr(one, "score", "accuracy") == "accuracy"]


def accuracies(stated: Iterable[Result | Accuracy]) -> pd.DataFrame:
    """Say of each stated accuracy whether it is a whole number of images, and what its interval is.

    Returns
    -------
    DataFrame
        ``figure, stated, images, right answers`` (``761``, ``none``, or the range that the printed places leave),
        ``95 % interval`` (Wilson, at the number of images that fits; images taken as independent), ``possible`` and
        ``would fit`` (other numbers of images named in the study file, or the same cut instead of rounded).
    """
    rows = []
    for one in are_accuracies(stated):
        found, images = counts(one.value, one.images, one.decimals), rests_on(one)
        ends = statistics.wilson(round(one.value * images), images)
        others = [f"{n:,}" for n in one.or_images if counts(one.value, n, one.decimals)]
        fits = "; ".join(others) + f" ({one.or_because})" * bool(others and one.or_because)
        if not found and not others and (right := cut(one.value, one.images, one.decimals)):
            fits = f"{span(right)} of {one.images:,} (cut, not rounded)"
        wilson = f"{ends.low:.3f}–{ends.high:.3f}"
        rows.append((figure(one), one.value, one.images, span(found), wilson, bool(found), fits or None))
    columns = ["figure", "stated", "images", "right answers", "95 % interval", "possible", "would fit"]
    return pd.DataFrame(rows, columns=columns)


def stated_rows(report: Report, stated: Iterable[Result | Accuracy]) -> pd.DataFrame:
    """Hold the accuracy of a report against those stated elsewhere for the same model and as many images.

    A report's model is named as the results name it, before a comma: ``figure, stated, follows, agrees``.
    """
    half, follows = 0.5 * 10.0**-report.decimals, f"{report.accuracy:.{report.decimals}f} in the report"
    same = [
        one
        for one in are_accuracies(stated)
        if figure(one).startswith(report.model.split(",")[0] + ",") and one.images == report.images
    ]
    ends = report.accuracy - half, report.accuracy + half
    rows = [
        (figure(one), one.value, follows, meet(one.value, half_unit(one.value, one.decimals), *ends)) for one in same
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def report_rows(report: Report) -> pd.DataFrame:
    """Hold F1, averages, accuracy and supports of a printed classification report against each other.

    Returns
    -------
    DataFrame
        ``figure, stated, follows`` (an interval), ``agrees``.
    """
    half = 0.5 * 10.0**-report.decimals
    rows: list[tuple[str, float, str, bool]] = []
    for name, (precision, recall, f1, _) in report.classes.items():
        low, high = (_f1(max(precision + s * half, 0), max(recall + s * half, 0)) for s in (-1, 1))
        rows.append((f"F1 of {name}", f1, interval(low, high, report.decimals), meet(f1, half, low, high)))
    values = np.array([one[:3] for one in report.classes.values()])
    support = np.array([one[3] for one in report.classes.values()])
    rows.append(("images", report.images, str(support.sum()), report.images == int(support.sum())))
    for kind, weights in (("macro", np.ones(len(support))), ("weighted", support)):
        for place, score in enumerate(SCORES):
            mean = float(np.average(values[:, place], weights=weights))
            stated = getattr(report, kind)[place]
            follows = interval(mean - half, mean + half, report.decimals)
            rows.append((f"{AVERAGES[kind]} of {score}", stated, follows, meet(stated, half, mean - half, mean + half)))
    # Each class has a whole number of right answers, which its printed recall leaves some room.
    ranges = [counts(recall, int(n), report.decimals) for (_, recall, _), n in zip(values, support, strict=True)]
    low, high = (sum(int(pick(found)) for found in ranges if found) / report.images for pick in (min, max))
    follows = interval(low, high, report.decimals)
    rows.append(("accuracy, from recalls", report.accuracy, follows, meet(report.accuracy, half, low, high)))
    return pd.DataFrame(rows, columns=COLUMNS)


def possible_classes(report: Report) -> pd.DataFrame:
    """Ask `mlscorecheck` for how many pairs of right and wrong answers a class has the three printed scores.

    The library tries every number of true positives and true negatives (Fazekas and Kovács, "Testing the consistency of
    performance scores reported for binary classification problems", arXiv:2310.12527, 2023).

    Returns
    -------
    DataFrame
        ``class, images, precision, recall, F1, pairs`` (how many fit), ``possible``.
    """
    from mlscorecheck.check.binary import check_1_testset_no_kfold  # takes seconds to import

    logging.getLogger("mlscorecheck").setLevel(logging.WARNING)
    rows = []
    for name, (precision, recall, f1, support) in report.classes.items():
        found = check_1_testset_no_kfold(
            testset={"p": support, "n": report.images - support},
            scores={"ppv": precision, "sens": recall, "f1": f1},
            eps=0.5 * 10.0**-report.decimals,
        )
        pairs = int(found.get("n_valid_tptn_pairs") or 0)
        # No answer of a class has no precision; reports print it as zero, which the library does not count.
        silent = precision == recall == f1 == 0.0
        rows.append((name, support, precision, recall, f1, pairs, not found["inconsistency"] or silent))
    return pd.DataFrame(rows, columns=["class", "images", *SCORES, "pairs", "possible"])


def crosstab_scores(crosstab: Crosstab) -> tuple[float, pd.DataFrame]:
    """Accuracy and per-class scores of a printed matrix.

    Returns
    -------
    float
        Share of the diagonal.
    DataFrame
        Index: classes; ``precision, recall, F1`` (0 where undefined), ``images``.
    """
    matrix = np.array(crosstab.rows)
    actual, predicted = pairs(matrix)
    scores = precision_recall_fscore_support(actual, predicted, labels=range(len(matrix)), zero_division=0)
    table = pd.DataFrame(
        np.transpose(scores), index=pd.Index(crosstab.classes, name="class"), columns=[*SCORES, "images"]
    )
    return float(np.trace(matrix) / matrix.sum()), table.astype({"images": int})


def crosstab_rows(crosstab: Crosstab, report: Report | None, stated: Iterable[Result | Accuracy] = ()) -> pd.DataFrame:
    """Hold a printed matrix against the accuracy in the text and against the report of the same model.

    Parameters
    ----------
    crosstab : Crosstab
    report : Report or None
        Of the same model on the same images.
    stated : iterable of Result or Accuracy
        Where the accuracy in the text is among them, the images that it is stated for are held against the matrix.

    Returns
    -------
    DataFrame
        ``figure, stated, follows, agrees``.
    """
    accuracy, table = crosstab_scores(crosstab)
    right, images = int(np.trace(np.array(crosstab.rows))), int(table["images"].sum())
    half = half_unit(crosstab.accuracy)
    name, follows = f"accuracy, matrix of {crosstab.model}", f"{right}/{images} = {accuracy:.4f}"
    rows = [(name, crosstab.accuracy, follows, meet(crosstab.accuracy, half, accuracy, accuracy))]
    for one in stated:
        if figure(one).startswith(f"{crosstab.model},") and one.value == crosstab.accuracy:
            name = f"images behind {figure(one)} ({one.value:g})"
            rows.append((name, one.images, f"{images} in the matrix", one.images == images))
    if report is not None:
        rows.append(("images", report.images, str(images), report.images == images))
        half = 0.5 * 10.0**-report.decimals
        agrees = meet(report.accuracy, half, accuracy, accuracy)
        rows.append(("accuracy in the report", report.accuracy, f"{accuracy:.4f}", agrees))
        for name, row in table.iterrows():
            printed = report.classes[str(name)]
            for value, score in zip(printed, SCORES, strict=False):
                agrees = meet(value, half, row[score], row[score])
                rows.append((f"{score} of {name}", value, f"{row[score]:.3f}", agrees))
            rows.append((f"images of {name}", printed[3], str(int(row["images"])), printed[3] == row["images"]))
    return pd.DataFrame(rows, columns=COLUMNS)


def pairs(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Actual and predicted class of every image of a matrix, int of shape (N,) each."""
    actual, predicted = np.indices(matrix.shape)
    return np.repeat(actual.ravel(), matrix.ravel()), np.repeat(predicted.ravel(), matrix.ravel())


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def meet(stated: float, half: float, low: float, high: float) -> bool:
    """Whether a figure printed to ± `half` and one that follows as `low` to `high` can be the same."""
    return bool(low - half - 1e-9 <= stated <= high + half + 1e-9)


def interval(low: float, high: float, decimals: int) -> str:
    """Write what follows, with one more place than was printed."""
    ends = f"{low:.{decimals + 1}f}", f"{high:.{decimals + 1}f}"
    return ends[0] if ends[0] == ends[1] else "–".join(ends)


def span(found: range) -> str:
    """Write numbers of images: ``none``, ``761``, ``841–850``."""
    if not found:
        return "none"
    return f"{found[0]:,}" if len(found) == 1 else f"{found[0]:,}–{found[-1]:,}"
