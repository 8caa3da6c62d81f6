"""The commands that the rules of the Snakefile call.

A run calls them hundreds of times, so each imports what it needs itself, and nothing else.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

from lesionbook import params, paths, sources
from lesionbook.errors import LesionbookError
from lesionbook.study import Experiment

MODULE = "python -m lesionbook.pipeline"


def draw(study: str) -> None:
    """Draw the sample of a study where it is not there yet."""
    from lesionbook import run

    run.data_folder(study, "sample", params.load(study, "sample"))


def run_notebook(study: str, profile: str, step: str) -> None:
    """Run a notebook; if it fails, still render what there is, with the error at the top.

    Raises
    ------
    LesionbookError
        If a cell failed.
    """
    from lesionbook import execution

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

    heading, _ = _opening(params.load(study, profile).experiments[step])
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
    """List every report there is on one page, and how long each took on another."""
    from lesionbook.render import index, times

    entries = [
        entry for profile in params.PROFILES for study in params.studies() if (entry := _entry(index, study, profile))
    ]
    index.render(entries, paths.root() / "reports" / "index.html")
    times.render(_timed(entries, times.Timed), paths.root() / "reports" / "times.html")


def _render(study: str, profile: str, step: str, notebook: Path) -> None:
    from lesionbook.render import html

    settings = params.load(study, profile)
    navigation = [
        html.NavigationEntry(experiment.title or _opening(experiment)[0], f"{name}.html", name == step)
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
        name: (experiment.title or _opening(experiment)[0], _opening(experiment)[1])
        for name, experiment in settings.experiments.items()
    }
    from lesionbook import overview, run

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
        overview=overview.line(study, profile, settings),
        incomplete=[heading for name, (heading, _) in openings.items() if name not in done or name in failed],
    )


def _timed(entries: list[Any], timed: type) -> list[Any]:
    found = []
    for entry in entries:
        for title, _, page, _ in entry.reports:
            file = paths.step(entry.profile, entry.study, Path(page).stem) / paths.SECONDS
            if file.exists():
                seconds = float(file.read_text(encoding="utf-8"))
                epochs = _epochs(file.with_name("times.csv"))
                found.append(timed(entry.profile, entry.study_title, title, page, seconds, epochs))
    return found


def _epochs(file: Path) -> dict[str, float]:
    """Seconds per epoch of each setting of a sweep; the first epoch of a training also builds its network."""
    if not file.exists():
        return {}
    import pandas as pd

    times = pd.read_csv(file).dropna()
    later = times[times["epoch"] > 1]
    return (times if later.empty else later).groupby("setting", sort=False)["seconds"].median().to_dict()


def _opening(experiment: Experiment) -> tuple[str, str]:
    return sources.opening(paths.notebook(experiment.notebook))


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
