"""Puts the page, the API and WHEP together into one application, behind one guard.

Invariant: a handler is reached only through `access.guard`, and every response leaves through `access.harden`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from camera_edge.errors import OutputError
from camera_edge.web.access import WebSettings, guard, harden
from camera_edge.web.api import ApiRoutes, explain
from camera_edge.web.services import WebServices
from camera_edge.web.whep import WhepRoutes

MAX_BODY_BYTES = 64 * 1024
_SHUTDOWN_S = 2.0
_PAGE = Path(__file__).parent / "page"
_OPEN_ROUTES = frozenset(
    {
        ("GET", "/healthz"),
        ("HEAD", "/healthz"),
        # says what any WHEP server says; a browser asks it without credentials
        ("OPTIONS", "/{camera}/whep"),
        ("OPTIONS", "/{camera}/whep/{session}"),
    }
)


def build_app(services: WebServices, settings: WebSettings) -> web.Application:
    """The application. Bodies above 64 KiB are refused (413)."""
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[guard(settings, _OPEN_ROUTES), explain])
    app.on_response_prepare.append(harden)
    app.add_routes(ApiRoutes(services).routes())
    app.add_routes(WhepRoutes(services).routes())
    app.add_routes(
        [
            web.get("/", _asset("index.html", "text/html")),
            web.get("/page.css", _asset("page.css", "text/css")),
            web.get("/page.js", _asset("page.js", "text/javascript")),
            web.get("/live.js", _asset("live.js", "text/javascript")),
            web.get("/icon.svg", _asset("icon.svg", "image/svg+xml")),
        ]
    )
    return app


@asynccontextmanager
async def listening(app: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve `app` while the block runs; gives the port (for 0, the one that was free).

    There is no access log: the address that opens the page carries the token. OutputError: the port is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as exc:
            raise OutputError(
                f"cannot listen: {exc.strerror}", where=f"{host}:{port}", hint="choose another port or address"
            ) from exc
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


def _asset(name: str, content_type: str) -> Handler:
    text = (_PAGE / name).read_text(encoding="utf-8")

    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(text=text, content_type=content_type)

    return answer
