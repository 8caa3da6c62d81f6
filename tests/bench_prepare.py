"""How fast images are prepared: `make bench`; not a test, and no result of it decides anything."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import psutil
from PIL import Image

from lesionbook import decoding, near_duplicates, processes, storing
from lesionbook.datasets import pcam
from lesionbook.errors import LesionbookError
from lesionbook.sample import ham10000
from lesionbook.sample import pcam as pcam_sample

SEED = 1
WATCHED = 0.05  # seconds between two looks at the memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median counts (default: 5)")
    parser.add_argument("--patches", type=int, default=0, help="prepare so many drawn patches from end to end as well")
    parser.add_argument("--end-to-end", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # for the helpers, as in a notebook that make report runs
    if arguments.end_to_end:
        print(json.dumps(end_to_end(arguments.end_to_end)))
        return
    with tempfile.TemporaryDirectory(prefix="lesionbook-bench-") as folder:
        print(f"{processes.cores()} cores, images per second, median of {arguments.repeats} runs, files in memory\n")
        rows = [compare(*kind, Path(folder), arguments.repeats) for kind in files(Path(folder))]
        print(pd.DataFrame(rows).to_string(index=False, float_format="{:,.1f}".format))
        print(
            "\ndecoding: Image.open().load(); plain: Image.open().convert('RGB').resize(); build: decoding, hashes, "
            "Lanczos\nfilter, written to the store; difference: grey levels of reduced against full decoding, mean and "
            "maximum"
        )
    if arguments.patches:
        with tempfile.TemporaryDirectory(prefix="lesionbook-bench-") as folder:
            print(
                f"\n{arguments.patches:,} drawn patches of 96 × 96 pixels, from the folder to the store and the pairs"
            )
            print(measured_apart(Path(folder), arguments.patches).to_string(header=False))


def files(folder: Path) -> list[tuple[str, list[Path], int]]:
    """Kinds of files: name, paths, and the size that they are brought to."""
    ham10000.draw(folder / "ham10000", images=48, seed=SEED, processes=processes.cores())
    pcam_sample.draw(folder / "pcam", images=2000, seed=SEED, processes=processes.cores())
    photographs = sorted((folder / "ham10000").rglob("*.jpg"))
    (folder / "large").mkdir()
    rng = np.random.default_rng(SEED)
    for number, path in enumerate(photographs[:12]):
        large = np.asarray(Image.open(path).resize((4000, 3000), Image.Resampling.BICUBIC), dtype=np.float32)
        grain = rng.normal(scale=4, size=(3000, 4000, 1)).astype(np.float32)
        Image.fromarray(np.clip(large + grain, 0, 255).astype(np.uint8)).save(
            folder / f"large/{number}.jpg", quality=90
        )
    return [
        ("JPEG 600 × 450", photographs * 40, 96),
        ("JPEG 600 × 450", photographs * 40, 224),
        ("JPEG 4000 × 3000", sorted((folder / "large").glob("*.jpg")) * 20, 96),
        ("JPEG 4000 × 3000", sorted((folder / "large").glob("*.jpg")) * 20, 224),
        ("TIFF 96 × 96", sorted((folder / "pcam").rglob("train/*.tif")) * 8, 96),
    ]


def compare(kind: str, paths: list[Path], size: int, folder: Path, repeats: int) -> dict[str, object]:
    """Speeds of one kind of file; on one core a part of the files is enough."""
    few = paths[: len(paths) // 8]
    table = pd.DataFrame({"image_id": [str(number) for number in range(len(paths))], "path": paths})
    store = folder / "store" / "images.npy"
    runs = {
        "decoding": (few, lambda: [load(path) for path in few]),
        "plain": (few, lambda: [plain(path, size) for path in few]),
        "build": (few, lambda: alone(lambda: storing.build(table.iloc[: len(few)], store, size=size, fit="squash"))),
        "build, all cores": (paths, lambda: storing.build(table, store, size=size, fit="squash")),
    }
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):  # in turns, so that a busy moment of the machine meets all of them
        for name, (_, function) in runs.items():
            start = time.perf_counter()
            function()
            if turn:  # the first only fills the caches
                taken[name].append(time.perf_counter() - start)
    speeds = {name: len(runs[name][0]) / median(seconds) for name, seconds in taken.items()}
    gaps = [difference(path, size) for path in sorted(set(paths))[:12]]
    return {
        "files": kind,
        "to": size,
        "decoding, 1 core": speeds["decoding"],
        "plain, 1 core": speeds["plain"],
        "build, 1 core": speeds["build"],
        "build, all cores": speeds["build, all cores"],
        "per core": speeds["build, all cores"] / processes.cores(),
        "times plain": speeds["build, all cores"] / speeds["plain"],
        "difference": f"{np.mean([gap.mean() for gap in gaps]):.2f}, {max(gap.max() for gap in gaps)}",
    }


def load(path: Path) -> None:
    with Image.open(path) as file:
        file.load()


def plain(path: Path, size: int) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB").resize((size, size)))


def alone(function: Callable[[], object]) -> None:
    """Call a function that then finds one core."""
    found = processes.cores
    processes.cores = lambda: 1
    try:
        function()
    finally:
        processes.cores = found


def difference(path: Path, size: int) -> np.ndarray:
    full = Image.fromarray(decoding.original(path)).resize((size, size), Image.Resampling.LANCZOS)
    return np.abs(np.asarray(full).astype(int) - decoding.decode(path, size, "squash")[0])


def measured_apart(folder: Path, patches: int) -> pd.Series:
    """Draw patches and prepare them in a process of its own."""
    start = time.perf_counter()
    pcam_sample.draw(folder / "pcam", images=patches, seed=SEED, processes=processes.cores())
    drawing = time.perf_counter() - start
    command = [sys.executable, __file__, "--end-to-end", str(folder / "pcam")]
    outcome = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return pd.Series({"drawing, seconds (not counted)": f"{drawing:,.1f}"} | json.loads(outcome.stdout))


def end_to_end(folder: Path) -> dict[str, str]:
    """Seconds and memory from the folder to the pairs of near-duplicates."""
    peaks, ended = [0, 0], threading.Event()

    def watch() -> None:
        here = psutil.Process()
        while not ended.wait(WATCHED):
            sizes = [here.memory_info().rss]
            for child in here.children(recursive=True):
                try:
                    sizes.append(child.memory_info().rss)
                except psutil.NoSuchProcess:
                    continue
            peaks[:] = max(peaks[0], sizes[0]), max(peaks[1], sum(sizes))

    watcher = threading.Thread(target=watch)
    watcher.start()
    marks = [time.perf_counter()]
    table = pcam.read(folder).table
    marks.append(time.perf_counter())
    found = storing.build(table, folder.parent / "images.npy", size=96, fit="crop")
    marks.append(time.perf_counter())
    try:
        pairs = f"{len(near_duplicates.pairs(storing.hashes(found['perceptual']))):,}"
    except LesionbookError as error:
        pairs = str(error)
    marks.append(time.perf_counter())
    ended.set()
    watcher.join()
    reading, building, searching = np.diff(marks)
    return {
        "reading the folder, seconds": f"{reading:,.1f}",
        "building the store, seconds": f"{building:,.1f}",
        "near-duplicates, seconds": f"{searching:,.1f}",
        "all, seconds": f"{marks[-1] - marks[0]:,.1f}",
        "images per second": f"{len(table) / (marks[-1] - marks[0]):,.0f}",
        "images per second, building": f"{len(table) / building:,.0f}",
        "pairs found": pairs,
        "store, MB": f"{(folder.parent / 'images.npy').stat().st_size / 1e6:,.0f}",
        "peak memory (resident), MB": f"{peaks[0] / 1e6:,.0f}",
        "peak with its helpers, MB": f"{peaks[1] / 1e6:,.0f}",
    }


if __name__ == "__main__":
    main()
