"""A project whose notebooks do next to nothing, in a folder of its own, to run the real machinery on."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("explore", "prepare", "first", "second", "compare")

# What each notebook does after its parameters; the folder for results exists by then.
WORK = {
    "explore": ["(folder / 'summary.json').write_text(study)"],
    "prepare": [
        "for name in ('index.csv', 'images.npy', 'summary.json'):\n    (folder / name).write_text(f'{name} {seed}')"
    ],
    "first": [
        "print('mistakes', mistakes)",
        "for name in ('predictions.csv', 'summary.json'):\n    (folder / name).touch()",
    ],
    "second": ["for name in ('predictions.csv', 'summary.json'):\n    (folder / name).touch()"],
    "compare": ["(folder / 'summary.json').write_text('{\"headline\": \"none is better\"}')"],
}
STUDY = {
    "title": "A tiny study",
    "summary": "Does the machinery run?",
    "dataset": "ham10000",
    "seed": 3,
    "images": {"size": 16},
    "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
    "experiments": {step: {"notebook": step} for step in STEPS} | {"first": {"notebook": "first", "threads": 2}},
}


def make(folder: Path, name: str = "tiny") -> Path:
    """Study file, notebooks and images of a tiny project."""
    for part in ("params", "notebooks", "data/ham10000"):
        (folder / part).mkdir(parents=True)
    write_study(folder, STUDY, name)
    for step in STEPS:
        write_notebook(folder, step, WORK[step])
    (folder / "requirements.lock").write_text("numpy==1\n")
    (folder / "data" / "ham10000" / "one.jpg").write_bytes(b"one")
    return folder


def write_study(folder: Path, settings: dict, name: str = "tiny") -> None:
    (folder / "params" / f"{name}.yml").write_text(yaml.safe_dump(settings, sort_keys=False))


def write_notebook(folder: Path, step: str, cells: list[str], further: str = "") -> Path:
    knobs = f'study = "tiny"\nprofile = "laptop"\nstep = "{step}"\noutput = "build/by-hand"\nseed = 1\nthreads = 1'
    if step == "first":
        knobs += "\nmistakes = 20"
    knobs += f"\n{further}"
    content = [
        new_markdown_cell(f"# The {step} notebook\n\n*Does it run?*"),
        new_code_cell(knobs, metadata={"tags": ["parameters"]}),
        new_code_cell("from pathlib import Path\n\nfolder = Path(output)\nfolder.mkdir(parents=True, exist_ok=True)"),
        *[new_code_cell(cell) for cell in cells],
    ]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    for number, cell in enumerate(content):
        cell.id = f"cell-{number:03d}"
    path = folder / "notebooks" / f"{step}.ipynb"
    nbformat.write(new_notebook(cells=content, metadata=metadata), path)
    return path


def with_machinery(folder: Path) -> Path:
    """Add what a run by `make` needs: front door, order of the work, and a library of its own."""
    for name in ("Makefile", "Snakefile"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "lib", folder / "lib", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (folder / ".venv").mkdir()
    (folder / ".venv" / ".lesionbook-ready").touch()
    return folder


def run_make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run a verb of the Makefile with this Python and the project's own library."""
    environment = {name: value for name, value in os.environ.items() if name != "CONDA_DEFAULT_ENV"}
    environment |= {"PYTHONPATH": str(folder / "lib"), "MAKEFLAGS": ""}
    command = ["make", "--no-print-directory", "--old-file=.venv/.lesionbook-ready", f"PYTHON={sys.executable}"]
    return subprocess.run([*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
