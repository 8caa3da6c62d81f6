import numpy as np
import pandas as pd
import pytest
from figure_checks import assert_legible, shown_texts
from made_predictions import made

from lesionbook import calibration, metrics
from lesionbook.figures import evaluation

pytestmark = pytest.mark.filterwarnings("error")
SEVEN = ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]
NAMES = {"akiec": "Actinic keratoses", "bkl": "Benign keratosis-like lesions", "tumor": "Lymph node with metastasis"}


@pytest.mark.parametrize("classes", [SEVEN, ["normal", "tumor"]])
def test_confusion_matrix(classes):
    matrix = metrics.confusion_matrix(made(n=400, classes=classes)) * 37
    figure = evaluation.confusion_matrix(matrix, NAMES)
    shares = figure.axes[0].images[0].get_array()
    assert np.allclose(shares.sum(axis=1), 1)
    assert np.allclose(np.diag(shares), np.diag(matrix) / matrix.sum(axis=1))
    found = shown_texts(figure)
    assert f"{matrix.iloc[0, 0]:,}" in found
    assert f"{shares[0, 0]:.0%}" in found
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == classes
    assert any(f"n = {matrix.iloc[-1].sum():,}" in text for text in found)
    assert_legible(figure)


def test_confusion_matrix_with_an_empty_row():
    matrix = pd.DataFrame([[3, 1], [0, 0]], index=["a", "b"], columns=["a", "b"])
    figure = evaluation.confusion_matrix(matrix)
    assert figure.axes[0].images[0].get_array().mask.tolist() == [[False, False], [True, True]]
    assert shown_texts(figure).count("–") == 2


@pytest.mark.parametrize("classes", [SEVEN, ["normal", "tumor"]])
def test_curves(classes):
    frame = made(n=400, classes=classes)
    table = metrics.per_class(frame)
    roc = evaluation.roc(metrics.roc_curves(frame), table, NAMES)
    lines = [line for line in roc.axes[0].lines if not line.get_label().startswith("_")]
    assert len(lines) == len(classes)
    for line, name in zip(lines, classes, strict=True):
        assert np.trapezoid(line.get_ydata(), line.get_xdata()) == pytest.approx(table.loc[name, "auc"])
        assert line.get_label().endswith(f": {table.loc[name, 'auc']:.3f}")
    ranked = evaluation.precision_recall(metrics.precision_recall_curves(frame), table, NAMES)
    guesses = [line.get_ydata()[0] for line in ranked.axes[0].lines if line.get_label() == "_guess"]
    assert guesses == pytest.approx((table["support"] / 400).tolist())
    for figure in (roc, ranked):
        assert_legible(figure)


def test_reliability():
    table = calibration.reliability(made(n=400))
    figure = evaluation.reliability(table)
    points = figure.axes[0].containers[0].lines[0]
    filled = table[table["n"] > 0]
    assert points.get_xdata().tolist() == filled["mean_confidence"].tolist()
    assert points.get_ydata().tolist() == filled["accuracy"].tolist()
    ends = figure.axes[0].containers[0].lines[2][0].get_segments()
    assert [end[0][1] for end in ends] == pytest.approx(filled["low"].tolist())
    assert [patch.get_height() for patch in figure.axes[1].patches] == table["n"].tolist()
    assert_legible(figure)


def test_coefficients_of_several_classes():
    frame = pd.DataFrame(np.arange(-3, 3).reshape(3, 2) / 2, index=["red", "green", "blue"], columns=["a", "b"])
    figure = evaluation.coefficients(frame, {"a": "A long name of a class"})
    image = figure.axes[0].images[0]
    assert (image.get_array() == frame.to_numpy()).all()
    assert image.get_clim() == (-1.5, 1.5)
    assert "−1.50" in shown_texts(figure)
    assert_legible(figure, turned=True)


def test_coefficients_of_one_column_keep_the_largest():
    frame = pd.DataFrame({"tumor": [0.1, -2.0, 1.0]}, index=["red", "green", "blue"])
    figure = evaluation.coefficients(frame, top=2)
    assert [patch.get_width() for patch in figure.axes[0].patches] == [-2.0, 1.0]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["green", "blue"]
    assert_legible(figure)
