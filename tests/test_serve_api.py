import json
import logging
import tempfile
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import schemathesis
from hostile_files import bomb, encoded, hostile, mutated, strange
from hypothesis import HealthCheck, given, settings
from image_files import noise
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from lesionbook.serve import api
from lesionbook.serve.limits import Limits

HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def application(served):
    return api.create(served)


@pytest.fixture(scope="module")
def client(application):
    with TestClient(application, base_url=HERE) as made:
        yield made


@pytest.fixture(scope="module")
def files(served):
    return served.model.run.table.set_index("image_id")["path"]


def limited(served, monkeypatch, **options):
    monkeypatch.setattr(served, "limits", Limits(**options))
    return TestClient(api.create(served), base_url=HERE)


def plain(answer, status):
    """A refusal is one sentence as JSON, without a trace of the machine."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    said = answer.json()["detail"]
    assert isinstance(said, str) and said.endswith(".") and "\n" not in said
    assert "Traceback" not in said and tempfile.gettempdir() not in said and "lesionbook/" not in said
    return said


# Answers


def test_every_test_image_is_answered_as_in_the_prediction_file(served, client, files):
    classes = served.model.run.classes
    for _, row in served.model.test.iterrows():
        path = files[row["image_id"]]
        answer = client.post("/predict", files={"file": (path.name, path.read_bytes())}).json()
        stated = {key: row[f"p_{key}"] for key in classes}
        assert answer["probabilities"] == stated
        assert answer["class"] == max(stated, key=stated.get)
        assert answer["confidence"] == round(100 * max(stated.values()), 2)
        assert answer["model"] == served.model.version


def test_an_answer_has_these_fields(client, files):
    answer = client.post("/predict", files={"file": ("a", files.iloc[0].read_bytes())}).json()
    assert list(answer) == ["class", "confidence", "probabilities", "calibrated", "known", "unlike", "model"]


def test_several_files_are_answered_by_a_list_in_their_order(client, files):
    ids = list(files.index[:7])
    one_by_one = [client.post("/predict", files={"file": ("a", files[one].read_bytes())}).json() for one in ids]
    together = client.post("/predict", files=[("file", ("a", files[one].read_bytes())) for one in ids])
    assert together.json() == one_by_one


def test_many_clients_get_their_own_answers(client, files):
    ids = list(files.index[:12]) * 2
    alone = {one: client.post("/predict", files={"file": ("a", files[one].read_bytes())}).json() for one in ids}
    with ThreadPoolExecutor(len(ids)) as pool:
        found = pool.map(
            lambda one: client.post("/predict", files={"file": ("a", files[one].read_bytes())}).json(), ids
        )
        assert list(found) == [alone[one] for one in ids]


def test_a_picture_of_another_kind_is_marked(client):
    answer = client.post("/predict", files={"file": ("a.png", encoded(noise(), "PNG"))}).json()
    assert answer["known"] is False and answer["unlike"] > 1


def test_health_and_model(served, client):
    assert client.get("/health").json() == {"status": "ok", "model": served.model.version}
    card = client.get("/model").json()
    assert card["version"] == served.model.version and card["classes"] == served.model.run.names


def test_the_description_is_complete_and_loads_nothing(client):
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {"/predict", "/health", "/model"}
    assert {"200", "400", "403", "408", "413", "422", "429", "503"} <= set(
        described["paths"]["/predict"]["post"]["responses"]
    )
    assert "class" in described["components"]["schemas"]["Prediction"]["properties"]
    (form,) = [one for name, one in described["components"]["schemas"].items() if name.startswith("Body")]
    assert (form["properties"]["file"]["minItems"], form["properties"]["file"]["maxItems"]) == (1, 16)
    assert client.get("/docs").status_code == client.get("/redoc").status_code == 404


# What is refused


@pytest.mark.parametrize("name", list(hostile()))
def test_hostile_files_are_refused_in_a_sentence(client, name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        said = plain(client.post("/predict", files={"file": ("photo.jpg", hostile()[name])}), 422)
    assert said.startswith("photo.jpg cannot be decoded (")


@pytest.mark.parametrize("name", list(strange()))
def test_odd_but_sound_images_are_answered(client, name):
    assert client.post("/predict", files={"file": ("a", strange()[name])}).status_code == 200


def test_mutated_images_are_answered_or_refused(client):
    statuses = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for content in mutated(400):
            answer = client.post("/predict", files={"file": ("a.png", content)})
            assert answer.status_code in (200, 422), answer.text
            if answer.status_code == 422:
                plain(answer, 422)
            else:
                assert sum(answer.json()["probabilities"].values()) == pytest.approx(1, abs=1e-5)
            statuses.append(answer.status_code)
    assert min(statuses.count(200), statuses.count(422)) > 20


def test_one_bad_file_refuses_the_request_by_its_name(client, files):
    sent = [("file", ("good.png", files.iloc[0].read_bytes())), ("file", ("bad.png", b"bad"))]
    assert plain(client.post("/predict", files=sent), 422).startswith("bad.png cannot be decoded")
    assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"data": {"file": "text"}},
        {"files": {"picture": ("a.png", b"x")}},
        {"json": {"file": "x"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=a"}},
        {"content": b"--a\r\n", "headers": {"content-type": "multipart/form-data; boundary=a"}},
        {"content": b"\xff" * 99, "headers": {"content-type": "application/json"}},
    ],
)
def test_requests_without_a_file_are_refused(client, request_):
    answer = client.post("/predict", **request_)
    assert answer.status_code in (400, 422)
    assert isinstance(answer.json()["detail"], str)


def test_too_many_bytes_pixels_and_files(served, monkeypatch, files):
    content = files.iloc[0].read_bytes()
    with limited(served, monkeypatch, file_bytes=len(content) - 1) as client:
        said = plain(client.post("/predict", files={"file": ("../a.png", content)}), 413)
        assert said == f"a.png has {len(content):,} bytes, the limit is {len(content) - 1:,}; reduce its size."
    with limited(served, monkeypatch, request_bytes=len(content)) as client:
        assert "The request is larger than" in plain(client.post("/predict", files={"file": ("a", content)}), 413)
    with limited(served, monkeypatch, pixels=100) as client:
        assert "the limit is 100 in all" in plain(client.post("/predict", files={"file": ("a", content)}), 422)
    with limited(served, monkeypatch, files=2) as client:
        said = plain(client.post("/predict", files=[("file", ("a", content))] * 3), 422)
        assert said == "The request holds 3 files, the limit is 2; send fewer."


def test_a_bomb_costs_neither_memory_nor_time(client):
    import resource
    import time

    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    plain(client.post("/predict", files={"file": ("a.png", bomb(20000, 20000))}), 422)
    assert time.monotonic() - start < 20  # most of it to make the bomb
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024  # 1.2 GB of pixels


def test_too_many_requests(served, monkeypatch, files):
    content = files.iloc[0].read_bytes()
    with limited(served, monkeypatch, per_minute=2) as client:
        answers = [client.post("/predict", files={"file": ("a", content)}) for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert plain(answers[2], 429) and answers[2].headers["retry-after"] == "60"
        assert client.get("/health").status_code == 200


def test_too_many_at_once(served, monkeypatch, files):
    entered, leave, real, content = threading.Semaphore(0), threading.Event(), served.decode, files.iloc[0].read_bytes()

    def held_up(*given):
        entered.release()
        leave.wait(60)
        return real(*given)

    monkeypatch.setattr(served, "decode", held_up)
    with limited(served, monkeypatch, at_once=2) as client, ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(client.post, "/predict", files={"file": ("a", content)}) for _ in range(2)]
        assert entered.acquire(timeout=60) and entered.acquire(timeout=60)
        refused = client.post("/predict", files={"file": ("a", content)})
        assert client.get("/health").status_code == 200
        leave.set()
        assert plain(refused, 503) and refused.headers["retry-after"] == "1"
        assert [one.result(60).status_code for one in asked] == [200, 200]
        assert client.post("/predict", files={"file": ("a", content)}).status_code == 200


def test_other_origins_are_told_nothing(client):
    preflight = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    for answer in (client.options("/predict", headers=preflight), client.get("/model", headers=preflight)):
        assert answer.status_code in (400, 403)
        assert not [name for name in answer.headers if name.startswith("access-control-allow-origin")]


def test_nothing_that_was_sent_is_kept(served, client, files, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(served.folder.rglob("*"))
    large = encoded(np.random.default_rng(0).integers(0, 256, (1000, 900, 3), dtype=np.uint8), "PNG")
    assert len(large) > 2 * 2**20  # beyond what is held in memory while a form is read
    for content in (files.iloc[0].read_bytes(), large, b"no image", large[:-1000]):
        client.post("/predict", files=[("file", ("a.png", content))] * 2)
    assert list(tmp_path.rglob("*")) == []
    assert set(served.folder.rglob("*")) == before


def test_what_fails_inside_says_nothing_of_it(served, monkeypatch, files):
    def fails(images):
        raise RuntimeError("/secret/place")

    monkeypatch.setattr(served, "answer", fails)
    logging.disable(logging.CRITICAL)
    with TestClient(api.create(served), base_url=HERE, raise_server_exceptions=False) as client:
        answer = client.post("/predict", files={"file": ("a", files.iloc[0].read_bytes())})
    logging.disable(logging.NOTSET)
    assert answer.status_code == 500
    assert "secret" not in answer.text and "Traceback" not in answer.text


# Fuzzing by the description


def test_the_description_holds_against_made_up_requests(application):
    local = {"host": "127.0.0.1"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", application, headers=local)
    statuses = []
    for operation in schema.get_all_operations():

        @given(case=operation.ok().as_strategy())
        @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        def ask(case):
            answer = case.call(headers=local)
            statuses.append(answer.status_code)
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])  # made-up bytes are no image

        ask()
    assert len(statuses) > 40 and max(statuses) < 500


def test_unknown_methods_and_paths(client):
    for method, path, status in (("GET", "/predict", 405), ("DELETE", "/model", 405), ("GET", "/nothing", 404)):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert isinstance(answer.json()["detail"], str)
    assert json.dumps(client.get("/../etc/passwd").json())
