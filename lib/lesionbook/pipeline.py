"""What Snakemake needs to know of a run (which files feed which) and the commands its rules call."""

import argparse
import hashlib
import os
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lesionbook import dependencies, params, paths, run, sources
from lesionbook.errors import LesionbookError

MODULE = "python -m lesionbook.pipeline"


@dataclass(frozen=True)
class Step:
    """One notebook of one study: what must be drawn for it, what it reads and leaves, and the arguments it gets."""

    study: str
    profile: str
    name: str
    title: str
    heading: str
    question: str
    threads: int
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


def plan(studies: list[str], profile: str, data: str = "") -> dict[str, list[Step]]:
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
        At the first thing that would stop the run later: an unknown key, parameter or notebook, no images.
    """
    studies = studies or all_studies()
    if data and profile == "sample":
        raise LesionbookError("DATA is for real images, but PROFILE is sample; add PROFILE=laptop or PROFILE=paper.")
    if data and len(studies) != 1:
        raise LesionbookError("DATA names one folder; name the one study it belongs to by STUDY=….")
    steps = {}
    for study in studies:
        settings = params.check(study, profile)
        if data:
            folder = Path(data).expanduser()
            if not folder.is_dir():
                raise LesionbookError(f"DATA={data} is no folder; name the folder that holds the images.")
            run.remember(
                study, profile, str(folder if folder.is_absolute() else Path(os.path.relpath(folder, paths.root())))
            )
        listing = _listing(study, profile, settings)
        steps[study] = [_step(study, profile, name, settings, listing) for name in settings.experiments]
    return steps


def all_studies() -> list[str]:
    """Names of all study files."""
    return sorted(path.stem for path in (paths.root() / "params").glob("*.yml"))


@cache
def opening(notebook: str) -> tuple[str, str]:
    """Title and question of a notebook, from its first cell: ``# Title``, then the question in italics."""
    first = sources.cells(paths.notebook(notebook))[0].text
    found = re.match(r"# (.+)\n\n\*(.+)\*", first)
    if not found:
        raise LesionbookError(
            f"{notebook}.ipynb: begin the first cell with '# Title', an empty line and '*The question in a sentence?*'."
        )
    return found.group(1).strip(), found.group(2).strip()


def report_modules() -> list[str]:
    """Files of the library that decide what a report looks like."""
    modules = dependencies.of_modules("lesionbook.render.html", "lesionbook.render.pdf", "lesionbook.render.index")
    assets = [
        path for path in (dependencies.PACKAGE / "render").rglob("*") if path.suffix in (".j2", ".css", ".js", ".typ")
    ]
    return sorted(paths.relative(path) for path in [*modules, *assets])


def _step(study: str, profile: str, name: str, settings: params.Study, listing: str) -> Step:
    experiment = settings.experiments[name]
    notebook = paths.notebook(experiment.notebook)
    modules = {*dependencies.of_notebook(notebook), *dependencies.of_modules(f"lesionbook.datasets.{settings.dataset}")}
    source = [paths.relative(path) for path in [notebook, *sorted(modules)]] + ["requirements.lock"]
    folder = paths.relative(paths.step(profile, study, name))
    products = ["summary.json"]
    reads: list[str] = []
    kept: list[str] = []
    draws: list[str] = []
    arguments = params.arguments(study, profile, name, settings)
    prepared = paths.relative(paths.step(profile, study, params.SECOND))
    if name == params.SECOND:
        products += ["index.csv", "images.npy"]
    elif name == params.LAST:
        reads = [f"{paths.relative(paths.step(profile, study, model))}/predictions.csv" for model in settings.models]
    elif name in settings.models:
        products.append("predictions.csv")
        reads = [f"{prepared}/index.csv", f"{prepared}/summary.json"]
        # The index's neighbour holds the hash of the images, so their age need not count.
        kept = [f"{prepared}/images.npy"]
    if name in settings.looks:
        kept = draws = [drawn_images(settings)] if profile == "sample" else []
        arguments |= {"files": listing}
    if name == params.LAST:
        arguments |= {"titles": {model: settings.experiments[model].title for model in settings.models}}
    if name not in settings.models:  # a model meets the rest of the study file in its inputs
        arguments |= {"settings": settings.model_dump(mode="json", exclude={"experiments", "title", "summary"})}
    return Step(
        study=study,
        profile=profile,
        name=name,
        title=experiment.title or opening(experiment.notebook)[0],
        heading=settings.title,
        question=settings.summary,
        threads=experiment.threads,
        draws=draws,
        inputs={"source": source, "results": reads, "kept": kept},
        outputs={"notebook": f"{folder}/{paths.EXECUTED}"} | {p.split(".")[0]: f"{folder}/{p}" for p in products},
        arguments=arguments,
    )


