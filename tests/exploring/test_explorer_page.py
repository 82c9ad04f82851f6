"""The explorer over HTTP: who is let in, what is answered, and what never leaves."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analytics.summary import rounded
from flows.exploring.app import application
from flows.exploring.explorer import Explorer
from flows.exploring.gate import HEADERS, LARGEST
from schemas.errors import BadConfiguration, Refused
from schemas.house_settings import ExportSettings
from schemas.settings import Registry
from tests.support.asgi_client import Client
from warehouse.account import trace
from warehouse.engine.pseudonyms import DEMONSTRATION_KEY
from warehouse.fingerprints import file_sha256
from warehouse.loading import row_index
from warehouse.releases import releases
from warehouse.releases.integrity import seen
from warehouse.store import Store

TOKEN, PORT, HOST = "a-token-of-the-test", 8765, "127.0.0.1:8765"
ADDRESS = f"http://{HOST}"
RELEASE, LATER = "2011.03.31", "2011.04.01"
OS = "survival_medians.all.os.subject.overall.overall.midpoint"
Ask = Callable[..., Any]


def registry_of(release: Path) -> Registry:
    return row_index.registry_of(releases.manifest(release)["content"])


def no_key(_: Path) -> bytes:
    raise BadConfiguration("no key: set one.")


def client_of(store: Store, key_of: Callable[[Path], bytes] | None = None) -> Client:
    explorer = Explorer(store, registry_of, key_of or (lambda _: DEMONSTRATION_KEY))
    app = application(explorer, TOKEN, PORT)
    return Client(app, ADDRESS)


@pytest.fixture(scope="module")
def two_releases(
    reference_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """The reference store with a second release in which every median is a month longer."""
    root = tmp_path_factory.mktemp("explored") / "store"
    shutil.copytree(reference_store.root, root)
    store = Store.open(root)
    later = store.release(LATER)
    shutil.copytree(store.release(RELEASE), later)
    database = later / "release.duckdb"
    with duckdb.connect(str(database)) as con:
        con.execute("UPDATE outcomes.survival_medians SET median_months = median_months + 1")
    facts = json.loads((later / "manifest.json").read_text("utf-8"))
    facts["record"]["files"][database.name] = file_sha256(database)
    facts["record"]["database"] = seen(database)
    (later / "manifest.json").write_text(json.dumps(facts), "utf-8")
    return store


@pytest.fixture
def client(two_releases: Store) -> Client:
    return client_of(two_releases)


@pytest.fixture
def ask(client: Client) -> Ask:
    """A question by its name and facts; its answer."""

    def asked(what: str, status: int = 200, **facts: Any) -> Any:
        answer = client.post(f"/{TOKEN}/{what}", json={"release": RELEASE} | facts)
        assert answer.status_code == status, answer.text
        return answer.json()

    return asked


SURVIVAL = {"question": "survival", "population": "all", "endpoint": "OS"}
PATHS = [("GET", "/"), ("GET", "/page.js"), ("POST", "/look"), ("POST", "/patient")]


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "..%2f"])
def test_without_the_token_nothing_is_here(
    client: Client, method: str, path: str, token: str
) -> None:
    answer = client.request(method, f"/{token}{path}", json=SURVIVAL)
    assert answer.status_code == 404
    assert answer.text.startswith("Nothing is here")


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8765", "127.0.0.1", "127.0.0.1:80", "0.0.0.0:8765", ""]
)
def test_another_host_finds_nothing(client: Client, host: str) -> None:
    """A page of elsewhere whose name was made to mean this machine."""
    assert client.get(f"/{TOKEN}/", headers={"host": host}).status_code == 404


@pytest.mark.parametrize(
    ("origin", "status"),
    [(f"http://{HOST}", 200), ("http://localhost:8765", 200), ("http://evil.example", 404),
     ("null", 404), ("http://127.0.0.1:9999", 404)],
)  # fmt: skip
def test_a_page_of_another_origin_is_not_answered(client: Client, origin: str, status: int) -> None:
    facts = {"release": RELEASE}
    answer = client.post(f"/{TOKEN}/choices", json=facts, headers={"origin": origin})
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/", "/page.css", "/page.js", "/nowhere", "/look"])
def test_every_answer_is_kept_nowhere_and_loads_nothing(client: Client, path: str) -> None:
    for answer in (client.get(f"/{TOKEN}{path}"), client.get("/elsewhere")):
        assert {n: answer.headers[n] for n in HEADERS} == HEADERS
        assert answer.headers["cache-control"] == "no-store"
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"].replace(
            "style-src-attr 'unsafe-inline'", ""
        )


def test_a_large_request_is_refused_unread(client: Client) -> None:
    answer = client.post(f"/{TOKEN}/look", content=b"x" * (LARGEST + 1))
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/page.html", "/../app.py"])
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client.get(f"/{TOKEN}{path}").status_code == 404


def test_what_is_asked_is_a_body_and_never_an_address(client: Client) -> None:
    for what in ("look", "trace", "patient", "choices", "releases"):
        assert client.get(f"/{TOKEN}/{what}?release={RELEASE}").status_code == 405


@pytest.mark.parametrize(
    "facts",
    [{"subject": "SECRETPATIENT", "more": 1}, {"subject": ["SECRETPATIENT"]},
     {"subject": "SECRETPATIENT" * 40}],
)  # fmt: skip
def test_a_malformed_request_is_not_told_back(client: Client, facts: dict[str, Any]) -> None:
    answer = client.post(f"/{TOKEN}/patient", json=facts)
    assert answer.status_code == 422
    assert "SECRET" not in answer.text


def test_a_bug_tells_its_place_and_none_of_its_words(
    two_releases: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: Path) -> Registry:
        raise ValueError("SECRETPATIENT")

    app = application(Explorer(two_releases, broken, no_key), TOKEN, PORT)
    client = Client(app, ADDRESS)
    answer = client.post(f"/{TOKEN}/look", json={"release": RELEASE, **SURVIVAL})
    assert answer.status_code == 500
    told = capsys.readouterr()
    assert "SECRET" not in answer.text + told.out + told.err
    assert "in broken" in told.err


def test_the_page_names_nothing_outside_itself(client: Client) -> None:
    for path in ("/", "/page.css", "/page.js"):
        text = client.get(f"/{TOKEN}{path}").text
        assert re.findall(r"https?:|//[a-z]|@import|url\(", text) == []


def every_number(told: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Statistic and printed text of each cell."""
    for table in told["tables"]:
        for cells in table["rows"]:
            yield from ((c["statistic"], c["text"]) for c in cells if c["statistic"])


