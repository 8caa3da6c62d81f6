"""The page in a real browser, served by a process of its own."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from hostile_files import encoded
from image_files import noise

CHROMIUM = "/usr/bin/chromium"
ROOT = Path(__file__).resolve().parent.parent


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def server(served, tmp_path_factory):
    """Address of the server and the folder that it may leave files in."""
    temporary = tmp_path_factory.mktemp("temporary")
    port = free_port()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lib"), "TMPDIR": str(temporary), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "lesionbook.serve", "colours", "laptop", str(port)]
    with (temporary.parent / "serve.log").open("w") as log:
        process = subprocess.Popen(command, cwd=served.folder, env=environment, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            assert process.poll() is None, (temporary.parent / "serve.log").read_text()
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        yield address, temporary
    finally:
        process.terminate()
        process.wait(30)
    assert list(temporary.iterdir()) == [], "nothing is left behind"
    assert "Traceback" not in (temporary.parent / "serve.log").read_text()


@pytest.fixture(scope="module")
def browser():
    if not Path(CHROMIUM).exists():
        pytest.skip(f"there is no browser at {CHROMIUM}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture
def page(browser, server):
    made = browser.new_page(viewport={"width": 1300, "height": 900})
    made.asked, made.failed = [], []
    made.on("request", lambda request: made.asked.append(request.url))
    made.on("response", lambda answer: made.failed.append(answer.url) if answer.status >= 400 else None)
    made.goto(server[0])
    made.wait_for_selector("#file input[type=file]", state="attached", timeout=60_000)
    yield made
    made.close()


def answered(page, content, name="picture.png"):
    """Upload a file and wait for what the page says of it."""
    page.set_input_files("#file input[type=file]", {"name": name, "mimeType": "image/png", "buffer": content})
    page.wait_for_selector("#verdict h2", timeout=60_000)
    return page.inner_text("#verdict")


def left(temporary):
    return [path for path in temporary.rglob("*") if path.is_file() and path.stat().st_size]


def test_a_picture_is_uploaded_and_its_result_is_read_and_nothing_is_kept(served, page, server, tmp_path):
    before = left(server[1])
    row = served.model.test.iloc[0]
    path = served.model.run.table.set_index("image_id")["path"][row["image_id"]]
    image = served.decode(path.read_bytes(), "a")
    (answer,) = served.answer([image])
    said = answered(page, path.read_bytes()).replace("\N{NO-BREAK SPACE}", " ")
    assert said.startswith(served.model.run.names[answer.label])
    assert f"score is {100 * answer.probabilities[answer.label]:.2f} %" in said
    assert re.search(r"rightly so: a positive predictive value of \d+ % \(95 % interval \d+ % to \d+ %\)", said)
    assert "This is not a diagnosis." in said
    bars = page.inner_text("#probabilities")
    assert all(name in bars for name in served.model.run.names.values())
    assert f"{100 * max(answer.calibrated.values()):.0f}%" in bars
    page.wait_for_selector("#picture img")
    shown = page.locator("#picture img").all()
    assert all(one.get_attribute("src").startswith("data:image/png") for one in shown)
    assert "which is strongest at the" in shown[1].get_attribute("alt") and len(shown) == 2
    assert not page.query_selector("img:not([alt])") and page.get_attribute("#verdict", "aria-live") == "polite"
    assert left(server[1]) == before
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_nothing_comes_from_elsewhere(page, server):
    answered(page, encoded(noise(), "PNG"))
    elsewhere = [url for url in page.asked if not url.startswith((server[0] + "/", "data:", "blob:"))]
    assert elsewhere == [] and len(page.asked) > 10
    assert page.failed == []


def test_a_picture_of_another_kind_is_said_to_be_one(page):
    said = answered(page, encoded(noise(90, 90), "PNG"))
    assert said.startswith("Not the kind of image this model knows")
    assert not page.is_visible("#probabilities")


@pytest.mark.parametrize("content", [b"no image at all", encoded(noise(), "PNG")[:900]])
def test_what_is_no_picture_is_refused_in_a_sentence(page, content):
    said = answered(page, content)
    assert re.fullmatch(r"This file cannot be used\s+The file cannot be decoded \(.*\); replace the file\.", said)


def test_a_test_image_is_picked(served, page):
    page.locator("#samples button").nth(0).click()
    page.wait_for_selector("#verdict h2", timeout=60_000)
    said = page.inner_text("#verdict")
    assert "This is not a diagnosis." in said
    assert f"{len(served.model.test) - 1} other test images" in said


def test_it_can_be_used_without_a_mouse(page):
    page.wait_for_selector("#samples button img")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#file') !== null")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#samples') !== null")
    page.keyboard.press("Enter")
    page.wait_for_selector("#verdict h2", timeout=60_000)


def test_no_file_of_the_machine_is_read_by_its_name(served, server):
    path = served.model.run.table["path"].iloc[0]
    asked = {"fn_index": 0, "session_hash": "x", "data": [{"path": str(path), "meta": {"_type": "gradio.FileData"}}]}
    request = urllib.request.Request(f"{server[0]}/page/gradio_api/queue/join", json.dumps(asked).encode())
    request.add_header("content-type", "application/json")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=30)
    assert caught.value.code == 422
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{server[0]}/page/gradio_api/file={urllib.parse.quote(str(path))}", timeout=30)
    assert caught.value.code == 403


def test_it_says_what_it_is_not(page):
    assert "A teaching tool, not a diagnosis." in page.inner_text("body")


@pytest.mark.parametrize("width", [1300, 390])
def test_it_fits_its_window(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    answered(page, encoded(noise(), "PNG"))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_only_this_machine_is_listened_to(server):
    port = int(server[0].rsplit(":", 1)[1])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    hosts = {one[1].split(":")[0] for one in listening if one[1].endswith(f":{port:04X}") and one[3] == "0A"}
    assert hosts == {"0100007F"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["colours", "laptop", "1", "--experiment", "other"], "error: serve: build/laptop/colours/other/model.keras"),
        (["color", "laptop", "1"], "error: No study 'color'"),
        (["colours", "lptop", "1"], "error: No profile 'lptop' (did you mean 'laptop'?)"),
        (["colours", "laptop", "one"], "error: serve: 'one' is no port; give PORT a number from 1 to 65535."),
        (["colours", "laptop", "65536"], "error: serve: 65536 is no port; give PORT a number from 1 to 65535."),
        (["colours", "laptop", "taken"], "error: serve: port taken cannot be had (address already in use); choose"),
    ],
)
def test_what_cannot_be_served_is_said_in_a_sentence(served, server, arguments, said):
    """The port of the server, which runs, is taken."""
    taken, free = server[0].rsplit(":", 1)[1], str(free_port())
    arguments = [{"taken": taken, "1": free}.get(one, one) for one in arguments]
    said = said.replace("port taken", f"port {taken}")
    command = [sys.executable, "-m", "lesionbook.serve", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "lib"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=served.folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(said)
