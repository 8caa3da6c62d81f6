import asyncio
import json
import shutil

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from lesionbook.serve.doors import Doors
from lesionbook.serve.limits import Gate, Guard, Limits
from lesionbook.serve.temporary import Temporary

JOIN = "/gradio_api/queue/join"


@pytest.fixture
def temporary():
    made = Temporary()
    (made.folder / "abc").mkdir()
    (made.folder / "abc" / "a.png").write_bytes(b"x")
    yield made
    shutil.rmtree(made.folder)


async def echo(scope, receive, send):
    """Answer with what was sent."""
    message = await receive()
    await PlainTextResponse(message.get("body", b"").decode())(scope, receive, send)


@pytest.fixture
def client(temporary):
    return TestClient(Guard(Doors(echo, [0, 1], temporary), gate=Gate(Limits())), base_url="http://127.0.0.1:8000")


def question(**changes):
    return {"fn_index": 1, "session_hash": "abc", "data": [], "event_data": None} | changes


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/gradio_api/upload", 200),
        ("POST", "/gradio_api/process_recording", 404),
        ("POST", "/gradio_api/vibe-edit", 404),
        ("POST", "/gradio_api/upload/../vibe-edit", 404),
        ("POST", "/gradio_api/cancel", 404),
        ("PUT", "/x", 404),
        ("GET", "/gradio_api/file=x", 200),
        ("GET", "/gradio_api/file=" + "x" * 1001, 404),
        ("GET", "/gradio_api/queue/data?session_hash=x", 200),
        ("GET", "/gradio_api/queue/join", 404),
        ("GET", "/gradio_api/proxy=https://elsewhere.example/", 404),
        ("GET", "/assets/Blocks-0aNuD791.css", 200),
        ("GET", "/assets/" + "x" * 3000, 404),
        ("GET", "/assets/x%00", 404),
        ("GET", "/theme.css", 200),
        ("GET", "/config", 404),
        ("GET", "/", 200),
        ("HEAD", "/monitoring", 404),
    ],
)
def test_only_the_doors_that_the_page_uses_stand_open(client, method, path, status):
    assert client.request(method, path).status_code == status


def test_what_the_page_asks_arrives_as_it_was_sent(client, temporary):
    uploaded = {"path": str(temporary.folder / "abc" / "a.png"), "meta": {"_type": "gradio.FileData"}, "size": 1}
    for asked in (question(), question(fn_index=0, data=[uploaded]), question(event_data={"index": 3, "value": {}})):
        answer = client.post(JOIN, json=asked)
        assert answer.status_code == 200 and answer.json() == asked


@pytest.mark.parametrize(
    "file",
    [
        "/etc/passwd",
        __file__,
        "http://127.0.0.1:1/",
        "https://elsewhere.example/a.png",
        "a.png",
        "",
        "\0",
        5,
        None,
        ["x"],
    ],
)
def test_no_file_is_asked_about_that_was_not_uploaded(client, temporary, file):
    (temporary.folder / "abc" / "link.png").symlink_to(__file__)
    above = f"{temporary.folder}/abc/../../abc"
    for path in (
        file,
        above,
        f"{temporary.folder}/abc/link.png",
        str(temporary.folder),
        f"{temporary.folder}/abc/b.png",
    ):
        for about in ({"path": path, "meta": {"_type": "gradio.FileData"}}, path, [{"path": path}]):
            answer = client.post(JOIN, json=question(fn_index=0, data=[about]))
            assert answer.status_code == 422
            assert answer.json() == {"detail": "This is no question of the page; programs ask at /predict."}


@pytest.mark.parametrize(
    "changes",
    [
        {"fn_index": 2},
        {"fn_index": -1},
        {"fn_index": True},
        {"fn_index": "0"},
        {"fn_index": None},
        {"fn_index": []},
        {"session_hash": None},
        {"session_hash": {}},
        {"data": None},
        {"data": "x"},
        {"data": {}},
        {"data": [None]},
        {"data": [None, None]},
        {"event_data": {"index": "x"}},
        {"event_data": {"index": [0, 1]}},
        {"event_data": {"index": None}},
        {"event_data": 5},
        {"event_data": [1]},
    ],
)
def test_what_the_page_would_not_ask_is_refused(client, changes):
    assert client.post(JOIN, json=question(**changes)).status_code == 422


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"5", b"\xff\xfe", b'{"fn_index":0}', b'{"data":' + b"[" * 60_000]
)
def test_what_is_no_question_is_refused(client, content):
    assert client.post(JOIN, content=content).status_code == 422


def test_a_question_is_short(client):
    answer = client.post(JOIN, content=json.dumps(question(session_hash="x" * 70_000)))
    assert answer.status_code == 413


def test_other_kinds_of_messages_pass(temporary):
    seen = []

    async def app(scope, receive, send):
        seen.append(scope["type"])

    asyncio.run(Doors(app, [], temporary)({"type": "lifespan"}, None, None))
    assert seen == ["lifespan"]
