"""The rest of the audit: what follows from printed tables by arithmetic alone, without a confusion matrix."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import binom

from lesionbook import audit, published, statistics
from lesionbook.published_facts import Closing, Facts, Report, Shares, Sweep
from lesionbook.weights import class_weights


def closing_rows(closing: Closing, reports: Mapping[str, Report]) -> pd.DataFrame:
    """Hold a closing table of F1 against the reports that it repeats: ``figure, stated, follows, agrees``."""
    rows = []
    for place, (column, source) in enumerate(closing.columns.items()):
        for name, values in closing.f1.items() if source else ():
            printed = reports[source].classes[name][2]
            rows.append(
                (f"F1 of {name}, {column}", values[place], f"{printed:.{closing.decimals}f}", values[place] == printed)
            )
    return pd.DataFrame(rows, columns=audit.COLUMNS)


def sweep_rows(sweep: Sweep) -> pd.DataFrame:
    """Say of each run of a sweep which numbers of images its accuracy fits, with its interval.

    Returns
    -------
    DataFrame
        The settings, ``accuracy, fits`` (numbers of images), ``95 % interval`` (Wilson, at the first that fits), and,
        where the training images are known, ``training accuracy`` and ``possible`` (of it).
    """
    table = pd.DataFrame(list(sweep.rows), columns=list(sweep.columns))
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
    if sweep.training_images:
        shown["training accuracy"] = table["train_accuracy"]
        shown["possible"] = [
            bool(audit.counts(v, sweep.training_images, sweep.decimals)) for v in table["train_accuracy"]
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
            follows = f"no whole number of {sweep.training_images:,} images"
            why = "another number of training images, or a mistyped digit"
            rows.append((f"training {what}", row["training accuracy"], follows, row["possible"], why))
    several = len(set.intersection(*(set(text.split(", ")) for text in found["fits"]))) == 0
    if "validation_size" not in sweep.columns:
        text = " and ".join(sorted(set(", ".join(found["fits"]).split(", "))))
        why = "some of its rows may come from another draw of the validation images"
        rows.append(
            (
                f"images of the sweep over {name}",
                len(found),
                f"no single number fits all rows ({text})",
                not several,
                why,
            )
        )
    return pd.DataFrame(rows, columns=[*audit.COLUMNS, "why"])


def sweeps_against_results(facts: Facts) -> pd.DataFrame:
    """Ask whether the accuracies of sweeps and the stated results can rest on equally many images."""
    rows = []
    sweeps = [one for one in facts.sweeps.values() if "validation_size" not in one.columns]
    candidates = sorted({n for one in sweeps for n in one.images})
    for one in facts.results:
        fits = {n for n in (one.images, *one.or_images) if audit.counts(one.value, n, one.decimals)}
        shared = {n for n in candidates if sum(_fits_most(sweep, n) for sweep in sweeps) == len(sweeps)}
        follows = f"fits {_listed(fits)} images, the sweeps {_listed(shared)}"
        why = "the sweeps may have used a few images less"
        rows.append((f"{one.model} beside the sweeps", one.value, follows, not sweeps or bool(fits & shared), why))
    return pd.DataFrame(rows if sweeps else [], columns=[*audit.COLUMNS, "why"])


def _fits_most(sweep: Sweep, images: int) -> bool:
    """Whether more than half of the accuracies of a sweep are whole numbers of so many images."""
    values = pd.DataFrame(list(sweep.rows), columns=list(sweep.columns))["val_accuracy"].astype(float)
    return sum(bool(audit.counts(value, images, sweep.decimals)) for value in values) > len(values) / 2


def _listed(numbers: set[int]) -> str:
    return ", ".join(f"{number:,}" for number in sorted(numbers)) or "no number of"


def luck(facts: Facts) -> pd.DataFrame:
    """Hold the best run of each sweep against the best of as many equally good runs.

    The expectation of the largest of k binomial shares follows from their distribution function: the sum over all
    numbers of right answers of 1 - F(x)^k.

    Returns
    -------
    DataFrame
        ``sweep, runs, images, mean, best, best by chance``.
    """
    rows = []
    for name, sweep in facts.sweeps.items():
        if "validation_size" in sweep.columns:
            continue  # every run has its own images
        table = pd.DataFrame(list(sweep.rows), columns=list(sweep.columns))["val_accuracy"].astype(float)
        rows.append(
            (
                name,
                len(table),
                sweep.images[0],
                table.mean(),
                table.max(),
                expected_best(table.mean(), sweep.images[0], len(table)),
            )
        )
    return pd.DataFrame(rows, columns=["sweep", "runs", "images", "mean", "best", "best by chance"])


def expected_best(share: float, images: int, runs: int) -> float:
    """Expected largest of `runs` independent shares of right answers, each with probability `share` on `images`."""
    below = binom.cdf(np.arange(images), images, share)
    return float((1 - below**runs).sum() / images)


def share_rows(name: str, shares: Shares) -> pd.DataFrame:
    """Hold class shares against the numbers of images: ``figure, stated, follows, agrees``."""
    half, rows = 0.5 * 10.0**-shares.decimals, []
    for key, value in shares.shares.items():
        if key in shares.counts:
            follows = shares.counts[key] / shares.images
            rows.append(
                (
                    f"share of {key}, {name}",
                    value,
                    f"{follows:.{shares.decimals}f}",
                    audit.meet(value, half, follows, follows),
                )
            )
        else:
            found = audit.counts(value, shares.images, shares.decimals)
            rows.append((f"share of {key}, {name}", value, f"{audit.span(found)} of {shares.images:,}", bool(found)))
    total = sum(shares.shares.values())
    rows.append((f"sum of the shares, {name}", 1.0, f"{total:.{shares.decimals}f}", abs(total - 1) <= len(rows) * half))
    if shares.counts:
        images = sum(shares.counts.values())
        rows.append((f"images, {name}", shares.images, str(images), images == shares.images))
    return pd.DataFrame(rows, columns=audit.COLUMNS)


def moment_rows(facts: Facts) -> pd.DataFrame:
    """Hold the deviation of labels that are 0 or 1 against their mean: ``figure, stated, follows, agrees``."""
    rows = []
    for name, one in facts.moments.items():
        half = 0.5 * 10.0**-one.decimals
        found = audit.counts(one.mean, one.images, one.decimals)
        rows.append((f"mean, {name}", one.mean, f"{audit.span(found)} of {one.images:,}", bool(found)))
        means = np.array([one.mean - half, one.mean + half])
        ends = np.sort(np.sqrt(means * (1 - means) * one.images / (one.images - 1)))
        follows = audit.interval(*ends, one.decimals)
        rows.append(
            (f"deviation, {name}", one.standard_deviation, follows, audit.meet(one.standard_deviation, half, *ends))
        )
    return pd.DataFrame(rows, columns=audit.COLUMNS)


def deterministic_rows(facts: Facts, fractions: tuple[float, float] = (0.8, 0.1)) -> pd.DataFrame:
    """Hold the figures that a study computes from its metadata against each other, as far as it prints them.

    Parameters
    ----------
    facts : Facts
        Parts of ``deterministic`` with the names that the reports on the data use, and ``parameters``.
    fractions : (float, float)
        Training and validation share of a split of each class that cuts fractions off.

    Returns
    -------
    DataFrame
        ``figure, stated, follows, agrees``.
    """
    given, rows = facts.deterministic, []
    sizes, parts, classes = (given.get(name, {}) for name in ("split_sizes", "split_per_class", "class_counts"))
    if classes and "rows" in given:
        rows.append(("sum of the classes", given["rows"], sum(classes.values())))
    for name, percent in given.get("class_percent", {}).items():
        if classes:
            rows.append((f"share of {name} in percent", percent, 100 * classes[name] / sum(classes.values())))
    for side, stated in sizes.items():
        if side in parts:
            rows.append((f"images of {side}", stated, sum(parts[side].values())))
    if sizes and "rows" in given:
        rows.append(("sum of the sides", given["rows"], sum(sizes.values())))
    for name in classes if parts else ():
        train, val = (int(share * classes[name]) for share in fractions)
        for side, follows in (("train", train), ("val", val), ("test", classes[name] - train - val)):
            rows.append((f"images of {name} in {side}", parts[side][name], follows))
    if parts:
        labels = pd.Series(np.repeat(list(parts["train"]), list(parts["train"].values())))
        weights = class_weights(labels, sorted(parts["train"]), "balanced")
        rows += [
            (f"weight of {name}", stated, weights[name]) for name, stated in given.get("class_weights", {}).items()
        ]
    for name, one in facts.parameters.items():
        if "non_trainable" in one:
            rows.append((f"parameters of {name}", one["total"], one["trainable"] + one["non_trainable"]))
    table = pd.DataFrame(rows, columns=audit.COLUMNS[:3])
    close = [abs(row.follows - row.stated) <= published.tolerance(row.stated) for row in table.itertuples()]
    shown = [
        f"{row.follows:.6f}" if isinstance(row.stated, float) else f"{row.follows:,}" for row in table.itertuples()
    ]
    return table.assign(follows=shown, agrees=close)


def _written(value: object) -> str:
    """Write a setting: whole numbers without a point, ``yes`` for true."""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
