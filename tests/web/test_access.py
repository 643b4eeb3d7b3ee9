"""Who is let in, from where, and what a browser may do with the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiohttp import ClientSession, CookieJar

from camera_edge.web import WebSettings, build_app, listening
from camera_edge.web.access import host_is_ours, origin_is_ours, same_token

if TYPE_CHECKING:
    from tests.web.conftest import Client, FakeHub

PROTECTED = ["/", "/page.js", "/page.css", "/api/events", "/api/status", "/events/e001/clip.mp4", "/no/such/page"]


@pytest.mark.parametrize("path", PROTECTED)
async def test_without_the_token_nothing_is_told(path: str, stranger: Client) -> None:
    response = await stranger.get(path)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Open the address that camera-edge printed" in await response.text()


@pytest.mark.parametrize("given", ["Bearer wrong", "Bearer ", "Basic {token}", "{token}"])
async def test_a_wrong_token_is_no_token(given: str, stranger: Client, token: str) -> None:
    headers = {"Authorization": given.format(token=token)}
    assert (await stranger.get("/api/status", headers=headers)).status == 401


def test_a_token_that_is_no_utf8_is_compared_and_not_an_error() -> None:
    assert not same_token("\udcff", "token")


async def test_the_printed_address_sets_a_cookie_and_hides_the_token(hub: FakeHub, token: str) -> None:
    async with (
        listening(build_app(hub, WebSettings(token)), "127.0.0.1", 0) as port,
        ClientSession(f"http://127.0.0.1:{port}", cookie_jar=CookieJar(unsafe=True)) as browser,
    ):
        answer = await browser.get("/", params={"token": token}, allow_redirects=False)
        assert answer.status == 303
        assert answer.headers["Location"] == "/"
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith(f"camera_edge_{port}=")
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        page = await browser.get("/")
        assert page.status == 200
        assert token not in await page.text()


async def test_a_wrong_token_in_the_address_sets_no_cookie(stranger: Client) -> None:
    response = await stranger.get("/", params={"token": "wrong"}, allow_redirects=False)
    assert response.status == 401
    assert "Set-Cookie" not in response.headers


async def test_the_token_in_the_address_opens_the_page_only(stranger: Client, token: str) -> None:
    assert (await stranger.get("/api/status", params={"token": token})).status == 401


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1:8080", True),
        ("127.0.0.1", True),
        ("[::1]:8080", True),
        ("192.0.2.7:80", True),
        ("localhost:8080", True),
        ("attacker.example", False),
        ("attacker.example:8080", False),
        ("127.0.0.1.attacker.example", False),
        ("localhost.attacker.example", False),
        ("127.0.0.1:port", False),
        ("[::1", False),
        ("", False),
    ],
)
def test_only_addresses_and_known_names_are_ours(host: str, ours: bool) -> None:
    assert host_is_ours(host, ("localhost",)) is ours


@pytest.mark.parametrize(
    ("origin", "ours"),
    [
        (None, True),
        ("http://127.0.0.1:8080", True),
        ("http://127.0.0.1:9999", False),
        ("http://attacker.example", False),
        ("null", False),
    ],
)
def test_only_the_pages_own_origin_is_ours(origin: str | None, ours: bool) -> None:
    assert origin_is_ours(origin, "127.0.0.1:8080") is ours


async def test_a_rebound_name_is_refused_even_with_the_token(client: Client) -> None:
    response = await client.get("/api/status", headers={"Host": "attacker.example"})
    assert response.status == 403
    assert "version" not in await response.text()


async def test_a_page_of_another_origin_is_refused_even_with_the_token(client: Client) -> None:
    response = await client.delete("/front/whep/s1", headers={"Origin": "http://127.0.0.1:9999"})
    assert response.status == 403


@pytest.mark.parametrize("path", ["/", "/api/events", "/nothing", "/healthz"])
async def test_every_answer_holds_the_browser_back(path: str, client: Client) -> None:
    headers = (await client.get(path)).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


async def test_refusals_hold_the_browser_back_too(stranger: Client) -> None:
    headers = (await stranger.get("/")).headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
