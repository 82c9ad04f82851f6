"""A client of an application in this process: no socket, one request after another."""

import asyncio
from typing import Any

import httpx


class Client:
    """Requests to an ASGI application under one address."""

    def __init__(self, app: Any, address: str) -> None:
        self.app = app
        self.address = address

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        """The answer to one request."""

        async def answer() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self.address) as client:
                return await client.request(method, path, **given)

        return asyncio.run(answer())

    def get(self, path: str, **given: Any) -> httpx.Response:
        """The answer to a GET."""
        return self.request("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        """The answer to a POST."""
        return self.request("POST", path, **given)
