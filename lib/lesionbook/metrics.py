"""Scores, confusion matrices and curves, each from the prediction table of one split and from nothing else.

Averages over classes ("macro", balanced accuracy) run over the classes that occur among the labels; a class without an
image has no recall to average. Where a number is undefined the result is NaN, and no warning is raised.
"""

import numpy as np
import pandas as pd
from sklearn import metrics as sklearn_metrics

from lesionbook import predictions

# Prediction files hold six decimals: a stored 0.000000 stands for anything below half of the last one.
SMALLEST_PROBABILITY = 5e-7
CALIBRATION_BINS = 15


def bin_numbers(confidence: np.ndarray, bins: int) -> np.ndarray:
    """Find the number m (0 … bins-1) of the equally wide bin, m/bins < value <= (m+1)/bins, of values in 0..1."""
    return np.digitize(confidence, np.linspace(0, 1, bins + 1)[1:-1], right=True)


def per_image(frame: pd.DataFrame) -> pd.DataFrame:
    """Compute what each image contributes to the scores, in the order of the rows of `frame`.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.

    Returns
    -------
    DataFrame of N rows
        ``image_id, group, label, predicted``; ``confidence``, the largest probability (1/C..1); ``correct`` (bool);
        ``log_loss``, minus the natural logarithm of the probability of the label, with probabilities below the
        resolution of the file raised to 5e-7; ``brier``, the squared distance between the probabilities and the
        label, summed over classes (0..2; Brier, Monthly Weather Review 78, 1950).

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    values = predictions.probabilities(predictions.checked(frame))
    truth = pd.Categorical(frame["label"], categories=predictions.class_names(frame)).codes
    rows = np.arange(len(frame))
    predicted = predictions.predicted(frame)
    return frame[["image_id", "group", "label"]].assign(
        predicted=predicted,
        confidence=values.max(axis=1),
        correct=(predicted == frame["label"]).to_numpy(),
        log_loss=-np.log(np.maximum(values[rows, truth], SMALLEST_PROBABILITY)),
        brier=np.square(values - np.eye(values.shape[1])[truth]).sum(axis=1),
    )


def confusion_matrix(frame: pd.DataFrame) -> pd.DataFrame:
    """Count the images of each actual class (rows) by predicted class (columns).

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.

    Returns
    -------
    DataFrame of int, shape (C, C)
        Index named ``actual``, columns named ``predicted``, both in the order of the probability columns.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    classes = predictions.class_names(predictions.checked(frame))
    counts = sklearn_metrics.confusion_matrix(frame["label"], predictions.predicted(frame), labels=classes)
    return pd.DataFrame(counts, index=pd.Index(classes, name="actual"), columns=pd.Index(classes, name="predicted"))


