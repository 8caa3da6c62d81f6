"""Weights of the classes in a loss."""

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_class_weight


def class_weights(labels: pd.Series, classes: list[str], kind: str) -> dict[str, float]:
    """Weight of one image in the loss, by class.

    Parameters
    ----------
    labels : Series of N class keys
        Training labels.
    classes : list of str
        All classes; each must occur.
    kind : {"none", "square_root", "balanced"}
        ``balanced`` is N / (classes × count of the class), as in scikit-learn; ``square_root`` its square root,
        gentler with rare classes; ``none`` is 1 for all.
    """
    if kind == "none":
        return dict.fromkeys(classes, 1.0)
    balanced = compute_class_weight("balanced", classes=np.array(classes), y=labels.to_numpy(dtype=str))
    weights = np.sqrt(balanced) if kind == "square_root" else balanced
    return dict(zip(classes, weights.tolist(), strict=True))
