"""How fast images are answered: median, 99th percentile and requests per second, at 1, 8 and 32 clients.

Run by hand, on two cores: ``taskset -c 0,1 python tests/bench_serve.py --study isic2019-transfer``. The clients run in
a process of their own, on the other cores where there are any. Served beside the API of the project, for comparison: a
plain endpoint that decodes the file and calls ``model.predict`` for each request, as most examples do.
"""

import argparse
import asyncio
import io
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import urllib.request

import httpx

CLIENTS = (1, 8, 32)
PORT = 8765


def plain(study, profile, port, experiment):
    """Serve one call of ``model.predict`` per request."""
    import numpy as np
    import uvicorn
    from fastapi import FastAPI, UploadFile
    from PIL import Image

    from lesionbook.serve import model

    found = model.load(study, profile, experiment)
    app = FastAPI()

    @app.get("/health")
    def health():
        return {}

    @app.post("/predict")
    def predict(file: UploadFile):
        with Image.open(io.BytesIO(file.file.read())) as opened:
            image = np.asarray(opened.convert("RGB").resize((found.size, found.size)))
        views = [np.rot90(image, turn) for turn in range(min(found.views, 4))]
        views += [view[:, ::-1] for view in views] if found.views == 8 else []
        scores = np.mean([found.network.predict(view[None], verbose=0)[0] for view in views], axis=0)
        return {"class": found.run.classes[int(scores.argmax())], "confidence": round(100 * float(scores.max()), 2)}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


def own(study, profile, port, experiment):
    """Serve as the project does, with a limit of requests that does not stop a measurement."""
    from lesionbook.serve.__main__ import serve
    from lesionbook.serve.limits import Limits

    serve(study, profile, port, experiment=experiment, limits=Limits(per_minute=10**9))


async def ask(url, contents, clients, seconds):
    """Times in seconds that requests took, of so many clients that each ask again as soon as they are answered."""
    taken, limits = [], httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(limits=limits, timeout=120, trust_env=False) as session:
        end = time.perf_counter() + seconds

        async def client(number):
            while time.perf_counter() < end:
                content = contents[(number + len(taken)) % len(contents)]
                start = time.perf_counter()
                answer = await session.post(url, files={"file": ("a.jpg", content)})
                answer.raise_for_status()
                taken.append(time.perf_counter() - start)

        start = time.perf_counter()
        await asyncio.gather(*(client(number) for number in range(clients)))
        return taken, time.perf_counter() - start


def row(name, clients, taken, wall):
    taken = sorted(1000 * one for one in taken)
    last = taken[min(len(taken) - 1, int(0.99 * len(taken)))]
    per_second = len(taken) / wall
    print(
        f"{name:6} {clients:3} clients: median {statistics.median(taken):7.1f} ms, 99th percentile {last:7.1f} ms, ",
        end="",
    )
    print(f"{per_second:6.1f} requests/s ({len(taken)} requests)", flush=True)
    return {
        "server": name,
        "clients": clients,
        "median_ms": statistics.median(taken),
        "p99_ms": last,
        "rps": per_second,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--study", default="isic2019-transfer")
    parser.add_argument("--profile", default="sample")
    parser.add_argument("--experiment", default="", help="another network than the best")
    parser.add_argument("--seconds", type=float, default=10, help="per measurement (default: 10)")
    parser.add_argument("--serve", choices=("own", "plain"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        {"own": own, "plain": plain}[given.serve](given.study, given.profile, PORT, given.experiment)
        return
    from lesionbook import params, run
    from lesionbook.datasets import adapter

    settings = params.load(given.study, given.profile)
    table = adapter(settings.dataset).read(run.data_folder(given.study, given.profile, settings)).table
    contents = [path.read_bytes() for path in table["path"].head(50)]
    allowed = os.sched_getaffinity(0)
    print(f"server on cores {sorted(allowed)}; mean file {sum(map(len, contents)) / len(contents) / 1000:.0f} kB")
    rows = []
    for name in ("plain", "own"):
        command = [sys.executable, __file__, "--serve", name, "--study", given.study, "--profile", given.profile]
        server = subprocess.Popen([*command, "--experiment", given.experiment], stderr=subprocess.DEVNULL)
        os.sched_setaffinity(0, set(range(multiprocessing.cpu_count())) - allowed or allowed)
        try:
            url = f"http://127.0.0.1:{PORT}"
            while True:
                try:
                    urllib.request.urlopen(f"{url}/health", timeout=5).close()
                    break
                except OSError:
                    if server.poll() is not None:
                        raise SystemExit(f"the {name} server ended") from None
                    time.sleep(0.5)
            asyncio.run(ask(f"{url}/predict", contents, 4, 2))
            for clients in CLIENTS:
                rows.append(row(name, clients, *asyncio.run(ask(f"{url}/predict", contents, clients, given.seconds))))
        finally:
            server.terminate()
            server.wait()
            os.sched_setaffinity(0, allowed)
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
