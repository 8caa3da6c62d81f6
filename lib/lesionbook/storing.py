"""Writing the store: all images of a table into one array, by all cores, going on where an earlier run was cut off."""

import hashlib
import json
import zlib
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from lesionbook import dependencies, near_duplicates, processes
from lesionbook.decoding import decode, file_of
from lesionbook.errors import LesionbookError

PIECE = 2**23  # bytes of pixels that a process hands over at a time
FACTS = ["width", "height", "mode", "format", "rotated", "content", "perceptual", "problem"]
MODULES = ("lesionbook.decoding", "lesionbook.near_duplicates")  # whose code, like these packages, decides the bytes
PACKAGES = ("pillow", "numpy", "scipy", "opencv-python-headless", "h5py")


def build(
    table: pd.DataFrame,
    path: Path,
    *,
    size: int,
    fit: str,
    set_aside: int = 0,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Decode every image of a table into one array on disk, in the order of the table.

    The images are decoded by all cores, a piece of the table at a time, and written piece after piece. A journal beside
    the unfinished file keeps what was found: a run that was interrupted, or stopped by a bad file, goes on behind the
    last whole piece the next time, or before the first one with a file that has changed since. The bytes are the same
    as without an interruption. What another table, size, fit or version of the decoding left is thrown away.

    Parameters
    ----------
    table : DataFrame of N rows
        With ``image_id`` and ``path``.
    path : Path
        File to write: uint8 of shape (M, size, size, 3), the M sound images in the order of the table. It appears only
        when it is complete.
    size, fit
        As in `decoding.decode`.
    set_aside : int
        How many files may be unusable before the run stops.
    on_progress : callable
        Called with the rows done and in all, after each piece.

    Returns
    -------
    DataFrame of N rows
        ``image_id``; ``width, height, mode, format, rotated, content`` as in `decoding.decode`; ``perceptual``: the
        hash of `near_duplicates.perceptual_hash` as hexadecimal digits, see `hashes`; ``problem``: empty, or why the
        file could not be used. The other facts are then missing, and the array has no image of it.

    Raises
    ------
    LesionbookError
        If there are no images, or more than `set_aside` files cannot be used.
    """
    if table.empty:
        raise LesionbookError("There are no images to prepare; check the data folder.")
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = processes.parted(list(table["path"]), min(processes.LONGEST, PIECE // (3 * size**2) or 1))
    part, journal = path.with_suffix(".part"), path.with_suffix(".journal")
    part.touch()
    journal.touch()
    with part.open("r+b") as array, journal.open("r+b") as log:
        kept = _resume(array, log, _fingerprint(table, size, fit), pieces, size)
        records = [record for entry in kept for record in entry["files"]]
        problems = _problems(records)
        _check(problems, set_aside)
        if kept:
            on_progress(len(records), len(table))
        with closing(processes.in_order(partial(_piece, size=size, fit=fit), pieces[len(kept) :])) as results:
            for entry, pixels in results:
                records += entry["files"]
                problems += _problems(entry["files"])
                _check(problems, set_aside)
                line = json.dumps(entry).encode()
                array.write(pixels)
                array.flush()  # before the journal says that it is there
                log.write(b"%08x %b\n" % (_checksum(pixels, line), line))
                log.flush()
                on_progress(len(records), len(table))
        if len(problems) == len(table):
            raise LesionbookError(f"None of the {len(table)} images can be used; the first: {problems[0]}")
        array.seek(0)
        _write_header(array, len(table) - len(problems), size)
    part.replace(path)
    journal.unlink()
    files = pd.DataFrame(records, columns=FACTS).astype({"width": "Int64", "height": "Int64", "rotated": "boolean"})
    files.insert(0, "image_id", table["image_id"].to_numpy())
    return files


def hashes(perceptual: pd.Series) -> np.ndarray:
    """Perceptual hashes as numbers, uint64 of shape (N, W), from the hexadecimal digits of `build`."""
    words = np.frombuffer(bytes.fromhex("".join(perceptual)), dtype=">u8")
    return words.reshape(len(perceptual), -1).astype(np.uint64)


def _piece(paths: list[Path], size: int, fit: str) -> tuple[dict[str, object], bytes]:
    """One line of the journal, and the pixels that it stands for."""
    stamp = _stamp(paths)  # before reading: a file that changes meanwhile is then seen to have changed
    images, records = [], []
    for path in map(Path, paths):
        try:
            image, facts = decode(path, size, fit)
        except LesionbookError as error:
            records.append([None] * (len(FACTS) - 1) + [str(error)])
        else:
            images.append(image)
            records.append([*(facts[name] for name in FACTS[:-2]), None, ""])
    stack = np.array(images, dtype=np.uint8).reshape(-1, size, size, 3)
    sound = [record for record in records if not record[-1]]
    if sound:
        for record, words in zip(sound, near_duplicates.perceptual_hash(stack).astype(">u8"), strict=True):
            record[-2] = words.tobytes().hex()
    pixels = stack.tobytes()
    return {"stamp": stamp, "files": records}, pixels


def _problems(records: list[list]) -> list[str]:
    return [record[-1] for record in records if record[-1]]


def _check(problems: list[str], set_aside: int) -> None:
    if len(problems) > set_aside:
        allowed = f"More than the {set_aside} files that may be set aside cannot be used; the next is "
        hint = " A study file lets some pass by set_aside."
        raise LesionbookError((allowed if set_aside else "") + problems[set_aside] + hint)


def _fingerprint(table: pd.DataFrame, size: int, fit: str) -> str:
    values = [table["image_id"].tolist(), [str(path) for path in table["path"]], size, fit]
    return dependencies.fingerprint(modules=MODULES, packages=PACKAGES, values=values)


def _resume(array: IO[bytes], log: IO[bytes], fingerprint: str, pieces: list[list[Path]], size: int) -> list[dict]:
    """Journal of the pieces that are whole and of unchanged files; both files are cut off and stand behind the last."""
    kept = []
    if log.readline() != fingerprint.encode() + b"\n":
        array.truncate(0)
        log.seek(0)
        log.truncate()
        log.write(fingerprint.encode() + b"\n")
    _write_header(array, 0, size)
    ends = array.tell(), log.tell()
    for paths, line in zip(pieces, log, strict=False):
        try:
            entry = json.loads(line[9:])
            sound = len(paths) - len(_problems(entry["files"]))
        except (ValueError, LookupError, TypeError):  # cut off or changed
            break
        pixels = array.read(3 * size**2 * sound)
        if line[:8] != b"%08x" % _checksum(pixels, line[9:-1]) or entry["stamp"] != _stamp(paths):
            break
        kept.append(entry)
        ends = array.tell(), log.tell()
    for file, end in zip((array, log), ends, strict=True):
        file.seek(end)
        file.truncate()
    return kept


def _checksum(pixels: bytes, line: bytes) -> int:
    return zlib.crc32(line, zlib.crc32(pixels))


def _stamp(paths: list[Path]) -> str:
    """Hash of sizes and times of some files; of one that cannot be seen, of that fact."""
    facts = []
    for path in map(Path, paths):
        try:
            status = file_of(path).stat()
            facts.append((status.st_size, status.st_mtime_ns))
        except OSError:
            facts.append(None)
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _write_header(array: IO[bytes], images: int, size: int) -> None:
    """Begin a .npy file; its header has room for any number of images and can be written again."""
    shape = {"descr": "|u1", "fortran_order": False, "shape": (images, size, size, 3)}
    np.lib.format.write_array_header_1_0(array, shape)