def _listing(study: str, profile: str, settings: params.Study) -> str:
    """Hash of names, sizes and times in the data folder: a changed, new or removed file makes its readers run again."""
    if profile == "sample":
        return ""  # drawn images have another folder when they change
    folder = run.data_folder(study, profile, settings)
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            facts = path.stat()
            content.update(f"{path.relative_to(folder).as_posix()} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return content.hexdigest()


def drawn_images(settings: params.Study) -> str:
    """File that stands in the folder of drawn images once all are drawn."""
    return f"{paths.relative(run.drawn_folder(settings))}/{run.MARK}"


def draw(study: str) -> None:
    """Draw the sample of a study where it is not there yet."""
    run.data_folder(study, "sample", params.load(study, "sample"))


def run_notebook(study: str, profile: str, step: str) -> None:
    """Run a notebook; if it fails, still render what there is, with the error at the top.

    Raises
    ------
    LesionbookError
        If a cell failed.
    """
    from lesionbook import execution  # takes a second to import, which planning a run need not wait for

    failed = paths.step(profile, study, step) / paths.FAILED
    try:
        execution.execute(study, profile, step)
    except LesionbookError as error:
        if failed.exists():
            _render(study, profile, step, failed)
            page = paths.relative(paths.report(profile, study, step))
            raise LesionbookError(f"{error}\n       what it had done until then: {page}") from error
        raise


def render_html(study: str, profile: str, step: str) -> None:
    """Render an executed notebook as HTML."""
    _render(study, profile, step, paths.step(profile, study, step) / paths.EXECUTED)


def render_pdf(study: str, profile: str, step: str) -> None:
    """Turn a rendered report into a PDF."""
    from lesionbook.render import pdf

    heading, _ = opening(params.load(study, profile).experiments[step].notebook)
    pdf.render(paths.report(profile, study, step), paths.report(profile, study, step, "pdf"), title=heading)


def render_book(study: str, profile: str) -> None:
    """Bind all reports of a study into one PDF."""
    from lesionbook.render import pdf

    settings = params.load(study, profile)
    pages = [paths.report(profile, study, step) for step in settings.experiments]
    pdf.book(
        pages, paths.report(profile, study, "book", "pdf"), title=settings.title, subtitle=_subtitle(settings, profile)
    )


def render_index() -> None:
    """List every report there is on one page."""
    from lesionbook.render import index

    entries = [
        entry for profile in params.PROFILES for study in all_studies() if (entry := _entry(index, study, profile))
    ]
    index.render(entries, paths.root() / "reports" / "index.html")


def _render(study: str, profile: str, step: str, notebook: Path) -> None:
    from lesionbook.render import html

    settings = params.load(study, profile)
    navigation = [
        html.NavigationEntry(experiment.title or opening(experiment.notebook)[0], f"{name}.html", name == step)
        for name, experiment in settings.experiments.items()
    ]
    output = paths.report(profile, study, step)
    output.parent.mkdir(parents=True, exist_ok=True)
    html.render(notebook, output, study_title=settings.title, navigation=navigation, profile=profile)


def _subtitle(settings: params.Study, profile: str) -> str:
    images = "drawn images, for trying the suite out" if profile == "sample" else f"{settings.dataset} images"
    return f"{settings.summary} Profile {profile}: {images}."


def _entry(index: Any, study: str, profile: str) -> Any:
    settings = params.load(study, profile)
    folder = paths.report(profile, study, "book", "pdf").parent
    done = [name for name in settings.experiments if (folder / f"{name}.html").exists()]
    if not done:
        return None
    openings = {
        name: (experiment.title or opening(experiment.notebook)[0], opening(experiment.notebook)[1])
        for name, experiment in settings.experiments.items()
    }
    failed = [name for name in openings if (paths.step(profile, study, name) / paths.FAILED).exists()]
    summary = paths.step(profile, study, params.LAST) / "summary.json"
    return index.IndexEntry(
        profile=profile,
        study=study,
        study_title=settings.title,
        question=settings.summary,
        book_href=f"{profile}/{study}/book.pdf",
        reports=[(*openings[name], f"{profile}/{study}/{name}.html", f"{profile}/{study}/{name}.pdf") for name in done],
        drawn=profile == "sample",
        headline=run.read_json(summary).get("headline") if summary.exists() else None,
        incomplete=[heading for name, (heading, _) in openings.items() if name not in done or name in failed],
    )


def main() -> None:
    """Run one command of a rule; a failure is one sentence on the error stream and a non-zero exit."""
    commands = {
        "draw": draw,
        "run": run_notebook,
        "html": render_html,
        "pdf": render_pdf,
        "book": render_book,
        "index": render_index,
    }
    parser = argparse.ArgumentParser(prog=MODULE, description="One step of a Lesionbook run.")
    parser.add_argument("command", choices=commands)
    parser.add_argument("arguments", nargs="*", help="study, profile and step, as far as the command needs them")
    given = parser.parse_args()
    try:
        commands[given.command](*given.arguments)
    except LesionbookError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
