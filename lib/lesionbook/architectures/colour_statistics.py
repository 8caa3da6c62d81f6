"""The plainest classifier: brightness and colour, and a logistic regression."""

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from lesionbook.images import Rows

CHANNELS = ("red", "green", "blue")
PERCENTILES = (10, 50, 90)
BATCH = 512  # images in memory at once


def features(rows: Rows) -> pd.DataFrame:
    """Summarize each image by five numbers per colour channel.

    Once over the whole image and once over its central half.

    Parameters
    ----------
    rows : Rows
        N images, 0 to 255.

    Returns
    -------
    DataFrame of float, N rows, 30 columns
        Mean, standard deviation and the 10th, 50th and 90th percentile of red, green
        and blue, named ``red mean``, …, ``centre red mean``, …; all on the 0-255 scale.
    """
    parts = [
        _summary(rows.images(slice(start, start + BATCH)))
        for start in range(0, len(rows), BATCH)
    ]
    return pd.concat(parts, ignore_index=True)


def classifier(*, regularization: float, class_weights: dict[str, float]) -> Pipeline:
    """Multinomial logistic regression on standardized features.

    Parameters
    ----------
    regularization : float
        Inverse strength C of the L2 penalty; smaller means smoother.
    class_weights : dict
        Weight of an image in the loss by class key.
    """
    return make_pipeline(
        StandardScaler(),
        LogisticRegression(
            C=regularization, class_weight=class_weights, max_iter=5000, tol=1e-5
        ),
    )


def probabilities(
    model: Pipeline, values: pd.DataFrame, classes: list[str]
) -> np.ndarray:
    """Predict, with columns in the order of the classes.

    Scikit-learn has them in the order of the alphabet.

    Returns
    -------
    ndarray of float, shape (N, C)
    """
    answers = pd.DataFrame(model.predict_proba(values), columns=model.classes_)
    return answers[classes].to_numpy()


def _summary(images: np.ndarray) -> pd.DataFrame:
    quarter = images.shape[1] // 4
    regions = {
        "": images,
        "centre ": images[:, quarter : -quarter or None, quarter : -quarter or None],
    }
    columns = {}
    for region, pixels in regions.items():
        flat = pixels.reshape(len(pixels), -1, 3).astype(np.float32)
        percentiles = np.percentile(flat, PERCENTILES, axis=1)
        for channel, colour in enumerate(CHANNELS):
            columns[f"{region}{colour} mean"] = flat[:, :, channel].mean(axis=1)
            columns[f"{region}{colour} standard deviation"] = flat[:, :, channel].std(
                axis=1
            )
            for position, percentile in enumerate(PERCENTILES):
                columns[f"{region}{colour} {percentile}th percentile"] = percentiles[
                    position, :, channel
                ]
    return pd.DataFrame(columns).astype(float)
