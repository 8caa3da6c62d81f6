"""What is shown of a model's answers to the test images, whatever the model is."""

import pandas as pd

from lesionbook import calibration as calibrated
from lesionbook import classwise, metrics, report, statistics, tables
from lesionbook.figures import evaluation as figures
from lesionbook.figures import images as pictures
from lesionbook.images import Store
from lesionbook.run import Run


def scores(run: Run, test: pd.DataFrame, *, repeats: int, seed: int) -> pd.DataFrame:
    """Show scores with intervals, the confusion matrix, and the scores of each class; give the first of these."""
    scored = statistics.bootstrap_scores(test, repeats=repeats, seed=seed)
    report.show_table(
        tables.scores(scored),
        label="scores",
        caption=f"Scores on {tables.counted(test, run.group_name)} of the test side, with 95 % intervals.",
        index=False,
    )
    report.show_figure(
        figures.confusion_matrix(metrics.confusion_matrix(test), names=run.names),
        label="confusion",
        caption="Confusion matrix of the test images: number of images, and share of the actual class (row).",
        alt="Matrix of actual against predicted class with counts and row shares.",
    )
    recalls = classwise.intervals(test, repeats=repeats, seed=seed)
    report.show_table(
        tables.per_class(metrics.per_class(test), recalls, run.names, run.group_name),
        label="per-class",
        caption="Each class against all others, with 95 % intervals. Precision is the share of the answers that are "
        "right (0.00 also where none was given), recall the share of the class that is found, F1 their harmonic mean. "
        "Few images: read with care.",
        index=False,
    )
    return scored


def thresholds(run: Run, test: pd.DataFrame) -> None:
    """Draw what every threshold would give: ROC and precision-recall curves."""
    classwise = metrics.per_class(test)
    report.show_figure(
        figures.roc(metrics.roc_curves(test), classwise, names=run.names),
        label="roc",
        caption="Receiver operating characteristic of each class against the rest; the diagonal is chance.",
        alt="ROC curves, one per class, with areas under the curve.",
    )
    report.show_figure(
        figures.precision_recall(metrics.precision_recall_curves(test), classwise, names=run.names),
        label="precision-recall",
        caption="Precision against recall of each class.",
        alt="Precision-recall curves, one per class, with average precisions.",
    )


def calibration(test: pd.DataFrame) -> None:
    """Draw how often an answer is right, by how sure the model was of it."""
    report.show_figure(
        figures.reliability(calibrated.reliability(test)),
        label="reliability",
        caption="Accuracy against confidence of the predicted class, above the number of images. The 95 % intervals "
        "(Wilson) take images as independent, and are a little too narrow where images belong together.",
        alt="Reliability diagram with a histogram of confidences.",
    )


def mistakes(test: pd.DataFrame, store: Store, *, count: int) -> None:
    """Show the test images on which the model was sure and wrong, one of each group."""
    wrong = metrics.most_confident_mistakes(test, len(test)).merge(test[["image_id", "group"]], on="image_id")
    wrong = wrong.drop_duplicates("group").head(count)
    if wrong.empty:
        report.show_note("The model made no mistake on the test images.")
        return
    report.show_figure(
        pictures.grid(
            store.rows("test").of(wrong["image_id"]),
            titles=[f"{row.label} taken for {row.predicted}\nat {row.probability:.0%}" for row in wrong.itertuples()],
            columns=4,
        ),
        label="mistakes",
        caption="Test images on which the model was most confidently wrong, one per group, as the model sees them.",
        alt="Grid of misclassified test images with actual and predicted class.",
    )