@pytest.mark.parametrize(
    "facts",
    [
        SURVIVAL,
        SURVIVAL | {"by": "ecog0"},
        SURVIVAL | {"only": [["ecog0", "0"]]},
        SURVIVAL | {"endpoint": "TTRL", "site": "memon2012"},
        {"question": "response", "population": "all", "criterion": "WHO", "unit": "patients",
         "confirmation": "unconfirmed"},
        {"question": "response", "population": "all", "criterion": "EASL",
         "unit": "lesions in a treated lobe", "confirmation": "unconfirmed"},
        {"question": "toxicity", "population": "all", "version": "3.0", "window": "any"},
    ],
)  # fmt: skip
def test_every_published_number_is_the_one_in_the_outcome_tables(
    ask: Ask, two_releases: Store, facts: dict[str, Any]
) -> None:
    """Each printed cell holds value and limits of its statistic as outcomes.statistics has them."""
    told = ask("look", **facts)
    assert told["published"]
    found = list(every_number(told))
    assert found
    place = two_releases.release(RELEASE) / "release.duckdb"
    with duckdb.connect(str(place), read_only=True) as con:
        rows = con.execute(
            "SELECT statistic_id, value, lower, upper, n, total, unit FROM outcomes.statistics"
        ).fetchall()
    statistics = {name: rest for name, *rest in rows}
    for name, text in found:
        value, lower, upper, n, total, unit = statistics[name]
        scale = 100 if unit == "1" else 1
        digits = 2 if name.startswith("prognosis") else 1
        shares = [v for v in (value, lower, upper) if v is not None]
        printed = {rounded(scale * v, digits) for v in shares} | {str(n), str(total)}
        if name.startswith("prognosis"):
            continue  # hazard ratios stand beside the p, which is the statistic's value
        assert set(re.findall(r"\d+(?:\.\d+)?", text)) <= printed, (name, text, printed)
    assert set(told["statistics"]) <= statistics.keys()


