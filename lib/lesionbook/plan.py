"""Which notebook feeds which: the steps of a run, checked before anything starts."""

import hashlib
import os
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from lesionbook import dependencies, initial_weights, params, paths, published_facts, run, sources
from lesionbook.architectures import builders
from lesionbook.errors import LesionbookError
from lesionbook.tuning import settings as tuning

Place = tuple[str, str]  # study and experiment


@dataclass(frozen=True)
class Step:
    """One notebook of one study: what must be drawn for it, what it reads and leaves, and the arguments it gets.

    ``threads`` are those of all its processes together; of what could run, a higher ``priority`` runs first.
    """

    study: str
    profile: str
    name: str
    title: str
    heading: str
    question: str
    threads: int
    priority: int
    draws: list[str]
    inputs: dict[str, list[str]]
    outputs: dict[str, str]
    arguments: dict[str, Any]

    @property
    def html(self) -> str:
        """Rendered report."""
        return paths.relative(paths.report(self.profile, self.study, self.name))

    @property
    def pdf(self) -> str:
        """The same as PDF."""
        return paths.relative(paths.report(self.profile, self.study, self.name, "pdf"))

    @property
    def command(self) -> str:
        """Study, profile and step as arguments of a command."""
        return f"{self.study} {self.profile} {self.name}"


def steps(studies: list[str], profile: str, data: str = "") -> dict[str, list[Step]]:
    """Check everything that can be checked before a run, and list each study's notebooks in their order.

    Parameters
    ----------
    studies : list of str
        Names of study files; empty for all.
    profile : str
        Profile to apply.
    data : str
        Folder of real images; remembered for later runs. Only with a single study.

    Raises
    ------
    LesionbookError
        At the first thing that would stop the run later: an unknown key, parameter or notebook, no images, experiments
        that wait for each other or for one that has not run.
    """
    if profile == "sample":
        studies = studies or [study for study in params.studies() if params.drawable(study)]
    studies = studies or params.studies()
    if data and profile == "sample":
        raise LesionbookError("DATA is for real images, but PROFILE is sample; add PROFILE=laptop or PROFILE=paper.")
    if data and len(studies) != 1:
        raise LesionbookError("DATA names one folder; name the one study it belongs to by STUDY=….")
    planned, first = {}, {}
    for study in studies:
        settings = params.check(study, profile)
        if profile == "sample" and not params.drawable(study):
            raise LesionbookError(
                f"params/{study}.yml has no sample profile: add PROFILE=laptop and DATA=folder of images."
            )
        published_facts.of(study, settings)
        try:
            tuning.check(settings)
        except LesionbookError as error:
            raise LesionbookError(f"params/{study}.yml: {error}") from error
        if data:
            folder = Path(data).expanduser()
            if not folder.is_dir():
                raise LesionbookError(f"DATA={data} is no folder; name the folder that holds the images.")
            run.remember(
                study, profile, str(folder if folder.is_absolute() else Path(os.path.relpath(folder, paths.root())))
            )
        listing = _listing(study, profile, settings)
        first |= _first(study, profile, settings, studies)
        planned[study] = [
            _step(study, profile, name, settings, listing, first[study, name]) for name in settings.experiments
        ]
    try:
        TopologicalSorter(first).prepare()
    except CycleError as error:
        circle = " after ".join("/".join(place) for place in error.args[1])
        raise LesionbookError(f"weights, models: {circle} can never run; break the circle in params/.") from error
    return planned


def report_modules() -> list[str]:
    """Files of the library that decide what a report looks like."""
    modules = dependencies.of_modules("lesionbook.render.html", "lesionbook.render.pdf", "lesionbook.render.index")
    assets = [
        path for path in (dependencies.PACKAGE / "render").rglob("*") if path.suffix in (".j2", ".css", ".js", ".typ")
    ]
    return sorted(paths.relative(path) for path in [*modules, *assets])


def _first(study: str, profile: str, settings: params.Study, studies: list[str]) -> dict[Place, list[Place]]:
    """For each experiment of a study those whose networks it starts from, combines or uses."""
    first: dict[Place, list[Place]] = {(study, name): [] for name in settings.experiments}
    for name in [*settings.combinations, *settings.uses]:
        for member in settings.members(name):
            if member not in settings.networks:
                meant = params.meant(member, settings.networks)
                raise LesionbookError(
                    f"params/{study}.yml: experiments.{name}: models: {member!r} is no experiment of this study that "
                    f"trains a network{meant}."
                )
            first[study, name].append((study, member))
    for name in [*settings.sweeps, *settings.searches]:
        knobs = settings.experiments[name].parameters
        first[study, name] += [(study, other) for other in (*knobs.sweeps, *knobs.against)]
    for name in [*settings.models, *settings.repetitions, *settings.sweeps]:
        weights = settings.trained(name).parameters.weights
        try:
            initial_weights.check(weights, study=study, profile=profile)
        except LesionbookError as error:
            raise LesionbookError(f"params/{study}.yml: experiments.{name}: {error}") from error
        wanted = initial_weights.needs(weights, study)
        if wanted is not None:
            first[study, name].append(wanted)
        if (
            wanted
            and wanted[0] not in studies
            and not (paths.step(profile, *wanted) / initial_weights.TRAINED).exists()
        ):
            raise LesionbookError(
                f"params/{study}.yml: experiments.{name} starts from the network of {weights}, which has not been "
                f'trained under the profile {profile}; run both by STUDY="{wanted[0]} {study}".'
            )
    return first


