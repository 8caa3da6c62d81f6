"""What a published study states, as its study file holds it: checked, so that a mistyped key is refused.

The key ``published`` of a study file is free for whatever a study prints; the parts that the library reads have fixed
names and are described here.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from lesionbook import params
from lesionbook.errors import LesionbookError
from lesionbook.recipes import Count, Settings
from lesionbook.study import Study

Part = Annotated[float, Field(ge=0, le=1)]
Triple = tuple[Part, Part, Part]  # precision, recall, F1
Scores = Literal["accuracy", "balanced_accuracy", "macro_f1", "weighted_f1", "macro_auc"]


class Result(Settings):
    """A score that the study states for a model, and how it is held against one measured here."""

    model: str
    source: Annotated[str, Field(description="where it is stated, and on which images")]
    value: Part
    images: Annotated[Count, Field(description="images that it is stated for")]
    decimals: Annotated[Count | None, Field(description="places printed, where the number here ends in a zero")] = None
    or_images: Annotated[tuple[Count, ...], Field(description="other numbers of images it may rest on")] = ()
    or_because: Annotated[str, Field(description="what these other numbers would be")] = ""
    score: Scores = "accuracy"
    experiment: Annotated[str, Field(description="experiment of this study that does it again")] = ""
    tolerance: Annotated[
        float | None, Field(gt=0, lt=1, description="largest difference that counts as agreement, set beforehand")
    ] = None
    differs: Annotated[tuple[str, ...], Field(description="what is known to be done in another way here")] = ()
    not_redone: Annotated[str, Field(description="why no experiment does it again")] = ""

    @model_validator(mode="after")
    def _either(self) -> "Result":
        if bool(self.experiment) == bool(self.not_redone):
            raise ValueError(f"the result of {self.model!r} ({self.source}) needs either experiment or not_redone")
        if bool(self.experiment) != (self.tolerance is not None):
            raise ValueError(f"the result of {self.model!r} ({self.source}) needs a tolerance with its experiment")
        return self


class Accuracy(Settings):
    """A further accuracy that is only audited."""

    what: str
    value: Part
    images: Count
    decimals: Count | None = None
    or_images: tuple[Count, ...] = ()
    or_because: str = ""


class Entry(Settings):
    """Scores of a submission to a competition."""

    model: str
    private: Part
    public: Part


class Report(Settings):
    """A printed classification report."""

    model: str
    images: Count
    decimals: Count = 2
    classes: Annotated[
        dict[str, tuple[Part, Part, Part, Count]], Field(description="precision, recall, F1 and images of each class")
    ]
    accuracy: Part
    macro: Annotated[Triple, Field(description="unweighted means of precision, recall and F1")]
    weighted: Annotated[Triple, Field(description="means weighted by images")]


class Crosstab(Settings):
    """A printed matrix of actual (rows) against predicted classes (columns)."""

    model: str
    classes: tuple[str, ...]
    rows: tuple[tuple[Annotated[int, Field(ge=0)], ...], ...]
    accuracy: Annotated[Part, Field(description="accuracy that the text states for the same model")]

    @model_validator(mode="after")
    def _square(self) -> "Crosstab":
        if {len(self.rows), *map(len, self.rows)} != {len(self.classes)}:
            raise ValueError(f"the matrix of {self.model!r} must have a row and a column for each of its classes")
        return self


class Closing(Settings):
    """A table of F1 per class for several models, which repeats what the reports say."""

    decimals: Count = 2
    columns: Annotated[
        dict[str, str], Field(description="column to the report it repeats; empty where none is printed")
    ]
    f1: Annotated[dict[str, tuple[Part, ...]], Field(description="F1 of each class, in the order of the columns")]


class Sweep(Settings):
    """A table of runs that differ in one setting."""

    columns: tuple[str, ...]
    rows: tuple[tuple[float | bool | str, ...], ...]
    images: Annotated[tuple[Count, ...], Field(description="validation images that its accuracies may rest on")]
    training_images: Count | None = None
    training_share: Annotated[
        Part | None, Field(description="part of the column sample_size that trains, where that varies")
    ] = None
    decimals: Count = 4


class Shares(Settings):
    """Class shares that the study prints for a number of images."""

    images: Count
    shares: dict[str, Part]
    counts: dict[str, Count] = Field(default_factory=dict)
    decimals: Count = 4


class Moments(Settings):
    """Mean and standard deviation of a label that is 0 or 1."""

    images: Count
    mean: Part
    standard_deviation: Part
    decimals: Count = 6


class Identity(Settings):
    """A printed number that other printed numbers add up to, or multiply to."""

    figure: str
    stated: float
    sum_of: tuple[float, ...] = ()
    product_of: tuple[float, ...] = ()
    at_least: Annotated[bool, Field(description="stated as 'more than' this")] = False
    why: Annotated[str, Field(description="what a difference may come from")] = "one of the figures may be mistyped"

    @model_validator(mode="after")
    def _one(self) -> "Identity":
        if bool(self.sum_of) == bool(self.product_of):
            raise ValueError(f"{self.figure!r} needs either sum_of or product_of")
        return self


class Facts(Settings):
    """All of ``published``."""

    by: str = ""
    year: int | None = None
    work: str = ""
    deterministic: dict[str, Any] = Field(default_factory=dict, description="follows from the data by arithmetic")
    parameters: dict[str, dict[str, int]] = Field(default_factory=dict, description="parameter counts by experiment")
    results: tuple[Result, ...] = ()
    accuracies: tuple[Accuracy, ...] = ()
    leaderboard: tuple[Entry, ...] = ()
    reports: dict[str, Report] = Field(default_factory=dict)
    crosstabs: dict[str, Crosstab] = Field(default_factory=dict)
    closing: Closing | None = None
    sweeps: dict[str, Sweep] = Field(default_factory=dict)
    searches: dict[str, Any] = Field(default_factory=dict, description="searches over settings, as described")
    shares: dict[str, Shares] = Field(default_factory=dict)
    moments: dict[str, Moments] = Field(default_factory=dict)
    identities: tuple[Identity, ...] = ()


def of(study: str, settings: Study) -> Facts:
    """Read what the published study states.

    Parameters
    ----------
    study : str
        Name of the study file, for messages.
    settings : Study
        The study with its profile applied.

    Raises
    ------
    LesionbookError
        One sentence with file and key: a key that nothing reads, a value out of range, a matrix that is not square, or
        an experiment that the study does not have.
    """
    where = f"params/{study}.yml: published"
    try:
        facts = Facts.model_validate(settings.published)
    except ValidationError as error:
        first = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise LesionbookError(f"{where}.{key} is no key of a published study{_meant(first['loc'])}.") from error
        message = first["msg"].removeprefix("Value error, ")
        raise LesionbookError(f"{where}.{key}: {message[0].lower()}{message[1:]}.") from error
    named = {f"results: {one.model}": one.experiment for one in facts.results if one.experiment}
    named |= {f"parameters.{name}": name for name in facts.parameters}
    for key, name in named.items():
        if name not in settings.experiments:
            near = params.meant(name, settings.experiments)
            raise LesionbookError(f"{where}.{key}: {name!r} is no experiment of this study{near}.")
    if facts.closing is not None:
        for column, report in facts.closing.columns.items():
            if report and report not in facts.reports:
                raise LesionbookError(f"{where}.closing.columns.{column}: there is no report {report!r}.")
    return facts


def _meant(location: tuple[int | str, ...]) -> str:
    """Give the suffix ' (did you mean …?)' for a mistyped key."""
    models = {"results": Result, "accuracies": Accuracy, "leaderboard": Entry, "reports": Report}
    models |= {"crosstabs": Crosstab, "closing": Closing, "sweeps": Sweep, "shares": Shares, "moments": Moments}
    models |= {"identities": Identity}
    model = Facts if len(location) == 1 else models.get(str(location[0]), Facts)
    return params.meant(str(location[-1]), model.model_fields)