def test_hazard_ratio_and_p_are_those_of_the_table(ask: Ask, two_releases: Store) -> None:
    told = ask("look", **SURVIVAL, by="ecog0")
    place = two_releases.release(RELEASE) / "release.duckdb"
    with duckdb.connect(str(place), read_only=True) as con:
        hr, lower, upper = con.execute(
            "SELECT hr, lower, upper FROM outcomes.prognosis_univariate WHERE population = 'all' "
            "AND endpoint = 'OS' AND factor = 'ecog0' AND factor_level = '>=1'"
        ).fetchall()[0]
    cells = [cell["text"] for cell in told["tables"][1]["rows"][1]]
    assert cells[2] == f"{rounded(hr, 2)} ({rounded(lower, 2)} to {rounded(upper, 2)})"


def test_the_median_of_the_series_is_shown(ask: Ask) -> None:
    """34.4 months, 28 of 40 died: Memon et al. 2012."""
    told = ask("look", **SURVIVAL)
    assert told["statistics"] == [OS]
    cells = [cell["text"] for cell in told["tables"][0]["rows"][0]]
    assert cells[:3] == ["all", "40", "28"]
    assert cells[3].startswith("34.4 (")
    assert "28 of 40 died; median 34.4" in told["svg"]


def test_another_release_shows_its_own_numbers(ask: Ask) -> None:
    assert [r["id"] for r in ask("releases")["releases"]] == [LATER, RELEASE]
    assert ask("releases")["current"] == RELEASE
    told = ask("look", release=LATER, **SURVIVAL)
    assert told["tables"][0]["rows"][0][3]["text"].startswith("35.4 (")
    assert LATER in told["source"]
    assert LATER in told["python"]
    assert ask("look", **SURVIVAL)["tables"][0]["rows"][0][3]["text"].startswith("34.4 (")


@pytest.mark.parametrize("name", ["2011.03.30", "../raw", "", "current"])
def test_a_release_is_one_of_the_list(ask: Ask, name: str) -> None:
    told = ask("look", 422, release=name, **SURVIVAL)
    assert told == {"error": "explore: the store has no such release. Choose one from the list."}


def test_a_free_look_is_marked_counted_and_names_no_statistic(own_store: Store) -> None:
    client = client_of(own_store)
    facts = {"release": RELEASE, **SURVIVAL, "by": "ecog0", "only": [["burden25", "<=25"]]}
    waiting = client.post(f"/{TOKEN}/look", json=facts).json()
    assert (waiting["waits"], waiting["taken"], waiting.get("svg")) == (True, 0, None)
    told = client.post(f"/{TOKEN}/look", json=facts | {"take": True}).json()
    assert (told["published"], told["taken"], told["compared"]) == (False, 1, 1)
    assert told["statistics"] == []
    assert list(every_number(told)) == []
    other = client_of(own_store).post(f"/{TOKEN}/look", json={"release": RELEASE, **SURVIVAL})
    assert other.json()["taken"] == 1


