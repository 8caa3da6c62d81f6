"""The one folder that files pass through, and how soon they leave it."""

import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

AGE = 60.0  # seconds after which a file goes that nobody asked about
PAUSE = 15.0


class Temporary:
    """A folder for what the page is handed, emptied all the time and deleted at the end.

    The page's library (Gradio) writes an uploaded file into it before anyone can look at it; `forget` removes the file
    as soon as it is answered. Whatever else lies there, such as the rest of an upload that broke off, goes when it is
    a minute old.
    """

    def __init__(self, age: float = AGE, pause: float = PAUSE) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lesionbook-serve-")).resolve()
        self._age, self._pause = age, pause
        self._kept: set[Path] = set()
        self._ended = threading.Event()

    def __enter__(self) -> "Temporary":
        """Have Gradio and everything else of this process use the folder; only before Gradio is imported."""
        os.environ["GRADIO_TEMP_DIR"] = str(self.folder)
        self._before = tempfile.tempdir
        tempfile.tempdir = str(self.folder)
        self._thread = threading.Thread(target=self._work, name="sweep", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Delete the folder with everything in it."""
        self._ended.set()
        self._thread.join()
        tempfile.tempdir = self._before
        shutil.rmtree(self.folder, ignore_errors=True)

    def keep(self) -> None:
        """Let what lies there now stay until the end: the page's own pictures."""
        self._kept = {path for path in self.folder.rglob("*") if path.is_file()}

    def path(self, told: object) -> Path | None:
        """Where a file lies that the page says was uploaded; None unless that is here."""
        try:
            path = Path(told["path"]).resolve()
            return path if path.is_relative_to(self.folder) and path.is_file() else None
        except (KeyError, TypeError, ValueError, OSError):
            return None

    def forget(self, path: Path) -> None:
        """Remove a file that has been answered, if it lies here."""
        if path.resolve().is_relative_to(self.folder) and path not in self._kept:
            self._remove(path)

    def sweep(self) -> None:
        """Remove what is older than it may get."""
        for path in list(self.folder.rglob("*")):
            with suppress(OSError):  # gone in the meantime
                if path.is_file() and path not in self._kept and time.time() - path.stat().st_ctime > self._age:
                    self._remove(path)

    def _remove(self, path: Path) -> None:
        """Remove a file and its folder, whose name is made from the content, unless something else lies there."""
        path.unlink(missing_ok=True)
        if path.parent != self.folder:
            with suppress(OSError):
                path.parent.rmdir()

    def _work(self) -> None:
        while not self._ended.wait(self._pause):
            self.sweep()
