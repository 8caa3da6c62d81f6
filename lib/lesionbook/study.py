"""What a study file holds, with the range and the meaning of every key."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from lesionbook.recipes import Augmentation, Count, Knobs, Settings, Share

FIRST, SECOND, LAST = "explore", "prepare", "compare"  # experiments that every study has


class Images(Settings):
    """How images are stored."""

    size: Annotated[int, Field(ge=16, le=1024, strict=True, description="side of the stored square in pixels")]
    fit: Annotated[
        Literal["crop", "squash"],
        Field(
            description="crop the central square and keep the proportions, or squash the whole image into the square"
        ),
    ] = "crop"


class Split(Settings):
    """How the images are shared out: by fractions, by numbers per class, or as the data set gives it.

    All images of a group (lesion, slide) and all copies of a picture stay on one side.
    """

    train: Annotated[Share | None, Field(gt=0, description="share of the images, with validation and test")] = None
    validation: Annotated[Share | None, Field(gt=0)] = None
    test: Annotated[Share | None, Field(gt=0)] = None
    validation_per_class: Annotated[Count | None, Field(description="images of each class; the rest is training")] = (
        None
    )
    test_per_class: Annotated[Count | None, Field(description="images of each class, with validation_per_class")] = None
    given: Annotated[bool, Field(description="take the folders train, valid and test of the data set")] = False

    @model_validator(mode="after")
    def _one_way(self) -> "Split":
        shares = (self.train, self.validation, self.test)
        counts = (self.validation_per_class, self.test_per_class)
        ways = [any(value is not None for value in shares), any(value is not None for value in counts), self.given]
        if sum(ways) != 1:
            raise ValueError("give train, validation and test, or validation_per_class and test_per_class, or given")
        if (ways[0] and None in shares) or (ways[1] and None in counts):
            raise ValueError("every side must be given")
        if ways[0] and abs(sum(shares) - 1) > 1e-6:
            raise ValueError("train, validation and test must add up to 1")
        return self


class Class(Settings):
    """A class of the study, put together from labels of the data set."""

    name: Annotated[str, Field(description="written out, for tables and figures")]
    labels: Annotated[
        tuple[str, ...], Field(description="labels of the data set that belong to it; its own key where none is named")
    ] = ()


class Selection(Settings):
    """Which images of the data set a study uses."""

    first: Annotated[Count | None, Field(description="only so many rows from the top of the label file")] = None
    images: Annotated[
        Count | dict[str, Count] | None, Field(description="images in all, class shares kept, or images of each class")
    ] = None
    order: Annotated[
        Literal["random", "file"], Field(description="chosen by the seed, or the first ones of the label file")
    ] = "random"


class Variants(Settings):
    """Training images replaced by a fixed number of random variants of them."""

    images: Annotated[dict[str, Count], Field(description="variants taken of each label of the data set")]
    per_image: Annotated[Count, Field(description="variants that exist of each image")] = 35
    augmentation: Annotated[Augmentation, Field(description="how far a variant may be changed")]


class Sample(Settings):
    """The drawn images of the sample profile."""

    images: Annotated[int, Field(ge=70, strict=True, description="how many images are drawn")]
    seed: Annotated[int, Field(ge=0, strict=True)] = 0


class Experiment(Settings):
    """One notebook with its parameters."""

    notebook: Annotated[str, Field(description="file in notebooks/ without its ending")]
    title: Annotated[str, Field(description="in lists, where it is not the notebook's own title")] = ""
    threads: Annotated[
        int, Field(ge=1, le=64, strict=True, description="threads it computes with; results depend on it")
    ] = 1
    seed: Annotated[
        int | None, Field(ge=0, strict=True, description="of the training, where it is not the study's")
    ] = None
    further_seeds: Annotated[
        tuple[Annotated[int, Field(ge=0, strict=True)], ...],
        Field(description="trained again with each, as <name>-seed-<seed>; the comparison shows the spread"),
    ] = ()
    parameters: Annotated[Knobs, Field(description="passed to the notebook's first cell")] = Knobs()


class Study(Settings):
    """A study with one profile applied."""

    title: str
    summary: Annotated[str, Field(description="what is asked, in one sentence")]
    dataset: Literal["ham10000", "isic2017", "isic2019", "pcam", "image_folder"]
    seed: Annotated[int, Field(ge=0, strict=True)]
    images: Images
    split: Split
    classes: Annotated[
        dict[str, Class] | None, Field(min_length=2, description="classes of the study where not those of the data set")
    ] = None
    selection: Annotated[Selection, Field(description="which images are used; all where nothing is said")] = Selection()
    variants: Annotated[Variants | None, Field(description="random variants in place of the training images")] = None
    set_aside: Annotated[
        int, Field(ge=0, strict=True, description="files that cannot be used before the run stops")
    ] = 0
    sample: Annotated[Sample, Field(description="what is drawn for the sample profile")] = Sample(images=480)
    experiments: Annotated[dict[str, Experiment], Field(min_length=3)]
    published: Annotated[dict[str, Any], Field(default_factory=dict, description="what the published study reports")]

    @field_validator("experiments")
    @classmethod
    def _each_seed(cls, given: dict[str, Experiment]) -> dict[str, Experiment]:
        """Set an experiment with further seeds down once more for each of them, behind itself."""
        found = {}
        for name, one in given.items():
            found[name] = one
            for seed in one.further_seeds:
                changed = {"title": f"{one.title or name}, seed {seed}", "seed": seed, "further_seeds": ()}
                found[_again(name, seed)] = one.model_copy(update=changed)
        if len(found) < len(given) + sum(len(one.further_seeds) for one in given.values()):
            raise ValueError("further_seeds: a seed is named twice, or its experiment has the name of another one")
        return found

    @model_validator(mode="after")
    def _seeds_of_models(self) -> "Study":
        for name, one in self.experiments.items():
            if (one.further_seeds or one.seed is not None) and self._number(name) not in range(10, 50):
                raise ValueError(f"experiments.{name}: only what is trained has seeds of its own: notebooks 10 to 49")
            if self.seed_of(name) in one.further_seeds:
                raise ValueError(f"experiments.{name}: further_seeds: {self.seed_of(name)} is the first seed already")
        return self

    def seed_of(self, name: str) -> int:
        """Seed of an experiment: its own, or the study's."""
        own = self.experiments[name].seed
        return self.seed if own is None else own

    def again(self, name: str) -> dict[int, str]:
        """Names of the experiments that train a model once more, by their seeds."""
        return {seed: _again(name, seed) for seed in self.experiments[name].further_seeds}

    @property
    def repetitions(self) -> list[str]:
        """Names of all experiments that train a model once more with another seed."""
        return [other for name in self.experiments for other in self.again(name).values()]

    @property
    def looks(self) -> list[str]:
        """Names of the experiments that look at the data folder: their notebooks' numbers begin with 0."""
        return [name for name in self.experiments if name in (FIRST, SECOND) or self._number(name) in range(10)]

    @property
    def models(self) -> list[str]:
        """Names of the experiments that answer for validation and test images, in the order of the study file.

        One that is trained again with further seeds stands here once.
        """
        uses = {*self.looks, *self.uses, *self.sweeps, *self.lessons, *self.afterwards, *self.repetitions, LAST}
        return [name for name in self.experiments if name not in uses]

    @property
    def networks(self) -> list[str]:
        """Names of the models that leave a network for images alone: notebooks 20 to 39."""
        return [name for name in self.models if self._number(name) in range(20, 40)]

    @property
    def combinations(self) -> list[str]:
        """Names of the models that are put together from others: notebooks 50 to 59."""
        return [name for name in self.models if self._number(name) in range(50, 60)]

    @property
    def sweeps(self) -> list[str]:
        """Names of the experiments that vary a model and judge it on validation images only: notebooks 60 to 64."""
        return [name for name in self.experiments if self._number(name) in range(60, 65)]

    @property
    def searches(self) -> list[str]:
        """Names of the models whose settings were searched, or put together from sweeps: notebooks 65 to 69."""
        return [name for name in self.models if self._number(name) in range(65, 70)]

    @property
    def lessons(self) -> list[str]:
        """Names of the experiments that train on splits of their own to show something: notebooks 70 to 79."""
        return [name for name in self.experiments if self._number(name) in range(70, 80)]

    @property
    def afterwards(self) -> list[str]:
        """Names of the experiments that speak of the whole study once its models are compared: notebooks 91 to 99."""
        return [name for name in self.experiments if self._number(name) in range(91, 100)]

    @property
    def uses(self) -> list[str]:
        """Names of the experiments that use models on other images of the data folder: notebooks 80 to 89."""
        return [name for name in self.experiments if self._number(name) in range(80, 90)]

    def members(self, name: str) -> list[str]:
        """Names of the networks that an experiment combines or uses: those it lists, or all."""
        return list(self.experiments[name].parameters.models) or self.networks

    def trained(self, name: str) -> Experiment:
        """The experiment whose network is trained: the one that is varied, or the experiment itself."""
        experiment = self.experiments[name]
        return self.experiments[experiment.parameters.base] if experiment.parameters.base else experiment

    def _number(self, name: str) -> int:
        digits = self.experiments[name].notebook.partition("-")[0]
        return int(digits) if digits.isdecimal() else -1


def _again(name: str, seed: int) -> str:
    return f"{name}-seed-{seed}"
