"""Pull a whole REDCap project into the inbox.

Through REDCap's export API with PyCap: all records flat and raw, with data access groups and survey
fields, the data dictionary, and for longitudinal projects the instrument-event mapping. The folder
appears whole, or not at all. The token comes from the caller's environment or a secret file: it is
sent in the request's body only, to the address of the site file only, and never written or shown.
"""

import csv
import io
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from redcap.project import Project

from schemas.errors import BadConfiguration, BadDelivery, Failed
from schemas.site import RedcapSource, Site
from warehouse.intake.redcap.instruments import NO_FORM
from warehouse.store import new_folder, sweep

TOKEN = re.compile(r"[0-9A-Fa-f]{32}")
TIMEOUT_SECONDS = (30, 300)
"""To connect, and between two pieces of an answer: a large project keeps REDCap busy."""
SLOW_SECONDS, SLOW_BYTES = 120, 1000
"""After so long an answer must have come with so many bytes a second, or it is hanging."""
CHUNK = 2**16
ADVICE = "Check the token's export rights, and that `api_url` is the API itself."
NO_TABLE = "<{["
"""How an answer begins that is a page, an error or JSON."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
MAPPING = "event_mapping.csv"
PULLING = ".pulling-"
"""Prefix of a folder that is being pulled; hidden, so that no arrival is seen in it."""


def read_token(site: Site, environment: Mapping[str, str], beside: Path) -> str:
    """The token of a site, from its environment variable or else its secret file.

    Args:
        site: the site file; names the variable and the file.
        environment: the process's environment, given by whoever may read it.
        beside: the folder that a relative `token_file` is meant from.

    Raises:
        BadConfiguration: no token, a token of another shape, a file that others may read.
    """
    source = _source(site)
    where = f"sites/{site.site_id}.toml [redcap]"
    given = environment.get(source.token_env or "", "").strip()
    if not given and source.token_file:
        given = _from_file(beside / source.token_file, where)
    if not given:
        raise BadConfiguration(
            f"{where}: no API token. Set the environment variable that `token_env` names, or put "
            "the token into the file that `token_file` names."
        )
    return _checked(given, where)


def pull(site: Site, token: str, to: Path) -> Path:
    """Pull a project into a date folder of the inbox.

    Args:
        site: the site file, with `api_url` in its [redcap] section.
        token: the API token.
        to: the folder to make, inbox/<site>/<extraction date>. One that exists gives its place to
            the new pull in one step; other files in it are kept, and the same pull again changes
            nothing.

    Returns:
        The folder.

    Raises:
        BadConfiguration: the address or the token cannot be used.
        Failed: REDCap did not answer, or answered with an error; worth another try.
        BadDelivery: what came is not the whole export: it cannot be read, or lacks records that
            REDCap listed before.
    """
    source = _source(site)
    where = f"sites/{site.site_id}.toml [redcap]"
    project = _project(source, _checked(token, where), where)
    files = _ask(lambda: _export(project, source), where, token)
    _refuse_unread(site, files, where)
    sweep(to.parent, PULLING)
    if not _holds(to, files):
        with new_folder(to, prefix=PULLING, replace=True) as fresh:
            _keep_others(to, fresh, {*files, MAPPING})
            for name, data in files.items():
                (fresh / name).write_bytes(data)
    return to


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Whether a folder says already what was pulled: it is left as it is."""
    stale = MAPPING not in files and (folder / MAPPING).exists()
    return not stale and all(
        (folder / name).is_file() and (folder / name).read_bytes() == data
        for name, data in files.items()
    )


def _keep_others(folder: Path, fresh: Path, pulled: set[str]) -> None:
    """Carry over what somebody else put beside an earlier pull."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in pulled:
            copy = shutil.copytree if path.is_dir() else shutil.copy2
            copy(path, fresh / path.name)


def _source(site: Site) -> RedcapSource:
    return site.redcap or RedcapSource()


def _from_file(path: Path, where: str) -> str:
    try:
        if path.stat().st_mode & 0o077:
            raise BadConfiguration(
                f"{where}: the token file may be read by others. Give it owner-only permissions: "
                "chmod 600."
            )
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadConfiguration(
            f"{where}: the token file cannot be read. Correct `token_file`, or its permissions."
        ) from None


def _checked(token: str, where: str) -> str:
    """A token of REDCap's shape; PyCap would print one of another shape in its message."""
    if not TOKEN.fullmatch(token):
        raise BadConfiguration(
            f"{where}: the API token is not 32 hexadecimal digits. Copy it anew from REDCap."
        )
    return token


def _project(source: RedcapSource, token: str, where: str) -> Project:
    url = source.api_url or ""
    parts = urlsplit(url)
    if not url.endswith("/api/") or not parts.hostname:
        raise BadConfiguration(
            f"{where}: `api_url` is not the address of a REDCap API. It ends in /api/."
        )
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise BadConfiguration(f"{where}: `api_url` would send the token unencrypted. Use https.")
    return Project(
        url,
        token,
        timeout=TIMEOUT_SECONDS,
        allow_redirects=False,
        headers={"Connection": "close"},
        hooks={"response": [_check_response]},
    )


def _check_response(response: requests.Response, **_: Any) -> None:
    """PyCap takes any status and any charset: here errors are errors, and text is UTF-8.

    Status 400 is REDCap's own answer, which PyCap reads: a classic project has no mapping.
    """
    advice = {
        401: "Ask for a new token.",
        403: "Ask for API export rights, or a new token.",
    }.get(response.status_code, "Try again later, and check `api_url`.")
    if response.status_code not in (200, 400):
        response.close()
        raise Failed(f"REDCap answered with status {response.status_code}. {advice}")
    response._content = _body(response)
    try:
        response.content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadDelivery(
            "REDCap answered in another encoding than UTF-8. Check what stands between it and here."
        ) from None
    response.encoding = "utf-8"


