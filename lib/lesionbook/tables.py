"""Tables as readers see them: numbers with their intervals in one cell, names written out."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

WORDS = {
    "auc": "AUC",
    "roc": "ROC",
    "f1": "F1",
    "brier": "Brier score",
    "cnn": "CNN",
    "val": "validation",
    "relu": "ReLU",
}
MEANINGS = {
    "accuracy": ("↑", "share of right answers"),
    "balanced_accuracy": ("↑", "mean over the classes of the share found (recall)"),
    "macro_f1": ("↑", "mean over the classes of the harmonic mean of precision and recall"),
    "weighted_f1": ("↑", "the same, classes weighted by their images"),
    "macro_auc": ("↑", "chance that an image of a class is ranked above one of another class; mean over the classes"),
    "macro_average_precision": ("↑", "area under precision against recall; mean over the classes"),
    "log_loss": ("↓", "mean of minus the logarithm of the probability given to the right class"),
    "brier": ("↓", "squared distance between probabilities and truth, 0 to 2"),
    "expected_calibration_error": ("↓", "mean distance between confidence and accuracy"),
}


def name(key: str) -> str:
    """Write a score's or column's key in words: ``macro_auc`` becomes ``macro AUC``."""
    return " ".join(WORDS.get(word, word) for word in re.split("[_-]", key))


def with_interval(frame: pd.DataFrame, digits: int = 3) -> pd.Series:
    """Join the columns estimate, low and high into ``0.713 (0.650–0.769)``, or ``1.000 (–)`` without ends."""
    texts = [
        "–"
        if pd.isna(estimate)
        else f"{estimate:.{digits}f} (–)"
        if pd.isna(low)
        else f"{estimate:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"
        for estimate, low, high in zip(frame["estimate"], frame["low"], frame["high"], strict=True)
    ]
    return pd.Series(texts, index=frame.index)


def counted(frame: pd.DataFrame, group_name: str) -> str:
    """Say how many images a table has and, where images belong together, of how many groups they are.

    Parameters
    ----------
    frame : DataFrame
        One row per image, with ``group``.
    group_name : str
        What a group is: ``lesion``, ``slide``.
    """
    groups = frame["group"].nunique()
    return f"{len(frame):,} images" + (f" of {groups:,} {group_name}s" if groups < len(frame) else "")


def number(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 pair``, ``1,234 pairs``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def units(frame: pd.DataFrame, group_name: str) -> str:
    """Name what varies by itself in a table: ``whole lesions`` where they have several images, else ``images``."""
    return f"whole {group_name}s" if frame["group"].nunique() < len(frame) else "images"


def near_duplicates(listing: pd.DataFrame) -> pd.DataFrame:
    """Bring the pairs of `lesionbook.near_duplicates.listing` into a table that fits a page."""
    both = {name: (listing[f"first_{name}"], listing[f"second_{name}"]) for name in ("label", "group")}
    same = {name: first == second for name, (first, second) in both.items()}
    return pd.DataFrame(
        {
            "first": listing["first_image_id"],
            "second": listing["second_image_id"],
            "class": both["label"][0].where(same["label"], both["label"][0] + " / " + both["label"][1]),
            "same group": same["group"].map({True: "yes", False: "no"}),
            "seen": listing["view"],
            "bits": listing["bits"],
            "correlation": listing["correlation"],
        }
    )


def explained(texts: pd.DataFrame) -> pd.DataFrame:
    """Put beside each score its name in words, which way is better, and what it says.

    Parameters
    ----------
    texts : DataFrame
        Index: keys of `lesionbook.metrics.scores`; columns as one likes, for instance one per model.
    """
    shown = texts.rename_axis(columns=None).copy()
    shown.insert(0, "score", [name(key) for key in texts.index])
    shown["better"] = [MEANINGS[key][0] for key in texts.index]
    shown["it is"] = [MEANINGS[key][1] for key in texts.index]
    return shown.reset_index(drop=True)


def scores(frame: pd.DataFrame) -> pd.DataFrame:
    """Bring the scores of `lesionbook.statistics.bootstrap_scores` into words, as `explained` does."""
    return explained(with_interval(frame).to_frame("estimate (95 % interval)"))


def per_class(frame: pd.DataFrame, intervals: pd.DataFrame, names: Mapping[str, str], group_name: str) -> pd.DataFrame:
    """Bring the scores of each class into words.

    Parameters
    ----------
    frame : DataFrame
        As returned by `lesionbook.metrics.per_class`.
    intervals : DataFrame
        As returned by `lesionbook.classwise.intervals` for the same predictions.
    names : mapping
        Class key to its written-out name.
    group_name : str
        What a group is.

    Returns
    -------
    DataFrame
        ``class``, ``images``, the groups where these are fewer, ``precision``, ``recall (95 %)``, ``F1``,
        ``AUC (95 %)``.
    """
    by_score = {score: part.set_index("class").loc[frame.index] for score, part in intervals.groupby("score")}
    columns = {
        "class": [names.get(key, key) for key in frame.index],
        "images": frame["support"],
        f"{group_name}s": by_score["recall"]["n_groups"],
        "precision": frame["precision"].map("{:.2f}".format),
        "recall (95 %)": with_interval(by_score["recall"], digits=2),
        "F1": frame["f1"].map("{:.2f}".format),
        "AUC (95 %)": with_interval(by_score["auc"], digits=2),
    }
    return groups_if_fewer(pd.DataFrame(columns), group_name).reset_index(drop=True)


def groups_if_fewer(frame: pd.DataFrame, group_name: str) -> pd.DataFrame:
    """Leave the column of groups out where every image is a group of its own: groups are not known then."""
    same = (frame[f"{group_name}s"] == frame["images"]).all()
    return frame.drop(columns=f"{group_name}s") if same else frame


def p_value(value: float) -> str:
    """Write a p value with three decimals, none smaller than 0.001; a dash where there is none."""
    if not np.isfinite(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def signed(value: float, digits: int = 3) -> str:
    """Write a number with its sign, a true minus where it is negative, none where it rounds to zero; else a dash."""
    if not np.isfinite(value):
        return "–"
    text = f"{value:+.{digits}f}"
    return text.replace("-", "−") if float(text) else text[1:]


def signed_interval(estimate: float, low: float, high: float, digits: int = 3) -> str:
    """Write ``+0.100 (+0.050 to +0.150)``, kept on one line."""
    return f"{signed(estimate, digits)} ({signed(low, digits)} to {signed(high, digits)})".replace(" ", "\u00a0")


def differences(frame: pd.DataFrame, digits: int = 3) -> pd.DataFrame:
    """Bring paired differences into words.

    Parameters
    ----------
    frame : DataFrame
        As returned by `lesionbook.statistics.paired_differences`.

    Returns
    -------
    DataFrame
        ``model``, ``against``, ``score``, ``difference (95 % interval)``, ``verdict``.
    """
    rows = []
    for row in frame.itertuples():
        verdict = "better" if row.low > 0 else "worse" if row.high < 0 else "not told apart"
        text = signed_interval(row.difference, row.low, row.high, digits)
        rows.append((row.model, row.reference, name(row.score), text, verdict))
    return pd.DataFrame(rows, columns=["model", "against", "score", "difference (95 % interval)", "verdict"])


def variation(values: Mapping[str, Any]) -> str:
    """Say in words how far an augmentation changes images; `values` as in `lesionbook.recipes.Augmentation`."""
    words = {
        "rotation_degrees": "rotation up to {:g}°",
        "horizontal_flip": "mirrored left to right half of the time",
        "vertical_flip": "mirrored top to bottom half of the time",
    }
    said = [words.get(key, f"{name(key)} up to {{:g}}").format(value) for key, value in values.items() if value]
    return ", ".join(said) or "nothing is changed"


def settings(values: Mapping[str, Any], prefix: str = "") -> pd.DataFrame:
    """List settings for reading: columns ``knob`` and ``value``, nested ones with the name of their group before them.

    In a group, what is switched off (zero or false) is left out.
    """
    rows = []
    for key, value in values.items():
        label = f"{prefix}{key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += settings(value, f"{label}: ").to_numpy().tolist()
        elif not prefix or value:
            rows.append((label, _text(value)))
    return pd.DataFrame(rows, columns=["knob", "value"])


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"({_text(one)})" if isinstance(one, list | tuple) else _text(one) for one in value)
    return "yes" if value is True else name(value) if isinstance(value, str) else str(value)
