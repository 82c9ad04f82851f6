"""Pull a whole REDCap project into the inbox.

Through REDCap's export API with PyCap: all records flat and raw, with data access groups and survey
fields, the data dictionary, and for longitudinal projects the instrument-event mapping. The folder
appears whole, or not at all. The token comes from the caller's environment or a secret file: it is
sent in the request's body only, to the address of the site file only, and never written or shown.
"""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from redcap.project import Project

from schemas.errors import BadConfiguration, BadDelivery, Failed
from schemas.site import RedcapSource, Site
from warehouse.store import new_folder, sweep

TOKEN = re.compile(r"[0-9A-Fa-f]{32}")
TIMEOUT_SECONDS = (30, 1800)
"""To connect, and between two pieces of an answer: a large project keeps REDCap busy."""
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
        BadDelivery: what came is no export.
    """
    source = _source(site)
    where = f"sites/{site.site_id}.toml [redcap]"
    project = _project(source, _checked(token, where), where)
    files = _ask(lambda: _export(project, source), where, token)
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
    """PyCap takes any status and guesses the charset: here errors are errors, and text is UTF-8.

    Status 400 is REDCap's own answer, which PyCap reads: a classic project has no mapping.
    """
    advice = {
        401: "Ask for a new token.",
        403: "Ask for API export rights, or a new token.",
    }.get(response.status_code, "Try again later, and check `api_url`.")
    if response.status_code not in (200, 400):
        response.close()
        raise Failed(f"REDCap answered with status {response.status_code}. {advice}")
    response.encoding = "utf-8"


def _export(project: Project, source: RedcapSource) -> dict[str, bytes]:
    files = {
        source.data: project.export_records(
            format_type="csv",
            raw_or_label="raw",
            raw_or_label_headers="raw",
            event_name="unique",
            export_survey_fields=True,
            export_data_access_groups=True,
        ),
        source.dictionary or "dictionary.csv": project.export_metadata(format_type="csv"),
    }
    if project.is_longitudinal:
        files[MAPPING] = project.export_instrument_event_mappings(format_type="csv")
    return {name: text.encode() for name, text in files.items()}


def _ask(export: Callable[[], dict[str, bytes]], where: str, token: str) -> dict[str, bytes]:
    try:
        files = export()
    except Failed as fault:
        raise Failed(f"{where}: {fault}") from None
    except requests.RequestException as fault:
        raise Failed(f"{where}: {_told(fault, token)}") from None
    empty = [name for name, data in files.items() if not data.strip()]
    page = [name for name, data in files.items() if data.lstrip()[:1] in (b"<", b"{")]
    if empty or page:
        raise BadDelivery(
            f"{where}: REDCap sent no table for {', '.join([*empty, *page])}. Check the token's "
            "export rights, and that `api_url` is the API itself."
        )
    return files


def _told(fault: requests.RequestException, token: str) -> str:
    """What went wrong; PyCap's own error is requests' base class, without a class of its own."""
    if type(fault) is requests.RequestException:
        said = str(fault).replace(token, "***")[:200]
        return f"REDCap refused the export: {said!r}. Check the token's rights."
    return (
        f"REDCap did not answer as its API does ({type(fault).__name__}). Check `api_url` and the "
        "network, and try again."
    )
