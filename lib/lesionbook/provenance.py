"""Where a report comes from: what would have to be the same for it to come out the same."""

import hashlib
import platform
from importlib import metadata

import pandas as pd

from lesionbook import params, paths
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
    if run.step != params.FIRST and index.exists():  # exploration may run before preparation or after it
        rows.append(("split", f"index.csv, SHA-256 {_short(index.read_bytes())}"))
    rows += [(name.replace("_", " "), str(value)) for name, value in facts.items()]
    rows.append(
        ("exact versions", f"requirements.lock, SHA-256 {_short((paths.root() / 'requirements.lock').read_bytes())}")
    )
    rows.append(("libraries", ", ".join(_versions())))
    rows.append(("Python and processor", f"{platform.python_version()}, {platform.machine()}"))
    return pd.DataFrame(rows, columns=["what", "value"])


def _versions() -> list[str]:
    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    return found


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
