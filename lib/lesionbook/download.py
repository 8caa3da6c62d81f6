"""Downloading the real images of a study, and checking that they are all there."""

import shutil
import sys
import tempfile
from pathlib import Path

from lesionbook import datasets, params, paths
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
        If the download fails (no network, no permission) or the set is not complete.
    """
    adapter = datasets.adapter(params.load(study, "laptop").dataset)
    record, folder = adapter.RECORD, paths.downloaded(adapter.RECORD.name)
    if folder.exists():
        check(folder, adapter)
        return folder
    import kagglehub  # looks for the network as soon as it is used

    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        try:
            found = Path(kagglehub.dataset_download(record.kaggle, output_dir=str(temporary)))
        except Exception as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise LesionbookError(
                f"{record.title} could not be downloaded ({reason}); download {record.kaggle} from Kaggle by hand and "
                f"put into {paths.relative(folder)}: {record.layout}."
            ) from error
        check(found, adapter)
        found.replace(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def check(folder: Path, adapter: object) -> None:
    """Count the images of a folder against the record of its data set.

    Raises
    ------
    LesionbookError
        If the folder cannot be read or holds another number of images of some class.
    """
    record = adapter.RECORD
    counts = adapter.read(folder)["label"].value_counts().to_dict()
    wrong = [name for name, expected in record.counts.items() if counts.get(name, 0) != expected]
    if wrong:
        raise LesionbookError(
            f"{paths.relative(folder)}: {counts.get(wrong[0], 0)} images of class {wrong[0]}, but {record.title} has "
            f"{record.counts[wrong[0]]}; delete the folder and download it again."
        )


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
