"""``python -m lesionbook.serve STUDY PROFILE PORT``: serve the page and the API on this machine, and to no other."""

import argparse
import asyncio
import logging
import os
import signal
import socket
import sys
import warnings

from lesionbook import params
from lesionbook.errors import LesionbookError
from lesionbook.serve.limits import Limits
from lesionbook.serve.temporary import Temporary

HOST = "127.0.0.1"


def serve(study: str, profile: str, port: int, *, experiment: str = "", limits: Limits | None = None) -> None:
    """Load the network of a study, warm it up and answer until interrupted.

    Parameters
    ----------
    study, profile, experiment
        As in `model.load`.
    port : int
        Of the local host.
    limits : Limits, optional

    Raises
    ------
    LesionbookError
        If the port is taken or there is no network to serve.
    """
    params.load(study, profile)  # a mistyped name is said before TensorFlow is imported
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.filterwarnings("ignore", module="PIL")  # what it says of hostile files, it says in exceptions too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the folder of temporary files is deleted
    with _bound(port) as bound, Temporary() as temporary:  # before Gradio is imported
        import uvicorn

        from lesionbook.serve import api, classification, model, page

        found = model.load(study, profile, experiment)
        print(f"{found.version} of {study}, profile {profile}: warming up", flush=True)
        classifier = classification.Classifier(found, limits)
        classifier.warm_up()
        app = page.mount(api.create(classifier), classifier, temporary)
        print(f"Open http://{HOST}:{port} in a browser; Ctrl-C ends it. A teaching tool, not a diagnosis.", flush=True)
        options = {"log_level": "warning", "access_log": False, "server_header": False, "timeout_graceful_shutdown": 2}
        server = uvicorn.Server(uvicorn.Config(app, ws="none", **options))
        logging.getLogger("uvicorn.error").addFilter(_is_news)
        server.run(sockets=[bound])


def _is_news(record: logging.LogRecord) -> bool:
    """Tell whether a line of the log is more than that a request was cut off at the end."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


def _bound(port: int) -> socket.socket:
    """Take the port at once, not when everything has been loaded; who asks before that waits."""
    if not 0 < port < 2**16:
        raise LesionbookError(f"serve: {port} is no port; give PORT a number from 1 to 65535.")
    # The protocol is named, or asyncio would not ask for answers to be sent at once: they would wait 40 ms for more.
    made = socket.socket(proto=socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # a port that was in use a minute ago; elsewhere this would share one that is
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port))
        made.listen()
    except OSError as error:
        made.close()
        raise LesionbookError(
            f"serve: port {port} cannot be had ({error.strerror.lower()}); choose another one by PORT=."
        ) from error
    return made


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m lesionbook.serve", description=main.__doc__)
    parser.add_argument("study")
    parser.add_argument("profile")
    parser.add_argument("port")
    parser.add_argument("--experiment", default="", help="another network of the study")
    given = parser.parse_args()
    try:
        if not given.port.isdecimal():
            raise LesionbookError(f"serve: {given.port!r} is no port; give PORT a number from 1 to 65535.")
        serve(given.study, given.profile, int(given.port), experiment=given.experiment)
    except LesionbookError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
