"""Small prediction tables for the tests of scores, statistics and figures."""

import numpy as np
import pandas as pd

from lesionbook import predictions

CLASSES = ["akiec", "bcc", "nv"]


def made(n=240, classes=CLASSES, seed=0, strength=1.5, per_group=2, decimals=2):
    """Predictions better than chance; a group has `per_group` images of one label; rounding makes ties."""
    # Labels and groups depend on n alone, so that two models can be compared on the same images.
    groups = np.arange(n) // per_group
    labels = np.random.default_rng(n).integers(0, len(classes), size=groups.max() + 1)[groups]
    rng = np.random.default_rng(seed)
    logits = strength * np.eye(len(classes))[labels] + rng.normal(size=(n, len(classes)))
    values = np.exp(logits).round(decimals) + 0.01
    index = pd.DataFrame(
        {
            "image_id": [f"i{number:05d}" for number in range(n)],
            "group": [f"g{number:05d}" for number in groups],
            "split": "test",
            "label": np.array(classes, dtype=object)[labels],
        }
    )
    return predictions.table(index, values / values.sum(axis=1, keepdims=True), list(classes))


def certain(matrix, classes):
    """One row per image of a confusion matrix, all probability on the predicted class."""
    rows = [(a, p) for a in range(len(classes)) for p in range(len(classes)) for _ in range(matrix[a][p])]
    labels = [classes[a] for a, _ in rows]
    index = pd.DataFrame({"image_id": [f"i{k}" for k in range(len(rows))], "split": "test", "label": labels})
    values = np.eye(len(classes))[[p for _, p in rows]]
    return predictions.table(index.assign(group=index["image_id"]), values, classes)
