"""What a notebook needs to know of the run it belongs to: its study, its data, where to read and where to write."""

import importlib
import json
import os
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from lesionbook import datasets, dependencies, params, paths, report
from lesionbook.datasets.listing import Listing
from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError
from lesionbook.images import Store

DRAWN = (
    "**All images in this report are drawn by a computer program.** They only resemble {subject}, they mean nothing "
    "clinically, and no accuracy measured on them says anything about patients. They are here so that the whole suite "
    "runs anywhere within minutes; give a folder of real images to see real results."
)
MARK = "DRAWN.txt"  # stands in a folder of drawn images


@dataclass(frozen=True)
class Run:
    """One notebook's place in a study.

    Attributes
    ----------
    study, profile, step : str
        File in params/, profile applied, and the experiment's name.
    settings : lesionbook.params.Study
        The study with its profile applied.
    output : Path
        Folder for what the notebook leaves behind.
    """

    study: str
    profile: str
    step: str
    settings: params.Study
    output: Path

    @property
    def drawn(self) -> bool:
        """Whether the images are drawn rather than photographed."""
        return self.profile == "sample"

    @property
    def record(self) -> Record:
        """Facts of the data set."""
        return datasets.adapter(self.settings.dataset).RECORD

    @property
    def names(self) -> dict[str, str]:
        """Class key to its written-out name, in the fixed order of every table and figure."""
        own = self.settings.classes
        return {key: one.name for key, one in own.items()} if own else self.record.classes

    @property
    def classes(self) -> list[str]:
        """Class keys in their fixed order."""
        return list(self.names)

    @cached_property
    def listing(self) -> Listing:
        """What the data folder holds: the table, and what reading it came across; see `lesionbook.datasets`."""
        return datasets.adapter(self.settings.dataset).read(data_folder(self.study, self.profile, self.settings))

    @property
    def table(self) -> pd.DataFrame:
        """One row per labelled image of the data folder, under the labels of the data set."""
        return self.listing.table

    @property
    def labels(self) -> dict[str, str]:
        """Label of the data set to its written-out name; where its folders name the labels, as the study file does."""
        if self.record.classes:
            return self.record.classes
        found = sorted(self.table["label"].unique())
        return {label: self.names.get(label, label) for label in found}

    @property
    def group_name(self) -> str:
        """What images of one group show: as the data set has it, or as preparation found it (see there)."""
        prepared = self.folder(params.SECOND) / "summary.json"
        found = read_json(prepared) if prepared.exists() else {}
        return found.get("group_name", self.record.group_name)

    def folder(self, step: str) -> Path:
        """Folder that another step of this run left its results in."""
        return paths.step(self.profile, self.study, step)

    def result(self, step: str, name: str) -> Path:
        """File that another step left; where it is not there (a notebook opened by hand), that step is run first.

        Raises
        ------
        LesionbookError
            If that step fails or leaves no such file.
        """
        path = self.folder(step) / name
        if not path.exists():
            # Only by hand: make report runs the steps in their order. Named by text, so that a change to how notebooks
            # are run is no change to what they compute.
            execution = importlib.import_module("lesionbook.execution")
            report.show_note(f"The step *{step}* has left no results yet; it is run first, which may take minutes.")
            execution.execute(self.study, self.profile, step)
        if not path.exists():
            raise LesionbookError(f"{paths.relative(path)} is missing; run make report PROFILE={self.profile}.")
        return path

    def store(self) -> Store:
        """Images and index as the preparation notebook left them."""
        return Store.open(self.result(params.SECOND, "index.csv").parent, self.classes)

    def progress(self, done: int, total: int) -> None:
        """Say in the step's folder how far a long computation is, to be watched from a terminal."""
        write_text(self.output / "progress.log", f"{done:,} of {total:,}\n")

    def write_json(self, name: str, values: dict[str, Any]) -> None:
        """Write results as JSON into the output folder, whole or not at all."""
        write_text(self.output / name, json.dumps(values, indent=1, sort_keys=True, default=float) + "\n")

    def write_csv(self, name: str, frame: pd.DataFrame, **options: Any) -> None:
        """Write a table as CSV into the output folder, whole or not at all."""
        write_text(self.output / name, frame.to_csv(lineterminator="\n", **options))


def begin(*, study: str, profile: str, step: str, output: str) -> Run:
    """Open the run that a notebook belongs to and say what its images are.

    Parameters
    ----------
    study, profile, step : str
        As in the notebook's first cell.
    output : str
        Folder for results, from the project's folder; made if absent.

    Raises
    ------
    LesionbookError
        If the study or profile is unknown or the study file is wrong.
    """
    run = Run(study, profile, step, params.load(study, profile), paths.root() / output)
    run.output.mkdir(parents=True, exist_ok=True)
    if run.drawn:
        report.show_note(DRAWN.format(subject=run.record.subject), kind="drawn")
    return run


def data_folder(study: str, profile: str, settings: params.Study) -> Path:
    """Folder of a run's images: drawn ones for the sample, else the folder named by DATA, else data/<dataset>.

    The folder named last is remembered beside the results, not passed through notebooks, so that no report depends on
    where a machine keeps its images. The sample is drawn on first use.

    Raises
    ------
    LesionbookError
        If the folder does not exist.
    """
    if profile == "sample":
        folder = drawn_folder(settings)
        if not (folder / MARK).exists():
            draw(settings)
        return folder
    note = remembered(study, profile)
    folder = Path(note.read_text(encoding="utf-8").strip()) if note.exists() else paths.downloaded(settings.dataset)
    folder = folder if folder.is_absolute() else paths.root() / folder
    if not folder.is_dir():
        record = datasets.adapter(settings.dataset).RECORD
        raise LesionbookError(
            f"No images at {paths.relative(folder)}; name the folder by DATA=…, or put there {record.layout} "
            f"(make data STUDY={study} downloads them)."
        )
    return folder


def drawn_folder(settings: params.Study) -> Path:
    """Folder of the drawn images of a study, named after all that decides them: numbers, seed, code and libraries."""
    painter = datasets.drawer(settings.dataset).__name__
    drawing = dependencies.fingerprint(
        modules=(painter,), packages=("numpy", "opencv-python-headless", "pillow"), values=settings.sample.model_dump()
    )
    return paths.drawn(settings.dataset, drawing)


def draw(settings: params.Study) -> None:
    """Draw the images of a study, with all cores; the folder appears when the last one is drawn."""
    folder, sample = drawn_folder(settings), settings.sample
    try:
        painter = datasets.drawer(settings.dataset)
        painter.draw(folder, images=sample.images, seed=sample.seed, processes=os.cpu_count() or 1)
    except (OSError, LesionbookError):
        if not (folder / MARK).exists():  # else another notebook, running at the same time, has drawn the same images
            raise


def remember(study: str, profile: str, folder: str) -> None:
    """Keep the name of the data folder of a run for this and later runs."""
    path = remembered(study, profile)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, folder + "\n")


def remembered(study: str, profile: str) -> Path:
    """File that holds the name of the data folder of a run."""
    return paths.step(profile, study, "data-folder.txt")


def write_text(path: Path, text: str) -> None:
    """Write a text file so that it is either whole or as it was."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a result file that a step left."""
    return json.loads(path.read_text(encoding="utf-8"))
