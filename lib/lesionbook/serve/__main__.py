"""``python -m lesionbook.serve STUDY PROFILE PORT``: serve the page and the API on this machine, and to no other."""

import argparse
import signal
import sys

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
        If there is no network to serve.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that the folder of temporary files is deleted
    with Temporary() as temporary:  # before Gradio is imported
        import uvicorn

        from lesionbook.serve import api, classification, model, page

        found = model.load(study, profile, experiment)
        print(f"{found.version} of {study}, profile {profile}: warming up", flush=True)
        classifier = classification.Classifier(found, limits)
        classifier.warm_up()
        app = page.mount(api.create(classifier), classifier, temporary)
        print(f"Open http://{HOST}:{port} in a browser; Ctrl-C ends it. A teaching tool, not a diagnosis.", flush=True)
        options = {"log_level": "warning", "access_log": False, "server_header": False, "timeout_graceful_shutdown": 5}
        uvicorn.run(app, host=HOST, port=port, **options)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m lesionbook.serve", description=main.__doc__)
    parser.add_argument("study")
    parser.add_argument("profile", choices=params.PROFILES)
    parser.add_argument("port", type=int)
    parser.add_argument("--experiment", default="", help="another network of the study")
    given = parser.parse_args()
    try:
        serve(given.study, given.profile, given.port, experiment=given.experiment)
    except LesionbookError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
