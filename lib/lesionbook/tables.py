"""Tables as readers see them: numbers with their intervals in one cell, names written out."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

ABBREVIATIONS = {"auc": "AUC", "roc": "ROC", "f1": "F1", "brier": "Brier"}


def name(key: str) -> str:
    """Write a score's or column's key in words: ``macro_auc`` becomes ``macro AUC``."""
    return " ".join(ABBREVIATIONS.get(word, word) for word in key.split("_"))


def with_interval(frame: pd.DataFrame, digits: int = 3) -> pd.Series:
    """Join the columns estimate, low and high into texts such as ``0.713 (0.650–0.769)``."""
    texts = [
        f"{estimate:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})" if pd.notna(estimate) else "–"
        for estimate, low, high in zip(frame["estimate"], frame["low"], frame["high"], strict=True)
    ]
    return pd.Series(texts, index=frame.index)


def scores(frame: pd.DataFrame, keep: Iterable[str] | None = None) -> pd.DataFrame:
    """Bring scores with intervals into two columns for reading: ``score`` and ``estimate (95 % interval)``.

    Parameters
    ----------
    frame : DataFrame
        As returned by `lesionbook.statistics.bootstrap_scores`.
    keep : iterable of str, optional
        Scores to show, in this order; all by default.
    """
    chosen = frame.loc[list(keep)] if keep is not None else frame
    return pd.DataFrame(
        {"score": [name(key) for key in chosen.index], "estimate (95 % interval)": with_interval(chosen).to_numpy()}
    )


def per_class(frame: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Name the classes and columns of `lesionbook.metrics.per_class` for reading."""
    shown = frame.rename(index=lambda key: f"{names.get(key, key)} ({key})", columns=name)
    return shown.rename_axis("class").reset_index()


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
        text = f"{row.difference:+.{digits}f} ({row.low:+.{digits}f} to {row.high:+.{digits}f})".replace("-", "−")
        rows.append((row.model, row.reference, name(row.score), text, verdict))
    return pd.DataFrame(rows, columns=["model", "against", "score", "difference (95 % interval)", "verdict"])


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
            rows.append((label, "yes" if value is True else str(value).replace("_", " ")))
    return pd.DataFrame(rows, columns=["knob", "value"])
