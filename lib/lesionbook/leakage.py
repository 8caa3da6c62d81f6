"""What a split by image is worth: the same models where photographs of one lesion may stand on both sides, and not.

A model may then recognize a lesion instead of its kind. Nothing here chooses anything by test images.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pandas as pd
from scipy import stats
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lesionbook import splits
from lesionbook.images import Rows

CLEAN, LEAKY = "by group", "by image"
NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "accuracy_several": "accuracy, images with siblings in the data",
    "accuracy_alone": "accuracy, images that stand alone",
}
SCORES = list(NAMES)
TREES = 100


def thumbnails(rows: Rows, side: int = 12) -> np.ndarray:
    """Shrink each image to a few pixels, which is all that a neighbour is looked for by.

    Returns
    -------
    ndarray of float32, shape (N, side × side × 3)
        0 to 255.
    """
    small = [
        cv2.resize(rows.images(slice(at, at + 1))[0], (side, side), interpolation=cv2.INTER_AREA)
        for at in range(len(rows))
    ]
    return np.stack(small).reshape(len(rows), -1).astype(np.float32)


def learners(threads: int = 1) -> dict[str, tuple[str, Callable[[int], ClassifierMixin]]]:
    """Models from one that cannot remember an image to one that does nothing else, each with the input it takes."""
    return {
        "logistic regression": ("colours", lambda seed: make_pipeline(StandardScaler(), _regression(seed))),
        "random forest": ("both", lambda seed: ExtraTreesClassifier(TREES, random_state=seed, n_jobs=threads)),
        "nearest neighbour": ("thumbnails", lambda seed: KNeighborsClassifier(1, n_jobs=threads)),
    }


def inputs(colours: pd.DataFrame, small: np.ndarray) -> dict[str, np.ndarray]:
    """What the models of `learners` are given, by its name; colours are brought to the scale of the thumbnails."""
    return {"colours": colours.to_numpy(), "thumbnails": small, "both": np.hstack([colours.to_numpy(), small])}


def by_image(sides: np.ndarray, labels: pd.Series, *, seed: int) -> np.ndarray:
    """Deal the sides of a split out again by image, each class with as many images on each side as before.

    Parameters
    ----------
    sides : ndarray of str, shape (N,)
        ``train``, ``val`` or ``test``.
    labels : Series of N class keys
    seed : int

    Returns
    -------
    ndarray of str, shape (N,)
    """
    rng = np.random.default_rng(seed)
    dealt = np.array(sides, dtype=object)
    for members in pd.Series(labels.to_numpy()).groupby(labels.to_numpy()).indices.values():
        dealt[members] = dealt[rng.permutation(members)]
    return dealt


def compare_splits(
    index: pd.DataFrame,
    given: dict[str, np.ndarray],
    *,
    fractions: tuple[float, float, float],
    repetitions: int,
    seed: int,
    threads: int = 1,
    progress: Callable[[int, int], Any] = lambda done, total: None,
) -> pd.DataFrame:
    """Train and test every model under both kinds of split, again and again with other seeds.

    Parameters
    ----------
    index : DataFrame of N rows
        ``label`` and ``group``.
    given : dict of ndarray
        As `inputs` makes them, rows as in `index`.
    fractions : (float, float, float)
        Shares of train, validation and test. Validation images are left aside: nothing is chosen here.
    repetitions, seed : int
        Splits are drawn with the seeds `seed`, `seed` + 1, ….
    threads : int
        Threads of the models that can use several.
    progress : callable
        Told how many of how many trainings are done.

    Returns
    -------
    DataFrame
        ``repetition, split`` (by group, by image), ``model``, ``siblings`` (share of the test images that have another
        photograph of their group in training), ``accuracy, balanced_accuracy`` and the accuracy of test images whose
        group has one image (``accuracy_alone``) or more (``accuracy_several``; NaN without any).
    """
    labels, groups = index["label"], pd.factorize(index["group"])[0]
    several = np.bincount(groups)[groups] > 1
    models, rows = learners(threads), []
    total = repetitions * 2 * len(models)
    for repetition in range(repetitions):
        clean = splits.by_group(labels, groups, fractions, seed=seed + repetition)
        for split, sides in ((CLEAN, clean), (LEAKY, by_image(clean, labels, seed=seed + repetition))):
            train, test = np.flatnonzero(sides == "train"), np.flatnonzero(sides == "test")
            siblings = np.isin(groups[test], groups[train]).mean()
            for name, (taken, make) in models.items():
                model = make(seed + repetition).fit(given[taken][train], labels.iloc[train])
                scored = _scores(labels.iloc[test].to_numpy(), model.predict(given[taken][test]), several[test])
                rows.append({"repetition": repetition, "split": split, "model": name, "siblings": siblings, **scored})
                progress(len(rows), total)
    return pd.DataFrame(rows)


def differences(results: pd.DataFrame, *, ratio: float, confidence: float = 0.95) -> pd.DataFrame:
    """Score by image minus score by group, repetition by repetition, with the interval of its mean.

    Parameters
    ----------
    results : DataFrame
        As `compare_splits` returns it.
    ratio : float
        Test images for each training image; see `interval`.

    Returns
    -------
    DataFrame
        ``model, score, by group, by image`` (means), ``difference, low, high``.
    """
    rows = []
    for model, part in results.groupby("model", sort=False):
        wide = part.set_index(["repetition", "split"])[SCORES].unstack("split")
        for score in SCORES:
            clean, leaky = wide[score, CLEAN], wide[score, LEAKY]
            estimate, low, high = interval((leaky - clean).to_numpy(), ratio=ratio, confidence=confidence)
            rows.append((model, score, clean.mean(), leaky.mean(), estimate, low, high))
    return pd.DataFrame(rows, columns=["model", "score", CLEAN, LEAKY, "difference", "low", "high"])


def interval(differences: np.ndarray, *, ratio: float, confidence: float = 0.95) -> tuple[float, float, float]:
    """Mean difference over repeated random splits, with an interval that knows that the splits share their images.

    Repetitions draw from the same images, so their differences vary less than those of fresh images would. The variance
    of the mean is therefore taken as s² (1/R + n_test/n_train) instead of s²/R, and the interval from Student's t with
    R - 1 degrees of freedom (Nadeau and Bengio, "Inference for the generalization error", Machine Learning 52, 2003).

    Parameters
    ----------
    differences : ndarray of float, shape (R,)
        One per repetition; two or more, NaN left out.
    ratio : float
        Test images for each training image; 0 gives the usual interval of a mean.

    Returns
    -------
    (float, float, float)
        Estimate, lower and upper end.
    """
    known = differences[~np.isnan(differences)]
    if len(known) < 2:
        return (float(known.mean()) if len(known) else np.nan), np.nan, np.nan
    spread = np.sqrt(known.var(ddof=1) * (1 / len(known) + ratio))
    reach = stats.t.ppf((1 + confidence) / 2, len(known) - 1) * spread
    return float(known.mean()), float(known.mean() - reach), float(known.mean() + reach)


def _regression(seed: int) -> LogisticRegression:
    return LogisticRegression(C=1.0, solver="newton-cholesky", max_iter=200, random_state=seed)


def _scores(labels: np.ndarray, predicted: np.ndarray, several: np.ndarray) -> dict[str, float]:
    parts = {"accuracy_alone": ~several, "accuracy_several": several}
    return {
        "accuracy": accuracy_score(labels, predicted),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted),
        **{
            name: accuracy_score(labels[part], predicted[part]) if part.any() else np.nan
            for name, part in parts.items()
        },
    }


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """Bring `differences` or `optimism` into words, the difference with its interval in one cell."""
    table = found.drop(columns=["difference", "low", "high"]).rename(columns={"size": "images to choose by"})
    if "score" in table:
        table["score"] = table["score"].map(NAMES)
    texts = [f"{row.difference:+.3f} ({row.low:+.3f} to {row.high:+.3f})" for row in found.itertuples()]
    known = found["difference"].notna().to_numpy()
    table["too good by (95 %)"] = [
        text.replace("-", "−") if ok else None for text, ok in zip(texts, known, strict=True)
    ]
    return table


def drawn(found: pd.DataFrame) -> pd.DataFrame:
    """Bring `differences` into the form of `figures.comparison.intervals`."""
    table = found.rename(columns={"difference": "estimate"})[["score", "model", "estimate", "low", "high"]]
    return table.assign(score=table["score"].map(NAMES)).dropna()


def sentence(found: pd.DataFrame) -> str:
    """Say for which models `differences` in accuracy and balanced accuracy can be told from zero."""
    told = found[found["score"].isin(SCORES[:2]) & (found["low"] > 0)]
    names = list(dict.fromkeys(told["model"]))
    rest = [name for name in dict.fromkeys(found["model"]) if name not in names]
    parts = []
    if names:
        parts.append(f"the split by image makes the {' and the '.join(names)} look better than chance explains")
    if rest:
        parts.append(f"for the {' and the '.join(rest)} a difference cannot be told from zero with these images")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."