def _step(study: str, profile: str, name: str, settings: params.Study, listing: str, first: list[Place]) -> Step:
    experiment = settings.experiments[name]
    threads = experiment.threads * experiment.parameters.workers
    notebook = paths.notebook(experiment.notebook)
    modules = {*dependencies.of_notebook(notebook), *dependencies.of_modules(f"lesionbook.datasets.{settings.dataset}")}
    source = [paths.relative(path) for path in [notebook, *sorted(modules)]] + ["requirements.lock"]
    folder = paths.relative(paths.step(profile, study, name))
    products = ["summary.json"]
    reads: list[str] = []
    kept: list[str] = []
    draws: list[str] = []
    answering = {*settings.models, *settings.repetitions}
    arguments = params.arguments(study, profile, name, settings)
    prepared = paths.relative(paths.step(profile, study, params.SECOND))
    if name == params.SECOND:
        products += ["index.csv", "images.npy"]
    elif name == params.LAST or name in settings.afterwards:
        models = [*settings.models, *(settings.repetitions if name == params.LAST else ())]
        reads = [f"{paths.relative(paths.step(profile, study, model))}/predictions.csv" for model in models]
        if name == params.LAST:  # subgroups
            reads.append(f"{prepared}/index.csv")
            kept = [f"{prepared}/images.npy"]
        if name in settings.afterwards:
            reads.append(f"{paths.relative(paths.step(profile, study, params.LAST))}/summary.json")
            source += sorted(paths.relative(path) for path in dependencies.PACKAGE.glob("checklists/*.yml"))
    else:
        reads = [f"{prepared}/index.csv", f"{prepared}/summary.json"] if name not in settings.looks else []
        # The index's neighbour holds the hash of the images, so their age need not count.
        kept = [f"{prepared}/images.npy"] if name not in settings.looks else []
    # A network is saved with the time; the results beside it change only when it does.
    reads += [f"{paths.relative(paths.step(profile, *place))}/summary.json" for place in first]
    if name in answering:
        products.append("predictions.csv")
    if name in settings.uses:
        products.append(use_file(experiment.notebook))
        if experiment.parameters.folder:
            arguments |= {"folder files": _names(paths.root() / Path(experiment.parameters.folder).expanduser())}
    if name in (*settings.combinations, *settings.uses):
        reads += [f"{paths.relative(paths.step(profile, *place))}/predictions.csv" for place in first]
    if name in (*settings.sweeps, *settings.searches):  # they train the network of the experiment that they vary
        base = settings.trained(name)
        source += [paths.relative(path) for path in dependencies.of_modules(builders.module(base.notebook))]
        source = list(dict.fromkeys(source))
        against = experiment.parameters.against
        reads += [f"{paths.relative(paths.step(profile, study, one))}/predictions.csv" for one in against]
        named = (*experiment.parameters.sweeps, *against)
        arguments |= {"titles": {one: settings.experiments[one].title for one in named}}
        arguments |= {"base": [base.model_dump(mode="json"), params.defaults(paths.notebook(base.notebook))]}
        arguments |= {"published": settings.published}
    if name in (*settings.looks, *settings.uses):
        draws = [drawn_images(settings)] if profile == "sample" else []
        kept += draws
        arguments |= {"files": listing}
    if name in (*settings.combinations, *settings.uses, *settings.afterwards, params.LAST):
        arguments |= {"titles": {model: settings.experiments[model].title for model in settings.models}}
    if name not in answering:  # a model meets the rest of the study file in its inputs
        arguments |= {"settings": settings.model_dump(mode="json", exclude={"experiments", "title", "summary"})}
    return Step(
        study=study,
        profile=profile,
        name=name,
        title=experiment.title or sources.opening(notebook)[0],
        heading=settings.title,
        question=settings.summary,
        threads=threads,
        priority=10 * threads if name in _chain(settings) else 1,
        draws=draws,
        inputs={"source": source, "results": reads, "kept": kept},
        outputs={"notebook": f"{folder}/{paths.EXECUTED}"} | {p.split(".")[0]: f"{folder}/{p}" for p in products},
        arguments=arguments,
    )


def _chain(settings: params.Study) -> list[str]:
    """Steps that a long search waits for, and the searches: begun late, they would run alone in the end."""
    return [params.SECOND, *settings.sweeps, *settings.searches] if settings.searches else []


def _listing(study: str, profile: str, settings: params.Study) -> str:
    """Hash of names, sizes and times in the data folder: a changed, new or removed file makes its readers run again."""
    if profile == "sample":
        return ""  # drawn images have another folder when they change
    return _names(run.data_folder(study, profile, settings))


def _names(folder: Path) -> str:
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            facts = path.stat()
            content.update(f"{path.relative_to(folder).as_posix()} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return content.hexdigest()


def use_file(notebook: str) -> str:
    """File in which a notebook that uses models leaves its answers: ``submission.csv`` for ``80-submission``."""
    return f"{notebook.partition('-')[2] or notebook}.csv"


def drawn_images(settings: params.Study) -> str:
    """File that stands in the folder of drawn images once all are drawn."""
    return f"{paths.relative(run.drawn_folder(settings))}/{run.MARK}"
