"""The data sets, one file each: a record of what it is and ``read(folder)``, which returns one listing.

A listing is a table and what was come across while it was made. The table has one row per labelled image, sorted by
``image_id``: ``image_id``, ``path`` (of the file), ``label`` (a key of the record's classes), ``group`` (lesion or
slide where known, else the image) and the metadata columns that the set has. `lesionbook.datasets.listing` holds what
all of them share.
"""

import importlib
from types import ModuleType


def adapter(name: str) -> ModuleType:
    """Module of a data set by its name in the study file."""
    return importlib.import_module(f"lesionbook.datasets.{name}")


def drawer(name: str) -> ModuleType:
    """Module that draws a sample in the layout of a data set."""
    return importlib.import_module(f"lesionbook.sample.{name}")
