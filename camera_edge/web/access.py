"""Decides who may ask, from where, and what a browser may do with the answer.

Invariant: without the token nothing is told but the names and states of cameras (`/healthz`); a page of another
origin can neither read nor change anything, even on the same machine.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

# nothing from elsewhere, nothing inline; the page may not be framed
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    # cookies do not tell ports apart: this keeps another server on this host from embedding our pictures
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="camera-edge"'}


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the operator chose.

    token: the secret that opens everything; `secrets.token_urlsafe(32)`, printed once at start.
    host_names: names the page may be asked for by, beside any IP address. Other names are refused, since a name that
    an attacker owns can be pointed at this machine (DNS rebinding).
    """

    token: str
    host_names: tuple[str, ...] = ("localhost",)


def host_is_ours(host: str, names: tuple[str, ...]) -> bool:
    """Whether a Host header names this machine: an IP address or one of `names`, with or without a port."""
    try:
        address = urlsplit(f"//{host}")
        _ = address.port  # raises for what is no port
        name = address.hostname or ""
        if name not in names:
            ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def origin_is_ours(origin: str | None, host: str) -> bool:
    """Whether an Origin header is absent (no browser, or no other origin) or the one the page came from."""
    return origin is None or urlsplit(origin).netloc == host


def same_token(given: str, token: str) -> bool:
    """Compares in constant time."""
    # headers may hold bytes that are no UTF-8; aiohttp keeps them as surrogates
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token.encode())


def cookie_name(request: web.Request) -> str:
    """Carries the port: cookies are shared by all ports of a host, and two hubs may run on one."""
    return f"camera_edge_{urlsplit(f'//{request.host}').port or 80}"


def has_token(request: web.Request, token: str) -> bool:
    """By `Authorization: Bearer`, or by the cookie that the printed address sets."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return same_token(given.strip(), token)
    return same_token(request.cookies.get(cookie_name(request), ""), token)


def let_in(request: web.Request, token: str) -> web.Response:
    """Answer the printed address: a cookie takes the place of the token. HTTPUnauthorized: a wrong token."""
    if not same_token(request.query["token"], token):
        raise unauthorized()
    response = web.Response(status=303, headers={"Location": "/"})
    response.set_cookie(cookie_name(request), token, httponly=True, samesite="Strict", path="/")
    return response


def unauthorized() -> web.HTTPUnauthorized:
    return web.HTTPUnauthorized(
        headers=_CHALLENGE,
        text="401: the token is missing or wrong. Open the address that camera-edge printed when it started.\n",
    )


def guard(settings: WebSettings, open_routes: frozenset[tuple[str, str]]) -> Middleware:
    """The wall in front of every handler. `open_routes` are (method, route) pairs that need no token."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not host_is_ours(request.host, settings.host_names):
            raise web.HTTPForbidden(
                text=f"403: this server is not called {request.host!r}. Use its IP address, or add the name to "
                "the configuration.\n"
            )
        if not origin_is_ours(request.headers.get("Origin"), request.host):
            raise web.HTTPForbidden(text="403: pages of another origin may not use this server.\n")
        resource = request.match_info.route.resource
        route = (request.method, resource.canonical if resource else "")
        if route in open_routes or has_token(request, settings.token):
            return await handler(request)
        if route == ("GET", "/") and "token" in request.query:
            return let_in(request, settings.token)
        raise unauthorized()

    return check


async def harden(_request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that hold a browser back, on every response there is."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