def _body(response: requests.Response) -> bytes:
    """The whole answer; one that hardly comes is given up after minutes, not hours."""
    begun, pieces, size = time.monotonic(), [], 0
    for piece in response.iter_content(CHUNK):
        pieces.append(piece)
        size += len(piece)
        took = time.monotonic() - begun
        if took > SLOW_SECONDS and size < took * SLOW_BYTES:
            response.close()
            raise Failed("REDCap's answer hardly comes. Try again later, and check the network.")
    return b"".join(pieces)


def _export(project: Project, source: RedcapSource) -> dict[str, bytes]:
    """Everything, held against the records that REDCap lists before, and where they differ after.

    A record that is gone from the second list was deleted meanwhile, one that is new there was
    entered.
    """
    own = project.def_field  # answered in JSON: a page is no API
    described = _table(
        project.export_metadata(format_type="csv"), source.dictionary or "dictionary.csv"
    )
    fields = csv.reader(io.StringIO(described, newline=""))
    record = source.record or next((row[0] for n, row in enumerate(fields) if n == 1 and row), own)
    listed = _listed(project, record, source.data)
    records = _table(_records(project), source.data)
    there = _ids(records, record, source.data)
    if listed != there:
        _refuse_other_records(listed, there, _listed(project, record, source.data), source.data)
    files = {source.data: records, source.dictionary or "dictionary.csv": described}
    if project.is_longitudinal:
        mapping = project.export_instrument_event_mappings(format_type="csv")
        files[MAPPING] = _table(mapping, MAPPING)
    return {name: text.encode() for name, text in files.items()}


def _records(project: Project, **only: Any) -> Any:
    return project.export_records(
        format_type="csv",
        raw_or_label="raw",
        raw_or_label_headers="raw",
        event_name="unique",
        export_survey_fields=True,
        export_data_access_groups=True,
        **only,
    )


def _listed(project: Project, record: str, name: str) -> set[str]:
    """The ids of all records, asked for by themselves."""
    return _ids(_table(_records(project, fields=[record]), name), record, name)


def _table(answer: Any, name: str) -> str:
    """An answer, if it may be a table.

    Raises:
        Failed: REDCap says why it is none.
        BadDelivery: it is none.
    """
    text = str(answer)
    begin = text.lstrip("\ufeff \r\n\t")
    if begin.startswith("{"):
        try:
            said = str(json.loads(begin)["error"])[:200]
        except (ValueError, KeyError, TypeError):
            said = ""
        if said:
            raise Failed(
                f"REDCap refused the export of {name}: {said!r}. Check the token's rights."
            )
    if not begin or begin[0] in NO_TABLE:
        raise BadDelivery(f"REDCap sent no table for {name}. {ADVICE}")
    return text


def _ids(text: str, record: str, name: str) -> set[str]:
    """The ids of the records in a table.

    Raises:
        BadDelivery: it has no such column.
    """
    rows = csv.reader(io.StringIO(text.lstrip("\ufeff"), newline=""))
    header = next(rows, [])
    if not record or record not in header:
        raise BadDelivery(
            f"REDCap sent no table for {name}: its first line does not name the record id. {ADVICE}"
        )
    place = header.index(record)
    return {row[place] if place < len(row) else "" for row in rows if any(row)}


def _refuse_other_records(listed: set[str], there: set[str], after: set[str], name: str) -> None:
    lacking, strange = (listed & after) - there, there - listed - after
    if lacking:
        raise BadDelivery(
            f"{name} lacks {len(lacking)} of the {len(listed)} records that REDCap lists: the "
            "answer was cut off. Try again."
        )
    if strange:
        raise BadDelivery(
            f"{name} has {len(strange)} rows of records that REDCap does not list: the server may "
            f"have written a warning among them. {ADVICE}"
        )


def _refuse_unread(site: Site, files: Mapping[str, bytes], where: str) -> None:
    """Read what was pulled as the export of the project, and keep nothing of it."""
    from warehouse.intake.raw import convert

    with tempfile.TemporaryDirectory() as name:
        payload, to = Path(name) / "payload", Path(name) / "raw"
        for folder in (payload, to):
            folder.mkdir()
        for file, data in files.items():
            (payload / file).write_bytes(data)
        made = convert(payload, site, to, where)
    doubts = [*made.doubts, *(n for n in made.notices if NO_FORM in n)]
    if doubts:
        raise BadDelivery(f"{where}: {doubts[0]} {ADVICE}")


def _ask(export: Callable[[], dict[str, bytes]], where: str, token: str) -> dict[str, bytes]:
    try:
        return export()
    except (Failed, BadDelivery) as fault:
        raise type(fault)(f"{where}: {str(fault).replace(token, '***')}") from None
    except requests.RequestException as fault:
        raise Failed(f"{where}: {_told(fault, token)}") from None


def _told(fault: requests.RequestException, token: str) -> str:
    """What went wrong; PyCap's own error is requests' base class, without a class of its own."""
    if type(fault) is requests.RequestException:
        said = str(fault).replace(token, "***")[:200]
        return f"REDCap refused the export: {said!r}. Check the token's rights."
    return (
        f"REDCap did not answer as its API does ({type(fault).__name__}). Check `api_url` and the "
        "network, and try again."
    )
