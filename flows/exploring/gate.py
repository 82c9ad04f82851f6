"""Let in only who was given the address: loopback's own names, the token, small requests.

A page of another origin that a browser is lured to can reach loopback, also under a name of its own
(DNS rebinding). So a request must name this machine as its host, come from no other origin, and
hold the token that stands in the address; anything else is answered as if nothing were here. What
is answered is kept nowhere, and the page loads nothing from elsewhere.
"""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
LARGEST = 16_384
"""Bytes of a request's body: a selection takes some hundred."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def gated(app: App, token: str, port: int) -> App:
    """The application behind the gate.

    Args:
        app: what answers.
        token: what every path begins with; the application sees the rest.
        port: on which it listens.
    """
    hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # no websocket, no lifespan
        marked = _marked(send)
        why = _refused(scope, hosts)
        first, _, rest = str(scope["path"]).removeprefix("/").partition("/")
        if why is None and not secrets.compare_digest(first.encode(), token.encode()):
            why = 404
        if why is not None:
            await _nothing(marked, why)
            return
        own = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode()}
        await app(own, receive, marked)

    return guarded


def _refused(scope: Scope, hosts: set[str]) -> int | None:
    """The status of what is not let in."""
    headers = {name.decode("latin-1").lower(): value for name, value in scope["headers"]}
    host = headers.get("host", b"").decode("latin-1")
    origin = headers.get("origin", b"").decode("latin-1")
    if host not in hosts or (origin and urlsplit(origin).netloc not in hosts):
        return 404
    length = headers.get("content-length", b"0")
    if b"transfer-encoding" in dict(scope["headers"]) or not length.isdigit():
        return 413
    return 413 if int(length) > LARGEST else None


def _marked(send: Send) -> Send:
    """Every answer says that it is kept nowhere and loads nothing from elsewhere."""

    async def with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = [(n.encode(), value.encode()) for n, value in HEADERS.items()]
            others = [(n, v) for n, v in message.get("headers", []) if n.decode() not in HEADERS]
            message["headers"] = [*others, *own]
        await send(message)

    return with_headers


async def _nothing(send: Send, status: int) -> None:
    body = b"Nothing is here. Open the address that `y90 explore` printed.\n"
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
