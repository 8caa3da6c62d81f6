"""Scores among patients of one kind, as far as the data set says of what kind a patient is."""

import numpy as np
import pandas as pd

from lesionbook import delong, operating, statistics

# Columns of the index that tell kinds of images apart, in the order of the table.
ATTRIBUTES = {"age": "age", "sex": "sex", "localization": "body site", "dx_type": "diagnosis by"}
WORDS = {"histo": "histopathology", "consensus": "expert consensus", "follow_up": "follow-up"}
WORDS |= {"confocal": "confocal microscopy"}
AGES = [0, 30, 45, 60, 75, np.inf]
BANDS = ["under 30", "30–44", "45–59", "60–74", "75 and over"]
UNKNOWN = "not recorded"
FEWEST_IMAGES, FEWEST_OF_A_SIDE = 10, 5  # below them no score


def attributes(index: pd.DataFrame) -> pd.DataFrame:
    """Say of each image to which subgroups it belongs.

    Parameters
    ----------
    index : DataFrame of N rows
        Index of the store, with whatever metadata the data set has.

    Returns
    -------
    DataFrame of N rows
        One column of text per attribute that the index has a value of (age in bands of 15 years, sex, body site, how
        the diagnosis was confirmed), "not recorded" where it is missing.
    """
    known = [column for column in ATTRIBUTES if column in index and index[column].notna().any()]
    texts = {}
    for column in known:
        values = index[column]
        if column == "age":
            values = pd.cut(pd.to_numeric(values, errors="coerce"), AGES, right=False, labels=BANDS)
        texts[ATTRIBUTES[column]] = values.astype(object).where(values.notna(), UNKNOWN).replace("unknown", UNKNOWN)
    return pd.DataFrame(texts, index=index.index).replace(WORDS)


def scores(frame: pd.DataFrame, index: pd.DataFrame, positive: str, *, repeats: int = 1000, seed: int) -> pd.DataFrame:
    """Score each subgroup of the images.

    Parameters
    ----------
    frame : DataFrame of N rows
        Prediction table of one split.
    index : DataFrame
        Index of the store; rows of other images are left out.
    positive : str
        Class whose area under the ROC curve is computed, which depends on the mix of classes less than other scores do.
    repeats, seed
        As for `statistics.bootstrap_scores`.

    Returns
    -------
    DataFrame
        ``attribute, value, score`` (balanced_accuracy, auc), ``estimate, low, high, n_images, n_groups, n_positive``,
        attribute by attribute with the commonest value first (age bands in their order), after one row per score for
        all images, with the attribute "all". Without estimate: balanced accuracy of fewer than 10 images or one
        class; area for fewer than 5 images of the class or of the others.
    """
    kinds = attributes(index.set_index("image_id").loc[frame["image_id"]].reset_index())
    rows = _scored(frame, ("all", "all images"), positive, repeats, seed)
    for attribute, values in kinds.items():
        for value in _ordered(values):
            part = frame[(values == value).to_numpy()].reset_index(drop=True)
            rows += _scored(part, (attribute, value), positive, repeats, seed)
    return pd.DataFrame(rows)


def _ordered(values: pd.Series) -> list[str]:
    """Values from the commonest to the rarest, bands in their own order, what is not recorded last."""
    counts = values.value_counts()
    found = sorted(counts.index, key=lambda value: (-counts[value], value))
    found = [band for band in BANDS if band in found] + [value for value in found if value not in BANDS]
    return [value for value in found if value != UNKNOWN] + ([UNKNOWN] if UNKNOWN in found else [])


def _scored(part: pd.DataFrame, name: tuple[str, str], positive: str, repeats: int, seed: int) -> list[dict]:
    truth, score = operating.sides(part, positive)
    sizes = {"n_images": len(part), "n_groups": part["group"].nunique(), "n_positive": int(truth.sum())}
    nothing = {"estimate": np.nan, "low": np.nan, "high": np.nan}
    found = {"balanced_accuracy": nothing, "auc": nothing}
    if len(part) >= FEWEST_IMAGES and part["label"].nunique() > 1:
        whole = statistics.bootstrap_scores(part, repeats=repeats, seed=seed)
        found["balanced_accuracy"] = whole.loc["balanced_accuracy", ["estimate", "low", "high"]].to_dict()
    if min(truth.sum(), (~truth).sum()) >= FEWEST_OF_A_SIDE:
        area = delong.areas(truth, score[None], part["group"].to_numpy())
        low, high = delong.interval(area.estimates[0], area.covariance[0, 0])
        found["auc"] = {"estimate": area.estimates[0], "low": low, "high": high}
    first = {"attribute": name[0], "value": name[1]}
    return [first | {"score": key} | values | sizes for key, values in found.items()]
