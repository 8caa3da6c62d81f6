"""Numbers and choices behind the exploration report."""

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


def describe(table: pd.DataFrame, classes: list[str]) -> dict[str, Any]:
    """Count what a table of images holds.

    Parameters
    ----------
    table : DataFrame
        With ``label`` and, where known, ``age`` in years.
    classes : list of str
        Class keys in their order.

    Returns
    -------
    dict
        ``rows``; ``missing`` (per column); ``class_counts``; ``class_percent`` (0 to 100); and with ages
        ``age_describe`` (count, mean, standard deviation with n - 1, minimum, quartiles, maximum).
    """
    counts = table["label"].value_counts().reindex(classes, fill_value=0)
    found: dict[str, Any] = {
        "rows": len(table),
        "missing": {
            name: int(number) for name, number in table.drop(columns="path", errors="ignore").isna().sum().items()
        },
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
