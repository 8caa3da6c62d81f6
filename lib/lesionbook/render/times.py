"""How long each notebook took: the one page of a run that comes out different every time."""

import os
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

import lesionbook
from lesionbook.render import asset


@dataclass(frozen=True)
class Timed:
    """A notebook that was run.

    Attributes
    ----------
    profile, study_title, title : str
        Where it belongs.
    href : str
        Its page, relative to this one.
    seconds : float
        From its start to its end.
    epochs : dict
        Of a sweep: seconds per epoch of each setting.
    """

    profile: str
    study_title: str
    title: str
    href: str
    seconds: float
    epochs: dict[str, float] = field(default_factory=dict)


def render(timed: list[Timed], output: Path) -> None:
    """Write the page; notebooks of one study stand side by side in `timed`, and studies of one profile."""
    studies = [
        (*study, rows, written(sum(one.seconds for one in rows)))
        for study, group in groupby(timed, key=lambda one: (one.profile, one.study_title))
        for rows in [list(group)]
    ]
    template = Environment(
        loader=PackageLoader("lesionbook.render", "assets"), autoescape=True, keep_trailing_newline=True
    )
    text = template.get_template("times.html.j2").render(
        studies=studies,
        total=written(sum(one.seconds for one in timed)),
        cores=os.cpu_count(),
        written=written,
        longest=lambda one: max(one.epochs.values()),
        css=Markup(f"{asset('page.css')}\n{asset('index.css')}"),
        version=lesionbook.__version__,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8", newline="\n")


def written(seconds: float) -> str:
    """Write a duration for reading: ``0.31 s``, ``48 s``, ``12.5 min``, ``3.2 h``."""
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5970 else f"{seconds / 3600:.1f} h"