def test_small_cells_are_refused_by_the_house_setting(two_releases: Store) -> None:
    def careful(release: Path) -> Registry:
        known = registry_of(release)
        file = known.file.model_copy(update={"export": ExportSettings(small_cell=20)})
        return replace(known, file=file)

    app = application(Explorer(two_releases, careful, no_key), TOKEN, PORT)
    client = Client(app, ADDRESS)
    facts = {"release": RELEASE, **SURVIVAL, "by": "ecog0", "only": [["burden25", "<=25"]]}
    told = client.post(f"/{TOKEN}/look", json=facts | {"take": True}).json()
    assert "fewer than 20 patients" in told["refused"]


def test_without_the_registrys_file_published_statistics_are_shown_alone(
    two_releases: Store,
) -> None:
    def unknown(_: Path) -> Registry:
        raise Refused("there is no file.")

    client = Client(application(Explorer(two_releases, unknown, no_key), TOKEN, PORT), ADDRESS)
    facts = {"release": RELEASE, **SURVIVAL}
    assert client.post(f"/{TOKEN}/choices", json={"release": RELEASE}).status_code == 200
    assert client.post(f"/{TOKEN}/look", json=facts).json()["published"]
    free = client.post(f"/{TOKEN}/look", json=facts | {"first_year": 2004, "take": True})
    assert free.status_code == 422
    assert "name the file with --config" in free.json()["error"]


def test_a_number_leads_to_its_trace_and_a_patient_to_what_is_known(ask: Ask) -> None:
    told = ask("trace", statistic=OS)
    assert len(told["counted"]) == 28
    assert told["others"] == []
    assert "data.csv row" in told["text"]
    patient = ask("patient", subject=told["counted"][0])
    assert patient["text"].startswith(f"subject   {told['counted'][0]}")
    assert "Endpoints" in patient["text"]


def test_without_the_key_no_number_is_traced_and_no_patient_shown(two_releases: Store) -> None:
    client = client_of(two_releases, no_key)
    for what, facts in (("trace", {"statistic": OS}), ("patient", {"subject": "045f3b4239e26eab"})):
        answer = client.post(f"/{TOKEN}/{what}", json={"release": RELEASE, **facts})
        assert answer.status_code == 422
        assert "the key of this registry cannot be read here" in answer.json()["error"]
    choices = client.post(f"/{TOKEN}/choices", json={"release": RELEASE}).json()
    assert choices["may_trace"] is False


def test_who_may_not_read_what_was_delivered_is_told_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An analyst's user reads releases and nothing of raw and state."""

    def closed(*_: Any) -> Any:
        raise PermissionError(13, "denied", "state/lineage")

    monkeypatch.setattr(trace, "of_statistic", closed)
    answer = client.post(f"/{TOKEN}/trace", json={"release": RELEASE, "statistic": OS})
    assert answer.status_code == 422
    assert "may not read what centres delivered" in answer.json()["error"]


def test_a_withdrawn_release_says_so(own_store: Store) -> None:
    folder = own_store.release(RELEASE) / "decisions"
    folder.mkdir(exist_ok=True)
    (folder / "9.json").write_text(json.dumps({"decision": "withdraw"}), "utf-8")
    told = client_of(own_store).post(f"/{TOKEN}/choices", json={"release": RELEASE}).json()
    assert told["notes"] == ["This release is withdrawn."]


def test_no_patient_is_named_unless_asked_for(ask: Ask, two_releases: Store) -> None:
    """No pseudonym stands in a look, nor in what is counted of it."""
    place = two_releases.release(RELEASE) / "release.duckdb"
    with duckdb.connect(str(place), read_only=True) as con:
        subjects = [s for (s,) in con.execute("SELECT subject_id FROM marts.subjects").fetchall()]
    told = json.dumps([ask("choices"), ask("look", **SURVIVAL, by="ecog0"), ask("releases")])
    assert subjects
    assert [s for s in subjects if s in told] == []
