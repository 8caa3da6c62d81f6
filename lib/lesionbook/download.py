"""Downloading the real images of a study, and checking that they are all there."""

import hashlib
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from lesionbook import datasets, params, paths
from lesionbook.datasets import listing
from lesionbook.datasets.record import Record
from lesionbook.errors import LesionbookError


def download(study: str) -> Path:
    """Fetch the data set of a study into ``data/<dataset>`` by kagglehub and check it.

    Returns
    -------
    Path
        The folder; it appears only when everything in it has been checked.

    Raises
    ------
    LesionbookError
        If there is nothing to download, the download fails (no network, no permission), or the set is not complete.
    """
    adapter = datasets.adapter(params.load(study, "laptop").dataset)
    record, folder = adapter.RECORD, paths.downloaded(adapter.RECORD.name)
    if folder.exists():
        check(folder, adapter)
        return folder
    if not record.kaggle:
        raise LesionbookError(
            f"There is nothing to download for {record.title}; put into {paths.relative(folder)}, or into a folder "
            f"named by DATA=…: {record.layout}."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        found = fetch(record, temporary)
        check(found, adapter)
        found.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def fetch(record: Record, folder: Path) -> Path:
    """Download a data set from Kaggle, unpacked.

    Returns
    -------
    Path
        Where it lies: `folder` or a folder in it.

    Raises
    ------
    LesionbookError
        With what to put where by hand, if the download fails.
    """
    import kagglehub  # looks for the network as soon as it is used

    act = kagglehub.competition_download if record.competition else kagglehub.dataset_download
    try:
        return Path(act(record.kaggle, output_dir=str(folder)))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        rules = " after accepting the rules of the competition there" if record.competition else ""
        raise LesionbookError(
            f"{record.title} could not be downloaded ({reason}); fetch {record.kaggle} from Kaggle by hand{rules}, or "
            f"see {record.source}, and put into {paths.relative(paths.downloaded(record.name))}: {record.layout}."
        ) from error


def check(folder: Path, adapter: ModuleType) -> None:
    """Compare a folder with the record of its data set: files by checksum where published, else images by number.

    Raises
    ------
    LesionbookError
        If the folder cannot be read, a file is not the published one, or images of some class are missing.
    """
    record, where = adapter.RECORD, paths.relative(folder)
    found = adapter.read(folder)
    here = listing.files(folder).set_index("name")["path"]
    if here.index.isin(list(record.checksums)).any():
        for name, expected in record.checksums.items():
            if name not in here.index:
                raise LesionbookError(f"{where}: {name} is missing; download it from {record.source}.")
            if md5(Path(here[name])) != expected:
                raise LesionbookError(f"{where}: {name} is not the published file; download it from {record.source}.")
        return
    counts = found.table["label"].value_counts().to_dict()
    wrong = [name for name, expected in record.counts.items() if counts.get(name, 0) != expected]
    if wrong:
        raise LesionbookError(
            f"{where}: {counts.get(wrong[0], 0)} images of class {wrong[0]}, but {record.title} has "
            f"{record.counts[wrong[0]]}; delete the folder and download it again."
        )
    if found.absent and record.counts:
        missing = f"{found.absent} of {len(found.table)} images are missing"
        raise LesionbookError(f"{where}: {missing}; delete the folder and download it again.")


def md5(path: Path) -> str:
    """MD5 checksum of a file: no proof against malice, but the one that is published."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def main() -> None:
    """Download what the command line names; a failure is one sentence and a non-zero exit."""
    studies = sys.argv[1:]
    try:
        if not studies:
            raise LesionbookError("make data needs a study: make data STUDY=ham10000-transfer.")
        for study in studies:
            folder = download(study)
            print(f"{study}: images checked in {paths.relative(folder)}; run make report STUDY={study} PROFILE=laptop")
    except LesionbookError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
