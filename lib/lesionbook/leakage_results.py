"""How much better a model looks under a split that leaks: differences with their intervals, and what to say of them."""

import numpy as np
import pandas as pd
from scipy import stats

from lesionbook.leakage import CLEAN, LEAKY

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "accuracy_several": "accuracy, images with siblings in the data",
    "accuracy_alone": "accuracy, images that stand alone",
}
SCORES = list(NAMES)
BY_HEART = 0.05  # accuracy by which training images must be ahead of others before a model is said to remember


def differences(results: pd.DataFrame, *, ratio: float, confidence: float = 0.95) -> pd.DataFrame:
    """Score by image minus score by group, repetition by repetition, with the interval of its mean.

    Parameters
    ----------
    results : DataFrame
        As `leakage.compare_splits` returns it.
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


def memory(results: pd.DataFrame) -> pd.DataFrame:
    """How much better each model answers its own training images than images of groups that it has not seen.

    Returns
    -------
    DataFrame
        ``model, training images, test images`` (mean accuracies under the split by group), ``ahead by``, and ``splits``
        (how many the means are of).
    """
    clean = results[results["split"] == CLEAN].groupby("model", sort=False)
    table = clean[["training", "accuracy"]].mean().set_axis(["training images", "test images"], axis=1)
    ahead = table["training images"] - table["test images"]
    return table.assign(**{"ahead by": ahead, "splits": clean.size()}).reset_index()


def remembering(found: pd.DataFrame) -> str:
    """Say which models `memory` found to know their training images by heart, so that a leak can show in them."""
    knows = found["ahead by"] >= BY_HEART
    parts = []
    if knows.any():
        parts.append(f"the {listed(found.loc[knows, 'model'])} clearly answered training images better than others")
    if not knows.all():
        parts.append(
            f"the {listed(found.loc[~knows, 'model'])} kept too little of single training images (less than "
            f"{BY_HEART} ahead) for a leak to be worth much there"
        )
    return _said(parts)


def sentence(found: pd.DataFrame) -> str:
    """Say for which models `differences` can be told from zero: in all test images, and in those that have siblings."""
    everything = _told(found, SCORES[:2])
    rest = [name for name in dict.fromkeys(found["model"]) if name not in everything]
    siblings = _told(found, ["accuracy_several"])
    parts = []
    if everything:
        parts.append(f"the split by image makes the {listed(everything)} look better than chance explains")
    if rest:
        parts.append(
            f"for the {listed(rest)} no gain over all test images can be told from zero with these images and "
            "repetitions"
        )
    gained = f"a gain can be told for the {listed(siblings)}" if siblings else "a gain can be told for no model"
    return f"{_said(parts)} Among images with siblings in the data, {gained}."


def _told(found: pd.DataFrame, scores: list[str]) -> list[str]:
    """Models with an interval above zero in one of the scores."""
    return list(dict.fromkeys(found.loc[found["score"].isin(scores) & (found["low"] > 0), "model"]))


def listed(names: list[str] | pd.Series) -> str:
    """Join names: "one", "one and the other", "one, the other and the third"."""
    *first, last = names
    return f"{', the '.join(first)} and the {last}" if first else last


def _said(parts: list[str]) -> str:
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """Bring `differences` or ``reused_validation.optimism`` into words, difference and interval in one cell."""
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
