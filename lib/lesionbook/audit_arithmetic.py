"""The rest of the audit: what follows from printed tables by arithmetic alone, without a confusion matrix."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from lesionbook import audit, published
from lesionbook.published_facts import Closing, Facts, Report, Shares
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
    given: dict[str, Any] = facts.deterministic
    rows: list[tuple[str, float, float]] = []
    sizes, parts, classes = (given.get(name, {}) for name in ("split_sizes", "split_per_class", "class_counts"))
    if classes and "rows" in given:
        rows.append(("sum of the classes", given["rows"], sum(classes.values())))
    if "rows" in given and "age_describe" in given and "age" in given.get("missing", {}):
        known = given["age_describe"]["count"] + given["missing"]["age"]
        rows.append(("images with and without an age", given["rows"], known))
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


def side_rows(facts: Facts) -> pd.DataFrame:
    """Ask which side of the split a report is of: the one with as many images of each class.

    Returns
    -------
    DataFrame
        ``figure, stated, follows, agrees``; no rows where the study prints no split.
    """
    parts, rows = facts.deterministic.get("split_per_class", {}), []
    for report in facts.reports.values() if parts else ():
        printed = {name: row[3] for name, row in report.classes.items()}
        side = next((side for side, counts in parts.items() if counts == printed), None)
        follows = f"those of the side {side!r}, class by class" if side else "those of no side"
        rows.append((f"images in the report of {report.model}", report.images, follows, side is not None))
    return pd.DataFrame(rows, columns=audit.COLUMNS)


def identity_rows(facts: Facts) -> pd.DataFrame:
    """Hold numbers against those that they are the sum or the product of; a product may be cut to a whole number.

    Returns
    -------
    DataFrame
        ``figure, stated, follows, agrees, why``.
    """
    rows = []
    for one in facts.identities:
        terms, sign = (one.sum_of, " + ") if one.sum_of else (one.product_of, " × ")
        value = math.fsum(terms) if one.sum_of else math.prod(terms)
        gap = value - one.stated
        agrees = gap > -1e-6 if one.at_least else -1e-6 < gap < 1 - 1e-6 if one.product_of else abs(gap) < 1e-6
        name = one.figure + " (more than)" * one.at_least
        follows = sign.join(map(_written, terms)) + " = " if len(terms) > 1 else ""
        rows.append((name, one.stated, follows + _written(value), agrees, one.why))
    return pd.DataFrame(rows, columns=[*audit.COLUMNS, "why"])


def _written(value: float) -> str:
    """Write a number: whole ones without a point, others with six digits."""
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-6 else f"{value:,.6g}"
