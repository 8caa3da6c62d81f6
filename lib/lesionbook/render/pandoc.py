"""The one place that starts pandoc: the package's own copy, with a time limit and errors in a sentence."""

import subprocess
from pathlib import Path

import pypandoc

from lesionbook.errors import LesionbookError

TIMEOUT = 120  # seconds; a book of a dozen reports takes about three


def run(arguments: list[str], text: str, *, folder: Path | None = None) -> str:
    """Convert a text.

    Parameters
    ----------
    arguments : list of str
        pandoc's options, such as ``["--from=html", "--to=typst"]``.
    text : str
        The document, given on standard input.
    folder : Path, optional
        The folder that relative paths start from.

    Raises
    ------
    LesionbookError
        If pandoc is missing, refuses the text or takes longer than `TIMEOUT` seconds.
    """
    # A pandoc that happens to be installed may be of another version and write other bytes: prefer the package's own.
    bundled = Path(pypandoc.__file__).parent / "files" / "pandoc"
    program = next((str(path) for path in (bundled, bundled.with_suffix(".exe")) if path.exists()), None)
    try:
        done = subprocess.run(
            [program or pypandoc.get_pandoc_path(), *arguments],
            input=text,
            capture_output=True,
            encoding="utf-8",
            cwd=folder,
            timeout=TIMEOUT,
            check=False,
        )
    except OSError as error:
        raise LesionbookError("pandoc cannot be started; install the packages of requirements.lock.") from error
    except subprocess.TimeoutExpired as error:
        raise LesionbookError(f"pandoc took longer than {TIMEOUT} seconds and was stopped; try again.") from error
    if done.returncode:
        raise LesionbookError(
            f"pandoc refused the text: {' '.join(done.stderr.partition('expecting')[0].split())[:300]}"
        )
    return done.stdout
