"""The app as it is really served, met by somebody who wants more than the page offers."""

import base64
import hashlib
import itertools
import json
import re
import socket
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from benchmarks.app_server import REPOSITORY, serve
from benchmarks.gradio_http import Page, file_data
from quiz.bank import Item, load_bank
from quiz.results_view import STORED

BANK = load_bank()
TOKEN = "a long token of the teacher's"
MARKER = "XYZZY-my-private-words"
# What only the server has: the source, the bank, the database, the checkpoint, the system.
INNER = ["build_app", '"misconception"', "SQLite format 3", "root:x:0:0", "TEACHER_TOKEN", "__metadata__", TOKEN]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    settings = {
        "SERVED_LOG": str(folder / "log"),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "DATABASE_URL": f"sqlite:///{folder / 'quiz.sqlite3'}",
        "QUIZ_SECRET": "a secret of the tests",
        "TEACHER_TOKEN": TOKEN,
        "RATE_FACTOR": "0",
    }
    with (
        serve(("-m", "tests.served_app"), **settings) as address,
        httpx.Client(base_url=address, timeout=120) as client,
    ):
        yield client


def upload(client: httpx.Client, name: str, content: bytes) -> str:
    """Upload a file, and return where the server says it is."""
    answer = client.post("/gradio_api/upload", files={"files": (name, content)})
    assert answer.status_code == 200, answer.text
    return str(answer.json()[0])


# Files


def paths_to_try(folder: Path) -> Iterator[str]:
    """Return every address under which a file could be asked for."""
    files = [
        "app.py",
        "quiz/answer_bank.json",
        "sentiment_gru/pretrained/model.safetensors",
        ".git/config",
        "README.md",
    ]
    whole = [str(REPOSITORY / file) for file in files]
    whole += [str(folder / "quiz.sqlite3"), str(folder / "log"), "/etc/passwd", "/proc/self/environ"]
    up = "../" * 12
    forms = [*files, *whole, *(f"{up}{path}" for path in whole), *(f"/{path}" for path in whole)]
    forms += [whole[0].replace("/", "\\"), f"file://{whole[0]}", f"{whole[0]}\0.csv"]
    forms += [f"{folder / 'uploads'}/../{name}" for name in ("quiz.sqlite3", "log")]
    for door, form in itertools.product(["/gradio_api/file=", "/file=", "/static/", "/assets/"], forms):
        yield door + quote(form)
        if ".." in form:
            yield door + quote(form).replace(".", "%2e").replace("/", "%2f")
            yield door + quote(form).replace(".", "%252e")
    doors = [
        "/",
        "/svelte/",
        "/gradio_api/file/",
        "/gradio_api/proxy=",
        "/gradio_api/custom_component/1/client/component/",
    ]
    for door, path in itertools.product(doors, [*files, *whole]):
        yield door + quote(path)


def raw(client: httpx.Client, path: str) -> httpx.Response:
    """Ask for a path as it is written: httpx would remove its dots."""
    url = client.base_url.copy_with(raw_path=path.encode())
    return client.send(client.build_request("GET", url))


def test_no_file_of_the_server_is_reachable_by_any_address(client: httpx.Client, folder: Path) -> None:
    asked = 0
    for path in dict.fromkeys(paths_to_try(folder)):
        answer = raw(client, path)
        text = answer.content.decode("latin-1")
        assert not [secret for secret in INNER if secret in text], path
        assert answer.status_code != 500, path
        asked += 1
    assert asked > 200


@pytest.mark.parametrize(
    "name", ["../../app.py", "..\\..\\app.py", "/etc/cron.d/job.csv", "a\0b.csv", "." * 5 + ".csv", "x" * 400]
)
def test_an_upload_stays_in_its_own_folder_whatever_its_name(client: httpx.Client, folder: Path, name: str) -> None:
    answer = client.post("/gradio_api/upload", files={"files": (name, b"text\nfine\n")})
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        path = Path(answer.json()[0])
        assert path.resolve().is_relative_to((folder / "uploads").resolve())
        assert len(path.relative_to(folder / "uploads").parts) == 2


def test_the_place_of_an_upload_cannot_be_guessed_from_its_contents(client: httpx.Client) -> None:
    content = b"text\nof somebody\n"
    place = Path(upload(client, "mine.csv", content)).parent.name
    assert len(place) == 64
    assert place != hashlib.sha256(content).hexdigest()


