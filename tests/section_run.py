"""A comparison of two models on made predictions, for the tests of what sections show."""

import pandas as pd
from made_predictions import made

from lesionbook import params, run

CLASSES = ["benign", "malignant"]
DRAWING = {"repeats": 100, "seed": 4}


def two_classes(tmp_path):
    """Run of the comparison of a study with two classes."""
    return run.Run("my-images", "sample", "compare", params.load("my-images", "sample"), tmp_path)


def frames(seed=0, split="test", n=120, **given):
    """Predictions of a weak and a strong model."""
    strengths = {"weak": 0.6, "strong": 2.5}
    return {
        model: made(n=n, classes=CLASSES, seed=seed + number, strength=strength, **given).assign(split=split)
        for number, (model, strength) in enumerate(strengths.items())
    }


def by(frame, column):
    """Rows of a shown table by a column."""
    return frame.set_index(column)


def labels(frame: pd.DataFrame, positive="malignant"):
    return (frame["label"] == positive).to_numpy(dtype=int)
