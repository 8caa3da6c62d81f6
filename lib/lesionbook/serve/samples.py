"""Pictures to try: test images of the study, as they lie in its data folder."""

from dataclasses import dataclass
from pathlib import Path

from lesionbook.decoding import file_of
from lesionbook.errors import LesionbookError
from lesionbook.serve.model import Model

PER_CLASS = 3
MOST = 12


@dataclass(frozen=True)
class Sample:
    """A test image: its file, its id and its class."""

    path: Path
    image_id: str
    label: str


def choose(model: Model) -> list[Sample]:
    """Take a few test images of each class, by the seed of the study; none where the data folder is not there."""
    own = model.run
    try:
        paths = own.table.set_index("image_id")["path"]
    except (LesionbookError, OSError):
        return []
    number = max(1, min(PER_CLASS, MOST // len(own.classes)))
    rows = model.test[model.test["image_id"].isin(paths.index)]
    taken = (
        rows.groupby("label", sort=False).sample(frac=1, random_state=own.settings.seed).groupby("label").head(number)
    )
    taken = taken.sort_values(
        ["label", "image_id"], key=lambda one: one.map(own.classes.index) if one.name == "label" else one
    )
    found = [Sample(Path(paths[row.image_id]), row.image_id, row.label) for row in taken.itertuples()]
    return [one for one in found if file_of(one.path) == one.path and one.path.exists()]