def per_class(frame: pd.DataFrame) -> pd.DataFrame:
    """Precision, recall and the like of every class, each against all the others.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.

    Returns
    -------
    DataFrame of C rows
        Index ``class``; ``precision, recall, specificity, f1`` (0..1; 0 where the denominator is 0), ``support``
        (images of the class), ``auc`` (area under the ROC curve, one against rest; NaN unless the class and some
        other class occur), ``average_precision`` (NaN for a class that does not occur).

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    matrix = confusion_matrix(frame)
    precision, recall, f1, support = sklearn_metrics.precision_recall_fscore_support(
        frame["label"], predictions.predicted(frame), labels=list(matrix.index), zero_division=0
    )
    others = len(frame) - support
    false_positives = matrix.sum(axis=0).to_numpy() - np.diag(matrix)
    table = pd.DataFrame(
        {
            "precision": precision,
            "recall": recall,
            "specificity": np.divide(others - false_positives, others, out=np.zeros(len(others)), where=others > 0),
            "f1": f1,
            "support": support,
            "auc": np.nan,
            "average_precision": np.nan,
        },
        index=pd.Index(matrix.index, name="class"),
    )
    values = predictions.probabilities(frame)
    for column, name in enumerate(table.index):
        positive = (frame["label"] == name).to_numpy()
        if positive.any():
            ranked = sklearn_metrics.average_precision_score(positive, values[:, column])
            table.loc[name, "average_precision"] = ranked
            if not positive.all():
                table.loc[name, "auc"] = sklearn_metrics.roc_auc_score(positive, values[:, column])
    return table


def scores(frame: pd.DataFrame) -> pd.Series:
    """All scores of one split by name.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.

    Returns
    -------
    Series of float
        ``accuracy``; ``balanced_accuracy`` (mean recall), ``macro_f1``, ``macro_auc`` (one against rest) and
        ``macro_average_precision``, unweighted means over the classes that occur; ``weighted_f1`` (weighted by
        support); ``log_loss`` (nats) and ``brier`` (0..2) as in `per_image`; ``expected_calibration_error`` (0..1):
        the mean distance between confidence and accuracy over 15 equally wide bins of the confidence in the
        predicted class, weighted by images (Guo et al., "On calibration of modern neural networks", ICML 2017).

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    classes = per_class(frame)
    occurring = classes[classes["support"] > 0]
    images = per_image(frame)
    bins = bin_numbers(images["confidence"].to_numpy(), CALIBRATION_BINS)
    gaps = (images["confidence"] - images["correct"]).groupby(bins).sum().abs()
    return pd.Series(
        {
            "accuracy": images["correct"].mean(),
            "balanced_accuracy": occurring["recall"].mean(),
            "macro_f1": occurring["f1"].mean(),
            "weighted_f1": np.average(occurring["f1"], weights=occurring["support"]),
            "macro_auc": occurring["auc"].mean(),
            "macro_average_precision": occurring["average_precision"].mean(),
            "log_loss": images["log_loss"].mean(),
            "brier": images["brier"].mean(),
            "expected_calibration_error": gaps.sum() / len(frame),
        },
        name="score",
    )


def roc_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Receiver operating characteristic of every class against the rest, as one long table.

    Returns
    -------
    DataFrame
        ``class, false_positive_rate, true_positive_rate`` (0..1), from (0, 0) to (1, 1) for each class that occurs
        beside another one.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    values = pd.DataFrame(predictions.probabilities(predictions.checked(frame)), columns=predictions.class_names(frame))
    parts = []
    for name in predictions.present(frame) if len(predictions.present(frame)) > 1 else []:
        positive = (frame["label"] == name).to_numpy()
        false, true, _ = sklearn_metrics.roc_curve(positive, values[name])
        parts.append(pd.DataFrame({"class": name, "false_positive_rate": false, "true_positive_rate": true}))
    empty = pd.DataFrame(columns=["class", "false_positive_rate", "true_positive_rate"])
    return pd.concat(parts, ignore_index=True) if parts else empty


def precision_recall_curves(frame: pd.DataFrame) -> pd.DataFrame:
    """Precision against recall of every class that occurs, as one long table.

    Returns
    -------
    DataFrame
        ``class, recall, precision`` (0..1), recall rising from 0 to 1 within a class.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    values = pd.DataFrame(predictions.probabilities(predictions.checked(frame)), columns=predictions.class_names(frame))
    parts = []
    for name in predictions.present(frame):
        positive = (frame["label"] == name).to_numpy()
        precision, recall, _ = sklearn_metrics.precision_recall_curve(positive, values[name], drop_intermediate=True)
        parts.append(pd.DataFrame({"class": name, "recall": recall[::-1], "precision": precision[::-1]}))
    return pd.concat(parts, ignore_index=True)


def most_confident_mistakes(frame: pd.DataFrame, n: int) -> pd.DataFrame:
    """Find the `n` wrong predictions that the model was surest of.

    Returns
    -------
    DataFrame of at most `n` rows
        ``image_id, label, predicted, probability`` (of the predicted class), surest first, ties by image id.

    Raises
    ------
    LesionbookError
        If the table is empty, mixes splits or holds an unknown label.
    """
    images = per_image(frame)
    wrong = images[~images["correct"]].rename(columns={"confidence": "probability"})
    wrong = wrong.sort_values(["probability", "image_id"], ascending=[False, True])
    return wrong[["image_id", "label", "predicted", "probability"]].head(n).reset_index(drop=True)
