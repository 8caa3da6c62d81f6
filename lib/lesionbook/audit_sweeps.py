"""Printed sweeps held against themselves: what their accuracies rest on, and how far luck goes in picking the best."""

import numpy as np
import pandas as pd
from scipy.stats import binom, chi2_contingency

from lesionbook import audit, statistics
from lesionbook.published_facts import Facts, Sweep


def sweep_rows(sweep: Sweep) -> pd.DataFrame:
    """Say of each run of a sweep which numbers of images its accuracy fits, with its interval.

    Returns
    -------
    DataFrame
        The settings, ``accuracy, fits`` (numbers of images), ``95 % interval`` (Wilson, at the first that fits), and,
        where the training images are known, ``training accuracy``, ``training images`` and ``possible`` (of it).
    """
    table = _table(sweep)
    settings = [name for name in sweep.columns if not name.startswith(("train_", "val_"))]
    sizes = [
        [row.validation_size] if "validation_size" in settings else list(sweep.images) for row in table.itertuples()
    ]
    shown = table[settings].rename(columns=lambda name: name.replace("_", " ")).astype(object).map(_written)
    shown["accuracy"] = table["val_accuracy"]
    fits = [
        [n for n in candidates if audit.counts(value, int(n), sweep.decimals)]
        for value, candidates in zip(table["val_accuracy"], sizes, strict=True)
    ]
    shown["fits"] = [", ".join(str(int(n)) for n in found) or "none" for found in fits]
    used = [int((found or candidates)[0]) for found, candidates in zip(fits, sizes, strict=True)]
    ends = [statistics.wilson(round(v * n), n) for v, n in zip(table["val_accuracy"], used, strict=True)]
    shown["95 % interval"] = [f"{one.low:.3f}–{one.high:.3f}" for one in ends]
    if (images := _training_images(sweep, table)) is not None:
        shown["training accuracy"], shown["training images"] = table["train_accuracy"], images
        shown["possible"] = [
            bool(audit.counts(v, n, sweep.decimals)) for v, n in zip(table["train_accuracy"], images, strict=True)
        ]
    return shown


def sweep_findings(name: str, sweep: Sweep, found: pd.DataFrame) -> pd.DataFrame:
    """List what the accuracies of a sweep say of the number of images; columns as in `audit.COLUMNS`, and ``why``.

    Parameters
    ----------
    name : str
        Of the sweep.
    sweep : Sweep
    found : DataFrame
        As `sweep_rows` returns it.
    """
    first = found.columns[0]
    rows = []
    for row in found.to_dict("records"):
        what = f"accuracy at {first} {row[first]}"
        fits = str(row["fits"]) != "none"
        rows.append((what, row["accuracy"], f"fits {row['fits']} images", fits, "another number of images"))
        if "possible" in row:
            images, value = row["training images"], row["training accuracy"]
            follows = ("a" if row["possible"] else "no") + f" whole number of {images:,} images"
            why = "another number of training images, or a mistyped digit"
            if first == "batch size":
                why = left_over(value, images, int(row[first]), sweep.decimals) or why
            rows.append((f"training {what}", value, follows, row["possible"], why))
    if "validation_size" not in sweep.columns:
        sets = [set(text.split(", ")) for text in found["fits"]]
        text = " and ".join(sorted(set.union(*sets)))
        one = bool(set.intersection(*sets))
        follows = f"{'all fit' if one else 'no single number of images fits all'} ({text})"
        why = "some of its rows may come from another draw of the validation images"
        rows.append((f"rows of the sweep over {name}", len(found), follows, one, why))
    return pd.DataFrame(rows, columns=[*audit.COLUMNS, "why"])


def left_over(value: float, images: int, batch: int, decimals: int) -> str:
    """Say whether an accuracy fits the images that whole steps of a batch see, where the batch does not divide them.

    An epoch of ``images // batch`` steps leaves some images out: those left over, or, where the batch left over is one
    of the steps, a whole batch.
    """
    steps, rest = divmod(images, batch)
    seen = {steps * batch: f"{steps} whole batches of {batch}"}
    seen[(steps - 1) * batch + rest] = f"{steps - 1} whole batches of {batch} and the {rest} images left over"
    fits = [f"{n:,} images: {text}" for n, text in seen.items() if n > 0 and audit.counts(value, n, decimals)]
    return f"it fits {'; '.join(fits)}" if rest and fits else ""


def sweeps_against_results(facts: Facts) -> pd.DataFrame:
    """Ask whether the accuracies of sweeps and the stated results can rest on equally many images."""
    rows = []
    sweeps = [one for one in facts.sweeps.values() if "validation_size" not in one.columns]
    candidates = sorted({n for one in sweeps for n in one.images})
    shared = {n for n in candidates if sum(_fits_most(sweep, n) for sweep in sweeps) == len(sweeps)}
    for one in facts.results if sweeps else ():
        fits = {n for n in (one.images, *one.or_images) if audit.counts(one.value, n, one.decimals)}
        follows = f"fits {_listed(fits)} images, the sweeps {_listed(shared)}"
        why = "the sweeps may have used a few images less"
        rows.append((f"{one.model} beside the sweeps", one.value, follows, bool(fits & shared), why))
    return pd.DataFrame(rows, columns=[*audit.COLUMNS, "why"])


def luck(facts: Facts) -> pd.DataFrame:
    """Hold the best run of each sweep against the best of as many equally good runs.

    Returns
    -------
    DataFrame
        ``sweep, runs, images, mean, best, best by chance`` (see `expected_best`), ``p`` (chi-squared test that all runs
        are equally good, with right and wrong answers taken as independent from run to run).
    """
    rows = []
    for name, sweep in facts.sweeps.items():
        if "validation_size" in sweep.columns:
            continue  # every run has its own images
        values, images = _table(sweep)["val_accuracy"].astype(float), sweep.images[0]
        right = (values * images).round()
        p_value = float(chi2_contingency([right, images - right]).pvalue)
        by_chance = expected_best(values.mean(), images, len(values))
        rows.append((name, len(values), images, values.mean(), values.max(), by_chance, p_value))
    return pd.DataFrame(rows, columns=["sweep", "runs", "images", "mean", "best", "best by chance", "p"])


def expected_best(share: float, images: int, runs: int) -> float:
    """Expected largest of `runs` independent shares of right answers, each with probability `share` on `images`.

    It is the sum over all numbers of right answers of 1 - F(x)^k, with F the binomial distribution function.
    """
    below = binom.cdf(np.arange(images), images, share)
    return float((1 - below**runs).sum() / images)


def _table(sweep: Sweep) -> pd.DataFrame:
    return pd.DataFrame(list(sweep.rows), columns=list(sweep.columns))


def _training_images(sweep: Sweep, table: pd.DataFrame) -> list[int] | None:
    """Training images of each run; None where the study does not say."""
    if sweep.training_share is not None:
        return [round(sweep.training_share * size) for size in table["sample_size"]]
    return [sweep.training_images] * len(table) if sweep.training_images else None


def _fits_most(sweep: Sweep, images: int) -> bool:
    """Whether more than half of the accuracies of a sweep are whole numbers of so many images."""
    values = _table(sweep)["val_accuracy"].astype(float)
    return sum(bool(audit.counts(value, images, sweep.decimals)) for value in values) > len(values) / 2


def _listed(numbers: set[int]) -> str:
    return ", ".join(f"{number:,}" for number in sorted(numbers)) or "no number of"


def _written(value: object) -> str:
    """Write a setting: numbers in full, whole ones without a point, ``yes`` for true."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return np.format_float_positional(value, trim="-") if isinstance(value, float) else str(value)
