"""Exactly the configured addresses are bound, and nobody outside is asked anything."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiortc.sdp import SessionDescription

from camera_edge.errors import OutputError
from camera_edge.preview import PreviewPolicy

if TYPE_CHECKING:
    from tests.preview.conftest import Scene

HOSTILE = (
    "a=candidate:1 1 udp 2113937151 0f1e2d3c-aaaa-bbbb-cccc-1234567890ab.local 40000 typ host\r\n"
    "a=candidate:2 1 udp 2113937150 192.0.2.77 40001 typ host\r\n"
)


class Spy:
    """Hears of every socket call of this process. An audit hook cannot be removed, so it is switched off instead."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self._listening = True
        sys.addaudithook(self._hear)

    def _hear(self, event: str, args: tuple[object, ...]) -> None:
        if not self._listening or not event.startswith("socket."):
            return
        if event in ("socket.bind", "socket.connect", "socket.sendto"):
            address = args[1]
            self.calls.append((event, str(address[0]) if isinstance(address, tuple) else str(address)))
        elif event != "socket.__new__":
            self.calls.append((event, str(args)))

    def stop(self) -> None:
        self._listening = False


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("127.0.0.1", "127.0.0.2"), ("::1",)])
async def test_the_answer_offers_exactly_the_configured_addresses(addresses: tuple[str, ...], scene: Scene) -> None:
    if "::1" in addresses and not Path("/proc/net/if_inet6").exists():
        pytest.skip("this kernel has no IPv6")
    fanout = scene.fanout(PreviewPolicy(ice_addresses=addresses))
    session = await fanout.answer(await scene.watcher().offer())
    (media,) = SessionDescription.parse(session.answer_sdp).media
    assert [candidate.ip for candidate in media.ice_candidates] == list(addresses)
    assert {candidate.type for candidate in media.ice_candidates} == {"host"}
    assert media.ice_candidates_complete


async def test_a_session_speaks_to_loopback_only_whatever_the_offer_names(scene: Scene) -> None:
    fanout, watcher = scene.fanout(), scene.watcher()
    offer = await watcher.offer()
    spy = Spy()
    try:
        session = await fanout.answer(offer + HOSTILE)
        await watcher.accept(session.answer_sdp)
        await scene.until(lambda: fanout.viewers == 1)
    finally:
        spy.stop()
    assert ("socket.bind", "127.0.0.1") in spy.calls
    assert ("socket.sendto", "127.0.0.1") in spy.calls
    assert {address for _, address in spy.calls} == {"127.0.0.1"}


async def test_an_address_that_this_machine_lacks_is_refused_with_a_hint(scene: Scene) -> None:
    fanout = scene.fanout(PreviewPolicy(ice_addresses=("198.51.100.1",)))
    with pytest.raises(OutputError, match="198.51.100.1.*could be bound.*name addresses that this machine has"):
        await fanout.answer(await scene.watcher().offer())
