import asyncio
import logging
import socket
import sys

import pytest

from lesionbook.errors import LesionbookError
from lesionbook.serve import __main__ as main


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_port_is_had_on_this_machine_only_and_by_one_only():
    port = free_port()
    with main._bound(port) as bound:
        assert bound.getsockname() == ("127.0.0.1", port)
        assert bound.proto == socket.IPPROTO_TCP, "asyncio sets TCP_NODELAY for no other"
        with pytest.raises(LesionbookError, match=rf"^serve: port {port} cannot be had \(address already in use\)"):
            main._bound(port)
    main._bound(port).close()


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
def test_what_is_no_port_is_refused(port):
    with pytest.raises(LesionbookError, match="give PORT a number from 1 to 65535"):
        main._bound(port)


@pytest.mark.parametrize("port", ["", "abc", "-1", "80.0", "8000x"])
def test_what_is_no_number_is_refused(monkeypatch, port):
    monkeypatch.setattr(sys, "argv", ["serve", "colours", "laptop", "--", port])
    with pytest.raises(SystemExit) as caught:
        main.main()
    assert str(caught.value) == f"error: serve: {port!r} is no port; give PORT a number from 1 to 65535."


@pytest.mark.parametrize(("kind", "news"), [("CancelledError", False), ("ValueError", True), (None, True)])
def test_of_requests_cut_off_at_the_end_nothing_is_said(kind, news):
    error = {"CancelledError": asyncio.CancelledError(), "ValueError": ValueError(), None: None}[kind]
    info = (type(error), error, None) if error else None
    assert main._is_news(logging.LogRecord("uvicorn.error", logging.ERROR, "", 0, "", (), info)) is news