def test_an_upload_is_a_download_and_never_a_page(client: httpx.Client) -> None:
    for name in ("page.html", "picture.svg", "script.js"):
        answer = client.get(f"/gradio_api/file={upload(client, name, b'<script>alert(1)</script>')}")
        assert "attachment" in answer.headers["content-disposition"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_an_upload_beyond_the_limit_is_refused(client: httpx.Client) -> None:
    answer = client.post("/gradio_api/upload", files={"files": ("large.csv", bytes(54_000_000))})
    assert answer.status_code == 413


@pytest.mark.parametrize("name", ["program.exe", "page.html", "archive.zip", "none"])
def test_a_file_of_another_kind_is_refused_in_words(client: httpx.Client, name: str) -> None:
    page = Page(client, f"kinds-{name}")
    event = page.event("files-upload", "upload")
    status, answer = page.send(event, [file_data(upload(client, name, b"MZ\0\0 text"))])
    assert status == 500
    assert "Invalid file type" in json.loads(answer)["error"]
    assert page.value("files-upload") is None


def test_no_event_reads_a_file_that_its_visitor_has_not_uploaded(client: httpx.Client, folder: Path) -> None:
    page = Page(client, "reader")
    takes_file = [
        event for event in page.events if event["inputs"] and page.components[event["inputs"][0]]["type"] == "file"
    ]
    assert len(takes_file) >= 3
    paths = [
        "/etc/passwd",
        str(REPOSITORY / "quiz/answer_bank.json"),
        str(folder / "quiz.sqlite3"),
        "app.py",
        "/proc/self/environ",
    ]
    for event, path in itertools.product(takes_file, paths):
        data = [file_data(path), *[page.values.get(number) for number in event["inputs"][1:]]]
        status, told = page.send(event, data)
        assert status == 500
        assert not [secret for secret in INNER if secret in told]


def test_no_event_fetches_a_file_from_another_host(client: httpx.Client) -> None:
    page = Page(client, "remote")
    takes_file = [
        event for event in page.events if event["inputs"] and page.components[event["inputs"][0]]["type"] == "file"
    ]
    with socket.create_server(("127.0.0.1", 0)) as other_host:
        other_host.settimeout(0.2)
        url = f"http://127.0.0.1:{other_host.getsockname()[1]}/x.csv"
        for event in takes_file:
            data = [file_data(url), *[page.values.get(number) for number in event["inputs"][1:]]]
            status, answer = page.send(event, data)
            assert (status, "must be uploaded" in answer) == (500, True)
        for route in ("/gradio_api/file=", "/gradio_api/file/", "/file=", "/file/"):
            assert raw(client, route + url).status_code == 404
        with pytest.raises(TimeoutError):
            other_host.accept()


# Direct calls


def test_the_public_api_checks_what_it_gets(client: httpx.Client) -> None:
    page = Page(client, "programmer")
    classify, explain = page.endpoint("classify"), page.endpoint("explain")
    for text in ("", "  ", None, "x" * 200_001):
        status, told = page.send(classify, [text])
        assert status == 500
        assert "text must be" in told or "200,000 are read" in told
    score_file = page.endpoint("score_file")
    assert "file must be one that has been uploaded" in page.send(score_file, [None, "", "", "csv"])[1]
    status, told = page.send(explain, ["fine", ["no such method"]])
    assert status == 500
    assert "Traceback" not in told


@pytest.mark.parametrize("name", ["csv/../../x", "exe", "", "CSV ", ".csv"])
def test_an_output_format_is_one_of_a_list_and_no_path_is_revealed(client: httpx.Client, name: str) -> None:
    page = Page(client, "formats")
    file = file_data(upload(client, "texts.csv", b"text\na fine film\n"))
    status, answer = page.send(page.endpoint("score_file"), [file, "", "", name])
    assert status == 500
    assert "output_format must be one of csv, tsv" in answer
    assert "/tmp" not in answer


@pytest.mark.parametrize(
    ("element", "data", "told"),
    [
        ("sentiment-submit", [None, None], "Type or paste a text"),
        ("sentiment-try", [None, "1/0", "remove", None], "Choose a token"),
        ("sentiment-examples", [None], '"data":[""]'),
        ("files-read", [None], "There is no line to score"),
        ("quiz-start", [None, None, []], "no such set of questions"),
    ],
)
def test_what_fuzzing_sent_to_the_page_is_answered(
    client: httpx.Client, element: str, data: list[Any], told: str
) -> None:
    page = Page(client, f"fuzz-{element}")
    status, answer = page.send(page.event(element), data)
    assert status == 200
    assert told in answer


def test_a_text_beyond_the_limit_is_refused_by_the_events_of_the_page_too(client: httpx.Client) -> None:
    page = Page(client, "long")
    page.fill(sentiment_text="x" * 200_001)
    status, told = page.send(page.event("sentiment-submit"))
    assert status == 200
    assert "too long" in told


@pytest.mark.parametrize(
    "change",
    [
        {"fn_index": 10_000},
        {"fn_index": -1},
        {"fn_index": "0"},
        {"fn_index": None},
        {"data": "text"},
        {"data": []},
        {"data": [[]] * 1000},
        {"data": None},
        {"session_hash": 5},
        {"session_hash": None},
        {"session_hash": "../../x"},
        {"event_data": {"__class__": "x"}},
        {"trigger_id": "x"},
        {"batched": True},
        {"simple_format": "x"},
    ],
    ids=lambda change: repr(change)[:30],
)
def test_a_request_of_another_shape_learns_nothing(client: httpx.Client, change: dict[str, Any]) -> None:
    page = Page(client, "shapes")
    for event in (page.event("sentiment-submit"), page.event("quiz-submit")):
        status, told = page.send(event, **change)
        assert status in (200, 400, 404, 422, 500)
        for secret in ("Traceback", str(REPOSITORY), ".py"):
            assert secret not in told


@pytest.mark.parametrize("body", [b"", b"[" * 100_000, b'{"data": ' + b"[" * 50_000, b"\xff\xfe", b"null"])
def test_a_body_that_is_no_request_is_refused(client: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("/gradio_api/run/predict", "/gradio_api/queue/join", "/gradio_api/call/classify"):
        answer = client.post(path, content=body, headers=headers)
        assert 400 <= answer.status_code < 500
        assert len(answer.content) < 500  # the input is not repeated
        assert ".py" not in answer.text
    assert client.post("/gradio_api/run/predict", content=bytes(4_000_000), headers=headers).status_code == 413


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(client: httpx.Client, number: str) -> None:
    body = f'{{"data": [{number}], "fn_index": 0}}'
    answer = client.post("/gradio_api/run/predict", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_a_text_about_infinity_is_not_a_number(client: httpx.Client) -> None:
    page = Page(client, "infinity")
    page.fill(sentiment_text="NaN and Infinity and 1e999")
    assert page.send(page.event("sentiment-submit"))[0] == 200


# Failures, visitors, logs


def test_every_event_that_fails_answers_with_a_report_and_nothing_more(client: httpx.Client) -> None:
    page = Page(client, "broken")
    assert len(page.events) > 20
    for number, event in enumerate(page.events):
        page.session = f"broken-{number}"
        status, told = page.send(event)
        assert status in (404, 500), event
        for secret in (TOKEN, str(REPOSITORY), "Traceback", ".py"):
            assert secret not in told
        assert status == 404 or "Error id" in told or '"error"' in told  # the last: refused before the handler


def test_nothing_is_shared_between_visitors(client: httpx.Client) -> None:
    first, second = Page(client, "visitor-1"), Page(client, "visitor-2")
    first.fill(sentiment_text=f"{MARKER} is lovely")
    first.send(first.event("sentiment-submit"))
    first.send(
        first.event("files-upload", "upload"), [file_data(upload(client, "a.csv", f"text\n{MARKER}\n".encode()))]
    )
    told = [second.send(event)[1] for event in second.events if event["api_name"] != "score_file"]
    assert not [text for text in told if MARKER in text]
    assert MARKER not in client.get("/").text + client.get("/config").text


def test_nothing_that_a_visitor_types_is_in_the_log(client: httpx.Client, folder: Path) -> None:
    page = Page(client, "typing")
    content = f"text,{MARKER}\nfine {MARKER},1\n".encode()
    page.fill(sentiment_text=MARKER, files_lines=MARKER, quiz_text=MARKER, quiz_number=MARKER, quiz_chosen=MARKER)
    for session in ("typing", "broken-typing"):
        page.session = session
        for element in ("sentiment-submit", "sentiment-flip", "files-read", "quiz-send", "quiz-submit", "files-start"):
            page.send(page.event(element))
        page.send(page.event("files-upload", "upload"), [file_data(upload(client, f"{MARKER}.csv", content))])
    for event in page.events:
        page.send(event, [MARKER] * len(event["inputs"]))
    client.get(f"/{MARKER}")
    client.get(f"/gradio_api/file={MARKER}")
    client.post(f"/gradio_api/run/{MARKER}", json={"data": [MARKER]})
    client.post(f"/gradio_api/call/{MARKER}", json={"data": [MARKER]})
    client.post("/teacher", data={"token": MARKER})
    log = (folder / "log").read_text()
    assert "Error id" in log
    assert MARKER not in log


# The quiz


def key_texts(item: Item) -> list[str]:
    """Return every text of an item that the browser must not see before the answer."""
    texts = [item.explanation, *item.hints, *(option.feedback for option in item.options)]
    if item.arrangement:
        texts += [item.arrangement.right, item.arrangement.wrong]
    if item.numeric:
        texts += [item.numeric.right, item.numeric.wrong, *(wrong.feedback for wrong in item.numeric.anticipated)]
    # A formula by itself may stand in another question, too.
    return [" ".join(text.split()) for text in texts if len(text.split()) > 4]


KEY_TEXTS = {item.id: " ".join(key_texts(item)) for item in BANK.items}


def secrets(item: Item) -> list[str]:
    """Return the beginnings of the key texts that only one item has: two items may share a hint."""
    starts = [text[:60] for text in key_texts(item)]
    return [start for start in starts if sum(start in texts for texts in KEY_TEXTS.values()) == 1]


def leaked(text: str, items: list[Item]) -> list[str]:
    """Return the parts of keys that a response holds: texts, ids of options, and names of the key's fields."""
    flat = " ".join(unescape(text.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n")).split())
    found = [secret for item in items for secret in secrets(item) if secret in flat]
    found += [option.oid for item in items for option in item.options if f'"{option.oid}"' in flat]
    return found + [name for name in ('"misconception"', '"numeric"', '"tolerance"', '"oid"') if name in flat]


def opened(token: str) -> str:
    """Return the content of a run's token, which anybody can read."""
    body = token.split(".")[0]
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()


def test_the_served_quiz_sends_no_key_before_the_answer(client: httpx.Client) -> None:
    items = list(BANK.items)
    for path in ("/", "/config", "/gradio_api/info?all_endpoints=true", "/gradio_api/openapi.json", "/theme.css"):
        assert leaked(client.get(path).text, items) == [], path
    page = Page(client, "learner")
    load = next(
        event
        for event in page.events
        if page.ids["quiz-updates"] in event["outputs"] and [t for _, t in event["targets"]] == ["load"]
    )
    memory = load["inputs"][1]
    closed = {item.id: item for item in items}
    _, told = page.send(load)
    for _ in range(10):
        item = closed[next(text for text in page.values.values() if isinstance(text, str) and text in closed)]
        assert leaked(told + opened(page.values[memory]["run"]), list(closed.values())) == []
        places = len(item.arrangement.correct) if item.arrangement else 1
        chosen = ";".join("1" for _ in item.sliders) or "ABCDE"[:places]
        page.fill(quiz_chosen=chosen, quiz_number="0.125")
        del closed[item.id]
        status, told = page.send(page.event("quiz-submit"))
        assert status == 200
        feedback = page.value("quiz-feedback") + page.value("quiz-explanation")
        assert " ".join(item.explanation.split())[:60] in " ".join(feedback.split())
        assert leaked(told, list(closed.values())) == []
        _, told = page.send(page.event("quiz-next"))
    assert "of 10 right" in page.value("quiz-results")


def test_the_page_travels_compressed_and_is_the_same(client: httpx.Client) -> None:
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    with client.stream("GET", "/", headers={"Accept-Encoding": "gzip"}) as packed:
        size = sum(map(len, packed.iter_raw()))
    assert (plain.headers.get("content-encoding"), packed.headers["content-encoding"]) == (None, "gzip")
    assert size < len(plain.content) / 4
    length = len(client.get("/", headers={"Accept-Encoding": "gzip"}).content)
    assert abs(length - len(plain.content)) < 200  # each page has its own secrets


def test_scripts_of_the_page_may_be_kept_and_are_the_same_in_every_encoding(client: httpx.Client) -> None:
    script = re.search(r"/assets/[\w.-]+\.js", client.get("/").text)
    assert script
    answers = [client.get(script[0], headers={"Accept-Encoding": way}) for way in ("br", "gzip", "identity") * 2]
    assert len({answer.content for answer in answers}) == 1
    assert all("immutable" in answer.headers["cache-control"] for answer in answers)


def test_the_page_says_what_is_stored(client: httpx.Client) -> None:
    config = client.get("/config").text
    assert json.dumps(STORED)[1:-1] in config
    assert "neither stored nor logged, and files are deleted within two hours" in config


def test_the_page_may_be_framed_by_spaces_and_the_teachers_page_by_nobody(client: httpx.Client) -> None:
    page, teacher = client.get("/"), client.get("/teacher")
    assert "https://*.hf.space" in page.headers["content-security-policy"]
    assert "x-frame-options" not in page.headers
    assert "frame-ancestors 'none'" in teacher.headers["content-security-policy"]
    assert teacher.headers["permissions-policy"]
