"""The explorer's page and its answers over HTTP; what is asked stands in no address."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from flows.exploring.explorer import Explorer
from flows.exploring.gate import App, gated
from report.drawing import colours
from schemas.errors import Y90Error, places
from warehouse.exploring.selection import Selection

HERE = Path(__file__).parent
FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
Text = Field("", max_length=200)


class Asked(BaseModel):
    """What every question names: the release."""

    model_config = ConfigDict(extra="forbid")
    release: str = Text


class Look(Asked):
    """A selection, as the page's controls give it; an empty text is no choice."""

    question: str = Text
    population: str = Text
    site: str = Text
    only: list[tuple[str, str]] = Field([], max_length=20)
    first_year: int | None = None
    last_year: int | None = None
    by: str = Text
    endpoint: str = Text
    competing: str = Text
    criterion: str = Text
    unit: str = Text
    confirmation: str = Text
    version: str = Text
    window: str = Text
    take: bool = False
    narrow: bool = False

    def selection(self) -> Selection:
        """The same without what is not a choice."""
        beside = {"release", "take", "narrow", "only"}
        return Selection(**self.model_dump(exclude=beside), only=tuple(self.only))


class Traced(Asked):
    """A statistic of a release."""

    statistic: str = Text


class Patient(Asked):
    """A subject of a release."""

    subject: str = Text


def application(explorer: Explorer, token: str, port: int) -> App:
    """The explorer over HTTP, behind its gate.

    Args:
        explorer: what answers.
        token: what its address holds.
        port: on which it listens.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    for path, (name, kind) in FILES.items():
        app.add_api_route(path, _file(name, kind), methods=["GET"], include_in_schema=False)
    app.add_exception_handler(RequestValidationError, _wrong)

    @app.post("/releases")
    def releases() -> JSONResponse:
        return _answered(explorer, explorer.releases)

    @app.post("/choices")
    def choices(asked: Asked) -> JSONResponse:
        return _answered(explorer, lambda: explorer.choices(asked.release))

    @app.post("/look")
    def look(asked: Look) -> JSONResponse:
        how = {"take": asked.take, "narrow": asked.narrow}
        return _answered(explorer, lambda: explorer.look(asked.release, asked.selection(), **how))

    @app.post("/trace")
    def trace(asked: Traced) -> JSONResponse:
        return _answered(explorer, lambda: explorer.trace(asked.release, asked.statistic))

    @app.post("/patient")
    def patient(asked: Patient) -> JSONResponse:
        return _answered(explorer, lambda: explorer.patient(asked.release, asked.subject))

    return gated(app, token, port)


def _file(name: str, kind: str) -> Callable[[], Response]:
    text = (HERE / name).read_text("utf-8")
    if name == "page.css":
        text = text.replace("/* light */", colours.variables(dark=False))
        text = text.replace("/* dark */", colours.variables(dark=True))
    return lambda: Response(text, media_type=kind)


def _answered(explorer: Explorer, ask: Callable[[], dict[str, Any]]) -> JSONResponse:
    """The answer; a refusal is one too. A bug says where it is, and none of its words."""
    try:
        with explorer.busy:
            return JSONResponse(ask())
    except Y90Error as error:
        return JSONResponse({"error": str(error)}, 422)
    except Exception as fault:
        sys.stderr.write("".join(f"  {line}\n" for line in places(fault)))
        told = "This is a bug of y90. Where it is stands in the window that runs `y90 explore`."
        return JSONResponse({"error": told}, 500)


async def _wrong(_request: Request, _fault: Exception) -> JSONResponse:
    """A request that the page does not make; what it held is not told back."""
    return JSONResponse({"error": "explore: not a question of this page."}, 422)
