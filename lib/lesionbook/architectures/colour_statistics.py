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


def brightness(rows: Rows) -> pd.DataFrame:
    """Take the mean over all pixels and the three colours of each image.

    Parameters
    ----------
    rows : Rows
        N images, 0 to 255.

    Returns
    -------
    DataFrame of float, N rows
        One column, ``brightness``, 0 to 255.
    """
    parts = [
        rows.images(slice(start, start + BATCH)).mean(axis=(1, 2, 3))
        for start in range(0, len(rows), BATCH)
    ]
    return pd.DataFrame({"brightness": np.concatenate(parts)})


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


def lines(model: Pipeline, classes: list[str]) -> pd.DataFrame:
    """Give the numbers of a model of one feature, on the scale of the feature itself.

    The standardization is multiplied out: it adds no freedom to the model.

    Parameters
    ----------
    model : Pipeline
        A trained `classifier` of one feature.
    classes : list of str
        The C classes in their order.

    Returns
    -------
    DataFrame of float
        Index ``class``; ``coefficient`` (per unit of the feature) and ``intercept`` of
        the line whose softmax gives the probabilities. Of two classes only the second
        has one, its log-odds against the first.
    """
    scaler, regression = model[0], model[-1]
    slopes = regression.coef_[:, 0] / scaler.scale_[0]
    heights = regression.intercept_ - slopes * scaler.mean_[0]
    answered = pd.Index(model.classes_[-len(slopes) :], name="class")
    found = pd.DataFrame({"coefficient": slopes, "intercept": heights}, index=answered)
    if len(classes) > 2:
        return found.loc[classes]
    # Of two classes scikit-learn takes the second of the alphabet.
    second = pd.Index(classes[1:], name="class")
    return found if answered.equals(second) else (-found).set_axis(second)


def intervals(
    numbers: pd.DataFrame, classes: list[str], *, low: float = 0, high: float = 255
) -> pd.DataFrame:
    """Find for which values of its feature a model gives each class as its answer.

    The largest of several lines is a chain of segments that bends upwards only, so
    that no class is the answer on two intervals.

    Parameters
    ----------
    numbers : DataFrame
        As `lines` gives it.
    classes : list of str
        The C classes in their order.
    low, high : float
        Least and greatest value of the feature.

    Returns
    -------
    DataFrame of at most C rows
        ``class``, ``low``, ``high``, by increasing value; classes that are never the
        most probable have no row.
    """
    every = numbers.reindex(classes, fill_value=0.0)  # of two, the first scores 0
    slopes, heights = every["coefficient"].to_numpy(), every["intercept"].to_numpy()
    one, other = np.triu_indices(len(classes), k=1)
    differ = slopes[one] != slopes[other]
    one, other = one[differ], other[differ]
    meet = (heights[other] - heights[one]) / (slopes[one] - slopes[other])
    ends = np.unique([low, *meet[(meet > low) & (meet < high)], high])
    middles = (ends[:-1] + ends[1:]) / 2
    winners = (np.outer(middles, slopes) + heights).argmax(axis=1)
    pieces = pd.DataFrame(
        {"class": np.array(classes)[winners], "low": ends[:-1], "high": ends[1:]}
    )
    return pieces.groupby("class", sort=False, as_index=False).agg(
        {"low": "min", "high": "max"}
    )


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
