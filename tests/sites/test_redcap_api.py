"""A project is pulled whole through REDCap's export API, and its token stays secret.

The server below speaks the API as REDCap documents it (content=record|metadata|formEventMapping,
format=csv, token in the body of a POST), on loopback, over REDCapR's test projects.
"""

import errno
import json
import logging
import threading
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from flows import pulling
from flows.__main__ import main
from flows.schedule import today
from flows.settings import load_registry
from flows.steps import Job
from flows.steps import receive as receive_all
from schemas.errors import BadConfiguration, BadDelivery, Failed
from schemas.site import Site
from warehouse.intake.redcap import api
from warehouse.intake.redcap.api import pull, read_token
from warehouse.receiving.inbox import receipts, receive
from warehouse.store import Store

SAMPLES = Path(__file__).parent / "redcapr"
TOKEN = "9A81268476645C4E5F03428B8AC3AA7B"
EVENTS = "arm_num,unique_event_name,form\n1,enrollment_arm_1,demographics\n"


class Server(ThreadingHTTPServer):
    """One REDCap project; `asked` holds what was asked, `answer` replaces every answer."""

    def __init__(self, project):
        super().__init__(("127.0.0.1", 0), Handler)
        self.project, self.asked, self.answer = SAMPLES / project, [], None

    @property
    def url(self):
        """The API's address."""
        return f"http://127.0.0.1:{self.server_port}/api/"


