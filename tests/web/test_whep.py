"""WHEP as its draft and the players expect it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from camera_edge.errors import CameraEdgeError, UsageError

if TYPE_CHECKING:
    from tests.web.conftest import Client, FakeHub, FakeWhep

OFFER = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\n"
SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}


async def test_an_offer_opens_a_session(client: Client, previews: dict[str, FakeWhep]) -> None:
    response = await client.post("/front/whep", data=OFFER, headers=SDP)
    assert response.status == 201
    assert response.content_type == "application/sdp"
    assert response.headers["Location"] == "/front/whep/s1"
    assert response.headers["ETag"] == '"tag1"'
    assert await response.text() == "v=0\r\ns=answer\r\n"
    assert previews["front"].offers == [OFFER]
    assert previews["yard"].offers == []


async def test_a_session_is_ended_once(client: Client, previews: dict[str, FakeWhep]) -> None:
    location = (await client.post("/front/whep", data=OFFER, headers=SDP)).headers["Location"]
    assert (await client.delete(location)).status == 200
    assert previews["front"].open == {}
    assert (await client.delete(location)).status == 404


async def test_a_session_belongs_to_its_camera(client: Client, previews: dict[str, FakeWhep]) -> None:
    await client.post("/front/whep", data=OFFER, headers=SDP)
    assert (await client.delete("/yard/whep/s1")).status == 404
    assert previews["front"].open == {"s1": "tag1"}


async def test_without_the_token_no_session_is_opened_or_ended(stranger: Client, previews: dict[str, FakeWhep]) -> None:
    previews["front"].open["s1"] = "tag1"
    response = await stranger.post("/front/whep", data=OFFER, headers=SDP)
    assert (response.status, "WWW-Authenticate" in response.headers) == (401, True)
    assert (await stranger.delete("/front/whep/s1")).status == 401
    assert (await stranger.patch("/front/whep/s1", headers=FRAGMENT)).status == 401
    assert previews["front"].offers == []
    assert previews["front"].open == {"s1": "tag1"}


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (OFFER.encode(), "application/json", 415),
        (b"", "application/sdp", 400),
        (b"hello", "application/sdp", 400),
        (b"v=0\xff", "application/sdp", 400),
        (b"v=0\r\n" + b"a" * 64 * 1024, "application/sdp", 413),
    ],
)
async def test_what_is_no_offer_is_refused(
    body: bytes, content_type: str, status: int, client: Client, previews: dict[str, FakeWhep]
) -> None:
    response = await client.post("/front/whep", data=body, headers={"Content-Type": content_type})
    assert response.status == status
    assert previews["front"].offers == []


async def test_a_camera_that_does_not_exist_is_not_found(client: Client) -> None:
    assert (await client.post("/nowhere/whep", data=OFFER, headers=SDP)).status == 404


async def test_a_camera_that_is_not_live_asks_to_come_back_later(client: Client, hub: FakeHub) -> None:
    hub.set_camera("front", live=False, state="stalled", message="No frame for 12 s.")
    response = await client.post("/front/whep", data=OFFER, headers=SDP)
    assert response.status == 409
    assert int(response.headers["Retry-After"]) > 0
    assert "front is stalled. No frame for 12 s." in await response.text()
    assert (await client.post("/yard/whep", data=OFFER, headers=SDP)).status == 201


@pytest.mark.parametrize(
    ("error", "status"), [(UsageError("the offer has no H.264"), 422), (CameraEdgeError("every place is taken"), 503)]
)
async def test_a_refusal_says_why(
    error: CameraEdgeError, status: int, client: Client, previews: dict[str, FakeWhep]
) -> None:
    previews["front"].error = error
    response = await client.post("/front/whep", data=OFFER, headers=SDP)
    assert response.status == status
    assert error.message in await response.text()
    assert ("Retry-After" in response.headers) is (status == 503)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**FRAGMENT, "If-Match": '"tag1"'}, 204),
        (FRAGMENT, 428),
        ({**FRAGMENT, "If-Match": '"other"'}, 412),
        ({**FRAGMENT, "If-Match": "*"}, 422),
        ({**SDP, "If-Match": '"tag1"'}, 415),
    ],
)
async def test_trickle_is_checked(headers: dict[str, str], status: int, client: Client) -> None:
    await client.post("/front/whep", data=OFFER, headers=SDP)
    response = await client.patch("/front/whep/s1", data="a=ice-ufrag:x\r\n", headers=headers)
    assert response.status == status
    assert "ETag" not in response.headers


async def test_trickle_to_no_session_is_not_found(client: Client) -> None:
    assert (await client.patch("/front/whep/s9", headers=FRAGMENT)).status == 404


@pytest.mark.parametrize(
    ("path", "header", "value"),
    [
        ("/front/whep", "Accept-Post", "application/sdp"),
        ("/front/whep/s1", "Accept-Patch", "application/trickle-ice-sdpfrag"),
    ],
)
async def test_options_describe_the_resource_without_the_token(
    path: str, header: str, value: str, stranger: Client
) -> None:
    response = await stranger.options(path)
    assert response.status == 204
    assert response.headers[header] == value


@pytest.mark.parametrize("path", ["/front/whep", "/front/whep/s1"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
async def test_other_methods_are_not_allowed(method: str, path: str, client: Client) -> None:
    response = await client.request(method, path)
    assert response.status == 405
    assert "OPTIONS" in response.headers["Allow"]
