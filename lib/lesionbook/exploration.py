"""Numbers and choices behind the exploration report."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pandas as pd

AGE_SUMMARY = {
    "count": "count",
    "mean": "mean",
    "std": "std",
    "min": "min",
    "25%": "q25",
    "50%": "q50",
    "75%": "q75",
    "max": "max",
}


def describe(
    table: pd.DataFrame, classes: list[str], original: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """Count what a table of images holds.

    Parameters
    ----------
    table : DataFrame
        With ``label`` and, where known, ``age`` in years.
    classes : list of str
        Class keys in their order.
    original : mapping of str to str
        Column of the table to the name that it has in the data set's own file.

    Returns
    -------
    dict
        ``rows``; ``missing`` (per column); ``class_counts``; ``class_percent`` (0 to 100); and with ages
        ``age_describe`` (count, mean, standard deviation with n - 1, minimum, quartiles, maximum).
    """
    counts = table["label"].value_counts().reindex(classes, fill_value=0)
    gaps = table.drop(columns=["path", "file_order"], errors="ignore").isna().sum()
    found: dict[str, Any] = {
        "rows": len(table),
        "missing": {original.get(name, name): int(number) for name, number in gaps.items()},
        "class_counts": counts.to_dict(),
        "class_percent": (100 * counts / len(table)).to_dict(),
    }
    if "age" in table.columns:
        found["age_describe"] = table["age"].describe().rename(AGE_SUMMARY).to_dict()
    return found


def choose(table: pd.DataFrame, per_class: int, *, seed: int) -> pd.DataFrame:
    """Choose at random up to `per_class` images of each class, one per group as long as there are enough groups."""
    mixed = table.sample(frac=1, random_state=seed)
    first_of_group = ~mixed.duplicated("group")
    ordered = pd.concat([mixed[first_of_group], mixed[~first_of_group]])
    return ordered.groupby("label").head(per_class).sort_values(["label", "image_id"], ignore_index=True)


def by_class(images: Any, labels: pd.Series, classes: list[str]) -> dict[str, Any]:
    """Part an array of images by class, in the order of the classes; classes without images are left out."""
    return {name: images[(labels == name).to_numpy()] for name in classes if (labels == name).any()}


def brightness_summary(measured: pd.DataFrame) -> pd.DataFrame:
    """Brightness of the images of each class.

    Parameters
    ----------
    measured : DataFrame of N images
        ``label`` and ``brightness``, the mean of the image (0 to 255); gaps are left out.

    Returns
    -------
    DataFrame
        Index ``label``; columns ``n``, ``mean``, ``variance`` (divided by n, as NumPy does and published studies with
        it), ``min``, ``max``.
    """
    return (
        measured.groupby("label")["brightness"]
        .agg(["count", "mean", lambda values: values.var(ddof=0), "min", "max"])
        .set_axis(["n", "mean", "variance", "min", "max"], axis=1)
    )


def size_summary(measured: pd.DataFrame) -> pd.DataFrame:
    """Widths and heights of the images in a few lines.

    Parameters
    ----------
    measured : DataFrame of N images
        ``width`` and ``height`` in pixels; gaps are left out.

    Returns
    -------
    DataFrame
        Columns ``what`` and ``value`` (text): the number of different sizes; the most common, the smallest and the
        largest by area; the least and the greatest ratio of width to height.
    """
    known = measured[["width", "height"]].dropna().astype(int)
    sizes = known.value_counts(sort=False).rename("images").reset_index()
    text = [f"{row.width:,} × {row.height:,} pixels ({row.images:,} of {len(known):,})" for row in sizes.itertuples()]
    area, ratio = sizes["width"] * sizes["height"], sizes["width"] / sizes["height"]
    rows = [
        ("different sizes", f"{len(sizes):,}"),
        ("most common size", text[sizes["images"].idxmax()]),
        ("smallest size", text[area.idxmin()]),
        ("largest size", text[area.idxmax()]),
        ("width by height", " to ".join(dict.fromkeys([f"{ratio.min():.2f}", f"{ratio.max():.2f}"]))),
    ]
    return pd.DataFrame(rows, columns=["what", "value"])