class Handler(BaseHTTPRequestHandler):
    """Answers POST /api/ as REDCap does."""

    def do_POST(self):
        """Answer one question."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = {k: v[0] for k, v in parse_qs(body).items()}
        self.server.asked.append((self.path, asked))
        self.reply(*(self.server.answer or self.of_project(asked)))

    def of_project(self, asked):
        """The answer of a project that is well."""
        if asked["token"] != TOKEN:
            return 403, b'{"error": "You do not have permissions to use the API"}', {}
        longitudinal = (self.server.project / "events.csv").exists()
        if asked["content"] == "record":
            return 200, (self.server.project / "data.csv").read_bytes(), {}
        if asked["content"] == "metadata" and asked["format"] == "csv":
            return 200, (self.server.project / "dictionary.csv").read_bytes(), {}
        if asked["content"] == "metadata":
            return 200, json.dumps([{"field_name": "record_id", "form_name": "x"}]).encode(), {}
        if not longitudinal:
            return 400, b'{"error": "You cannot export form/event mappings"}', {}
        mapping = EVENTS if asked["format"] == "csv" else json.dumps([{"form": "x"}])
        return 200, mapping.encode(), {}

    def reply(self, status, body, headers):
        """Send an answer."""
        self.send_response(status)
        for name, value in {"Content-Type": "text/csv", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(request):
    with Server(getattr(request, "param", "longitudinal")) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def site_of(url, **more):
    return Site(site_id="north", format="redcap", redcap={"api_url": url, **more})


def test_a_pull_brings_records_dictionary_and_mapping_as_they_are(server, tmp_path):
    folder = pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {
        "data.csv": (SAMPLES / "longitudinal" / "data.csv").read_bytes(),
        "dictionary.csv": (SAMPLES / "longitudinal" / "dictionary.csv").read_bytes(),
        "event_mapping.csv": EVENTS.encode(),
    }


def test_a_pull_asks_for_everything_raw_with_groups_and_survey_fields(server, tmp_path):
    pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    listed, asked = (a for _, a in server.asked if a["content"] == "record")
    assert "study_id" in listed.values()
    assert {k: asked[k] for k in ("format", "type", "rawOrLabel")} == {
        "format": "csv",
        "type": "flat",
        "rawOrLabel": "raw",
    }
    assert asked["exportDataAccessGroups"] == asked["exportSurveyFields"] == "True"
    assert not {k for k in asked if k.startswith(("records", "forms", "events", "filterLogic"))}


@pytest.mark.parametrize("server", ["repeating-instruments"], indirect=True)
def test_a_classic_project_has_no_mapping_and_is_received(server, tmp_path):
    site, store = site_of(server.url), Store.open(tmp_path / "store")
    pull(site, TOKEN, store.site_inbox("north") / "2026-02-01")
    (receipt,) = receive(store, site, now=datetime(2026, 2, 1, tzinfo=UTC)).receipts
    assert (receipt.status, receipt.notices) == ("accepted", ())


def test_the_same_pull_again_on_a_day_changes_nothing(server, tmp_path):
    folder = pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    before = folder.stat().st_ino
    pull(site_of(server.url), TOKEN, folder)
    assert folder.stat().st_ino == before


def test_a_second_pull_on_a_day_takes_the_place_of_the_first_in_one_step(server, tmp_path):
    """Other files of the day stay; what was pulled is all of one pull."""
    folder = pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    (folder / "dictionary.csv").write_bytes(b"old")
    (folder / "labs.csv").write_bytes(b"dropped beside it")
    before = folder.stat().st_ino
    pull(site_of(server.url), TOKEN, folder)
    assert folder.stat().st_ino != before
    assert (folder / "dictionary.csv").read_bytes() != b"old"
    assert (folder / "labs.csv").read_bytes() == b"dropped beside it"
    assert [p.name for p in tmp_path.iterdir()] == ["2026-02-01"]


def test_where_the_file_system_exchanges_no_folders_a_second_pull_still_replaces(
    server, tmp_path, monkeypatch
):
    def refused(*_):
        raise OSError(errno.EINVAL, "no such flag")

    monkeypatch.setattr("warehouse.store._in_one_step", refused)
    test_a_second_pull_on_a_day_takes_the_place_of_the_first_in_one_step(server, tmp_path)


@pytest.mark.parametrize("killed_in", ["sync_tree", "_exchange"])
def test_a_half_pull_is_never_seen_and_the_next_clears_it_away(
    server, tmp_path, monkeypatch, killed_in
):
    """The process dies when everything is written, or just before the folders change places."""
    folder = pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    (folder / "dictionary.csv").write_bytes(b"old")

    def die(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(f"warehouse.store.{killed_in}", die)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(SystemExit):
            pull(site_of(server.url), TOKEN, folder)
    assert (folder / "dictionary.csv").read_bytes() == b"old"
    (left,) = (p.name for p in tmp_path.iterdir() if p != folder)
    assert left.startswith(".pulling-")
    pull(site_of(server.url), TOKEN, folder)
    assert (folder / "dictionary.csv").read_bytes() != b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["2026-02-01"]


def test_the_token_is_in_the_body_only_and_nowhere_else(server, tmp_path, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    assert all(path == "/api/" and asked["token"] == TOKEN for path, asked in server.asked)
    assert TOKEN not in caplog.text + "".join(capfd.readouterr())
    assert not any(TOKEN.encode() in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


ANSWERS = {
    "a wrong token": ((403, b'{"error": "no rights"}', {}), Failed, "status 403"),
    "a server that fails": ((502, b"<html>bad gateway</html>", {}), Failed, "status 502"),
    "a redirect elsewhere": (
        (307, b"", {"Location": "http://127.0.0.1:9/api/"}),
        Failed,
        "status 307",
    ),
    "no export rights": ((400, b'{"error": "no export rights"}', {}), Failed, "refused"),
    "an error that repeats the token": (
        (400, json.dumps({"error": f"token {TOKEN} has no rights"}).encode(), {}),
        Failed,
        "refused",
    ),
    "a login page": ((200, b"<html>log in</html>", {}), Failed, "as its API does"),
    "nothing": ((200, b"", {}), Failed, "as its API does"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_another_answer_than_the_export_leaves_no_folder(server, tmp_path, what):
    server.answer, kind, message = ANSWERS[what]
    with pytest.raises(kind, match=message) as caught:
        pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    assert TOKEN not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_is_no_table_leaves_no_folder(server, tmp_path, monkeypatch):
    monkeypatch.setattr(Handler, "of_project", with_records(b"<html>log in</html>"))
    with pytest.raises(BadDelivery, match=r"no table for data\.csv"):
        pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    assert list(tmp_path.iterdir()) == []


def with_records(body):
    """The server's answers, but for the records."""
    whole = Handler.of_project

    def answer(handler, asked):
        return (200, body, {}) if asked["content"] == "record" else whole(handler, asked)

    return answer


