"""Where a report comes from: what would have to be the same for it to come out the same."""

import platform
from pathlib import Path

import pandas as pd

from lesionbook import dependencies, images, params, paths
from lesionbook.run import Run

PACKAGES = ("keras", "tensorflow-cpu", "tensorflow", "jax", "scikit-learn", "numpy", "pandas", "matplotlib", "pillow")


def table(run: Run, **facts: object) -> pd.DataFrame:
    """List what decided a report, without times and without anything of the machine but its kind.

    Parameters
    ----------
    run : Run
        The notebook's run.
    **facts
        Further facts of the notebook (seed, threads, fingerprint …), shown by their names with spaces for underscores.

    Returns
    -------
    DataFrame
        Columns ``what`` and ``value``.
    """
    rows = [("study file, profile, step", f"params/{run.study}.yml, {run.profile}, {run.step}")]
    rows.append(("data set", f"{run.record.title}, drawn by seed" if run.drawn else run.record.title))
    index = run.folder("prepare") / "index.csv"
    if run.step not in set(run.settings.looks) - {params.SECOND} and index.exists():  # these may run before preparation
        rows.append(("split", f"index.csv, SHA-256 {_short(index)}"))
    rows += [(name.replace("_", " "), str(value)) for name, value in facts.items()]
    rows.append(("exact versions", f"requirements.lock, SHA-256 {_short(paths.root() / 'requirements.lock')}"))
    rows.append(
        ("libraries", ", ".join(f"{name} {version}" for name, version in dependencies.versions(PACKAGES).items()))
    )
    rows.append(("Python and processor", f"{platform.python_version()}, {platform.machine()}"))
    return pd.DataFrame(rows, columns=["what", "value"])


def _short(path: Path) -> str:
    return images.digest(path)[:12]
