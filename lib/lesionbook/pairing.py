"""Predictions paired with the labels of other images: what a confusion matrix looks like when the order was lost."""

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import chi2_contingency

STEPS = 2000  # rounds of fitting; tables of this size settle within a few hundred


def joint(actual: np.ndarray, predicted: np.ndarray, accuracy: float) -> np.ndarray:
    """Find the matrix nearest to chance that has given margins and a given accuracy.

    Starting from independence with a heavier diagonal, rows and columns are scaled in turn until both margins fit
    (iterative proportional fitting: Deming and Stephan, Annals of Mathematical Statistics 11, 1940); the weight of the
    diagonal is searched for the accuracy.

    Parameters
    ----------
    actual, predicted : ndarray of int, shape (C,)
        Images of each class, and answers of each class, with the same sum.
    accuracy : float
        Between that of chance and the greatest that the margins allow.

    Returns
    -------
    ndarray of float, shape (C, C)
        Probability of each pair of actual (row) and predicted class.

    Raises
    ------
    ValueError
        If no matrix with these margins has this accuracy.
    """
    total = actual.sum()
    most = np.minimum(actual, predicted).sum() / total
    least = float(actual @ predicted) / total**2
    if not least <= accuracy < most:
        raise ValueError(f"with these margins the accuracy lies between chance, {least:.3f}, and {most:.3f}")

    def fitted(weight: float) -> np.ndarray:
        table = 1.0 + np.exp(weight) * np.eye(len(actual))
        for _ in range(STEPS):
            before = table
            table = table * (actual / table.sum(axis=1))[:, None]
            table = table * (predicted / table.sum(axis=0))
            if np.abs(table - before).max() < 1e-10 * total:
                break
        return table / total

    weight = brentq(lambda w: np.trace(fitted(w)) - accuracy, -30.0, 30.0, xtol=1e-6)
    return fitted(weight)


def simulate(matrix: np.ndarray, accuracy: float, *, repeats: int, seed: int) -> pd.DataFrame:
    """Draw a model's answers to as many images as a matrix has, and pair them rightly and at random.

    Parameters
    ----------
    matrix : ndarray of int, shape (C, C)
        Printed matrix, actual by predicted; only its margins are used.
    accuracy : float
        Accuracy that the model is said to have.
    repeats, seed : int
        How often, and the seed.

    Returns
    -------
    DataFrame of `repeats` rows
        Numbers on the diagonal: ``in order`` (each answer beside the label of its own image) and ``shuffled``.
    """
    rng = np.random.default_rng(seed)
    classes = len(matrix)
    probability = joint(matrix.sum(axis=1), matrix.sum(axis=0), accuracy)
    cells = rng.choice(classes**2, size=(repeats, int(matrix.sum())), p=probability.ravel() / probability.sum())
    actual, predicted = np.divmod(cells, classes)
    shuffled = rng.permuted(predicted, axis=1)
    return pd.DataFrame({"in order": (actual == predicted).sum(axis=1), "shuffled": (actual == shuffled).sum(axis=1)})


def association(matrix: np.ndarray) -> tuple[float, float]:
    """Ask whether predicted classes have anything to do with actual ones.

    Classes that are never predicted are left out.

    Returns
    -------
    (float, float)
        Diagonal that chance alone would give, and the p-value of the chi-squared test of independence; with few images
        in some cells the p-value is approximate.
    """
    used = matrix[:, matrix.sum(axis=0) > 0]
    used = used[used.sum(axis=1) > 0]
    expected = float(matrix.sum(axis=1) @ matrix.sum(axis=0)) / matrix.sum()
    return expected, float(chi2_contingency(used).pvalue)