DATA = (SAMPLES / "longitudinal" / "data.csv").read_bytes()
LINES = DATA.splitlines(keepends=True)
WARNING = b"<br />\n<b>Warning</b>:  Undefined array key 7 in <b>/redcap/x.php</b> on line <b>9</b>"
HALF = {
    "the header alone": (LINES[0], "lacks 3 of the 3 records"),
    "maintenance in plain text": (b"REDCap is offline for maintenance.\n", "no table for data.csv"),
    "a warning of PHP before the table": (WARNING + b"<br />\n" + DATA, "no table for data.csv"),
    "a warning of PHP in plain text before it": (
        b"\nWarning: Undefined array key 7 in x.php on line 9\n" + DATA,
        "no table for data.csv",
    ),
    "a warning of PHP after the table": (DATA + WARNING + b"<br />\n", "records that REDCap does"),
    "a page with a byte order mark": (
        b"\xef\xbb\xbf<!DOCTYPE html><html><p>log in</p></html>",
        "no table for data.csv",
    ),
    "cut off between records": (b"".join(LINES[:7]), "lacks [12] of the 3 records"),
    "cut off inside a row": (DATA[: -len(LINES[-1]) // 2], "the file is cut off"),
    "a JSON array": (b'[{"study_id": "100"}]', "no table for data.csv"),
    "an empty JSON array": (b"[]", "no table for data.csv"),
    "REDCap's own error": (b'{"error": "The project is offline"}', "The project is offline"),
    "in another encoding": (DATA + b"100,caf\xe9\n", "another encoding than UTF-8"),
    "a record that nobody listed": (
        DATA + LINES[-1].replace(LINES[-1].split(b",")[0], b"666", 1),
        "1 rows of records that REDCap does not list",
    ),
    "columns of another project": (
        LINES[0].rstrip() + b",strange\n" + b"".join(ln.rstrip() + b",x\n" for ln in LINES[1:]),
        "columns in no instrument",
    ),
}


def listing(body, *lists):
    """The server's answers, with this body for the records, and these lists of ids in turn."""
    whole = Handler.of_project
    left = list(lists)

    def answer(handler, asked):
        if asked["content"] != "record":
            return whole(handler, asked)
        if "study_id" in asked.values():
            return 200, left.pop(0) if len(left) > 1 else left[0], {}
        return 200, body, {}

    return answer


@pytest.mark.parametrize("what", HALF)
def test_half_an_answer_replaces_nothing(server, tmp_path, monkeypatch, what):
    """Status 200, and not the project: the pull before it stays, byte for byte."""
    body, message = HALF[what]
    folder = pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    monkeypatch.setattr(Handler, "of_project", listing(body, DATA))
    with pytest.raises((BadDelivery, Failed), match=message) as caught:
        pull(site_of(server.url), TOKEN, folder)
    assert caught.value.exit_code in (1, 2)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert [p.name for p in tmp_path.iterdir()] == ["2026-02-01"]


@pytest.mark.parametrize("what", ["the header alone", "a JSON array", "REDCap's own error"])
def test_half_a_list_of_records_replaces_nothing_either(server, tmp_path, monkeypatch, what):
    monkeypatch.setattr(Handler, "of_project", listing(DATA, HALF[what][0]))
    with pytest.raises((BadDelivery, Failed)):
        pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")
    assert list(tmp_path.iterdir()) == []


def test_a_record_deleted_or_entered_during_the_pull_is_no_fault(server, tmp_path, monkeypatch):
    """The first list has a record that the second has no longer, and lacks one that is new."""
    ids = sorted({line.split(b",")[0] for line in LINES[1:]})
    before, after = (b"study_id\n" + b"\n".join(n) + b"\n" for n in ([*ids[1:], b"999"], ids))
    monkeypatch.setattr(Handler, "of_project", listing(DATA, before, after))
    assert (pull(site_of(server.url), TOKEN, tmp_path / "x") / "data.csv").read_bytes() == DATA


def test_a_server_that_hangs_costs_minutes_and_is_not_asked_again(tmp_path, monkeypatch, server):
    """With the waits shortened a hundredfold; at full length they are five minutes and one."""
    assert (api.TIMEOUT_SECONDS[1], api.SLOW_SECONDS, pulling.PATIENCE_SECONDS) == (300, 120, 60)
    monkeypatch.setattr(api, "TIMEOUT_SECONDS", (1, 0.3))
    monkeypatch.setattr(pulling, "PATIENCE_SECONDS", 0.2)
    waited = []
    monkeypatch.setattr(pulling.time, "sleep", waited.append)
    asked = []

    def hanging(handler, question):
        asked.append(question)
        threading.Event().wait(0.6)
        return 200, b"", {}

    monkeypatch.setattr(Handler, "of_project", hanging)
    (notice,) = receive_all(job_of(tmp_path, server.url, monkeypatch))
    assert "the pull failed, its last good delivery stays in force" in notice
    assert (len(asked), waited) == (1, [])


def test_an_answer_that_hardly_comes_is_given_up(tmp_path, monkeypatch, server):
    monkeypatch.setattr(api, "SLOW_SECONDS", 0.1)
    monkeypatch.setattr(api, "SLOW_BYTES", 10**9)
    monkeypatch.setattr(api, "CHUNK", 16)
    ticks = iter(range(10**6))
    monkeypatch.setattr(api.time, "monotonic", lambda: next(ticks))
    with pytest.raises(Failed, match="hardly comes"):
        pull(site_of(server.url), TOKEN, tmp_path / "2026-02-01")


def test_a_server_that_is_not_there_is_told_without_the_token(tmp_path):
    with pytest.raises(Failed, match="did not answer") as caught:
        pull(site_of("http://127.0.0.1:9/api/"), TOKEN, tmp_path / "2026-02-01")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("url", [None, "https://redcap.example/", "http://redcap.example/api/"])
def test_an_address_that_is_no_api_or_not_encrypted_is_refused(tmp_path, url):
    with pytest.raises(BadConfiguration, match="api_url"):
        pull(site_of(url), TOKEN, tmp_path / "2026-02-01")


def test_a_token_of_another_shape_is_refused_without_being_shown(tmp_path):
    with pytest.raises(BadConfiguration, match="32 hexadecimal") as caught:
        pull(site_of("https://redcap.example/api/"), "secret", tmp_path)
    assert "secret" not in str(caught.value)


def test_the_token_comes_from_the_environment_or_else_from_a_private_file(tmp_path):
    site = site_of("https://x/api/", token_env="NORTH_TOKEN", token_file="north.token")
    with pytest.raises(BadConfiguration, match="token file cannot be read"):
        read_token(site, {}, tmp_path)
    secret = tmp_path / "north.token"
    secret.write_text(f"{TOKEN}\n")
    secret.chmod(0o644)
    with pytest.raises(BadConfiguration, match="chmod 600"):
        read_token(site, {}, tmp_path)
    secret.chmod(0o600)
    assert read_token(site, {}, tmp_path) == TOKEN
    assert read_token(site, {"NORTH_TOKEN": TOKEN.lower()}, tmp_path) == TOKEN.lower()
    with pytest.raises(BadConfiguration, match="no API token"):
        read_token(site_of("https://x/api/"), {}, tmp_path)


def job_of(tmp_path, url, monkeypatch, night=None):
    """A registry of one site that is pulled, and its night; by default today's."""
    (tmp_path / "sites").mkdir()
    (tmp_path / "registry.toml").write_text('registry = "trial"\nsites = ["north"]\n')
    (tmp_path / "sites" / "north.toml").write_text(
        f'site_id = "north"\nformat = "redcap"\n[redcap]\napi_url = "{url}"\n'
        'token_env = "NORTH_TOKEN"\n'
    )
    monkeypatch.setenv("NORTH_TOKEN", TOKEN)
    registry = load_registry(tmp_path / "registry.toml")
    night = night or today(registry)
    return Job(Store.open(tmp_path / "store"), registry, b"key", night, night)


def test_a_night_pulls_what_it_receives(server, tmp_path, monkeypatch):
    job = job_of(tmp_path, server.url, monkeypatch)
    assert receive_all(job) == ()
    (receipt,) = receipts(job.store, "north")
    assert (receipt.status, receipt.extraction_date) == ("accepted", job.as_of)
    receive_all(job)
    assert receipts(job.store, "north") == [receipt]


def test_a_night_that_is_made_again_pulls_nothing(server, tmp_path, monkeypatch):
    """What a project says today was not known then."""
    receive_all(job_of(tmp_path, server.url, monkeypatch, date(2020, 1, 1)))
    assert server.asked == []


def test_a_pull_that_fails_is_tried_again(server, tmp_path, monkeypatch):
    """REDCap is being restarted when it is asked first."""
    job = job_of(tmp_path, server.url, monkeypatch)
    server.answer = (502, b"<html>bad gateway</html>", {})
    waited = []

    def wait(seconds):
        waited.append(seconds)
        server.answer = None

    monkeypatch.setattr(pulling.time, "sleep", wait)
    assert receive_all(job) == ()
    assert [r.status for r in receipts(job.store, "north")] == ["accepted"]
    assert waited == [pulling.RETRY_SECONDS]


def test_a_pull_that_fails_is_told_and_the_night_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(pulling, "RETRY_SECONDS", 0)
    job = job_of(tmp_path, "http://127.0.0.1:9/api/", monkeypatch)
    (notice,) = receive_all(job)
    assert notice.startswith("north: the pull failed, its last good delivery stays in force. ")
    assert TOKEN not in notice


def test_a_project_is_pulled_on_request(server, tmp_path, monkeypatch, capsys):
    job = job_of(tmp_path, server.url, monkeypatch)
    where = ["--config", str(tmp_path / "registry.toml"), "--store", str(job.store.root)]
    assert main(["redcap", "pull", "north", *where]) == 0
    assert "data.csv, dictionary.csv, event_mapping.csv" in capsys.readouterr().out
    (tmp_path / "sites" / "north.toml").write_text('site_id = "north"\n')
    assert main(["redcap", "pull", "north", *where]) == 2
    assert "sites/north.toml [redcap]: no `api_url`." in capsys.readouterr().err


def test_the_doctor_says_whether_a_token_is_there(tmp_path, monkeypatch, capsys):
    """Nobody is asked: the address does not exist."""
    job = job_of(tmp_path, "https://redcap.invalid/api/", monkeypatch)
    where = ["--json", "--config", str(tmp_path / "registry.toml"), "--store", str(job.store.root)]
    main(["doctor", *where])
    assert pulls(capsys) == [("good", "north: a token is there; `y90 redcap pull north` tries it")]
    monkeypatch.delenv("NORTH_TOKEN")
    assert main(["doctor", *where]) == 1
    ((state, told),) = pulls(capsys)
    assert (state, "no API token" in told) == ("wrong", True)


def pulls(capsys):
    """What the doctor says of pulls."""
    told = json.loads(capsys.readouterr().out)
    return [(f["state"], f["found"]) for f in told if f["check"] == "pull"]
