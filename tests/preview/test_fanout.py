"""Viewers get one camera's pictures, as encoded, from a key frame on; nothing is asked of it while nobody looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aioice.ice
import aioice.stun
import numpy as np
import pytest
from aiortc.sdp import SessionDescription
from numpy.typing import NDArray

from camera_edge.preview import OfferError, PreviewBusyError, PreviewPolicy

if TYPE_CHECKING:
    from tests.preview.conftest import Scene


def left_edges(pictures: list[NDArray[np.uint8]]) -> list[int]:
    """Where the white square of the test picture begins; picture n has it at 4n."""
    return [int((picture[60, :, 0] > 170).argmax()) for picture in pictures]


async def test_a_viewer_sees_the_pictures_move(scene: Scene) -> None:
    fanout = scene.fanout()
    watcher = await scene.watch(fanout)
    for packet in scene.encoder.group(12):
        fanout.publish(packet)
    assert left_edges(await watcher.pictures(10)) == [4 * number for number in range(10)]
    assert fanout.counters.packets_lost == 0


async def test_pictures_are_asked_for_from_the_first_viewer_to_the_last(scene: Scene) -> None:
    fanout = scene.fanout()
    first = await scene.watch(fanout)
    second = await scene.watch(fanout)
    assert scene.asked.wanted == [True]
    assert await fanout.close_session(first.session_id)
    assert scene.asked.wanted == [True]
    assert await fanout.close_session(second.session_id)
    assert scene.asked.wanted == [True, False]
    assert not await fanout.close_session(second.session_id)


async def test_an_offer_alone_starts_no_encoder(scene: Scene) -> None:
    await scene.fanout().answer(await scene.watcher().offer())
    assert scene.asked.wanted == []
    assert scene.asked.key_frames == 0


async def test_a_new_viewer_begins_with_a_key_frame_that_was_asked_for(scene: Scene) -> None:
    fanout, encoder, asked = scene.fanout(), scene.encoder, scene.asked
    for packet in encoder.group(5):
        fanout.publish(packet)
    watcher = await scene.watch(fanout)
    assert asked.key_frames == 1
    fanout.publish(encoder.encode())
    assert asked.key_frames == 1
    scene.clock.advance(1)
    fanout.publish(encoder.encode())
    assert asked.key_frames == 2, "a viewer that still waits asks again"
    for packet in encoder.group(5):
        fanout.publish(packet)
    assert left_edges(await watcher.pictures(2)) == [4 * 7, 4 * 8]
    scene.clock.advance(1)
    fanout.publish(encoder.encode())
    assert asked.key_frames == 2


async def test_a_viewer_that_lost_a_picture_causes_a_key_frame(scene: Scene) -> None:
    fanout, watcher = scene.fanout(), scene.watcher()
    session = await fanout.answer(await watcher.offer())
    await watcher.accept(session.answer_sdp)
    await scene.until(lambda: scene.asked.key_frames == 1)
    (media,) = SessionDescription.parse(session.answer_sdp).media
    scene.clock.advance(1)
    await watcher.peer.getReceivers()[0]._send_rtcp_pli(media.ssrc[0].ssrc)
    await scene.until(lambda: scene.asked.key_frames == 2)


async def test_ten_viewers_get_the_same_packets_of_one_encoder(scene: Scene) -> None:
    fanout = scene.fanout(PreviewPolicy(max_viewers=10))
    watchers = [await scene.watch(fanout) for _ in range(10)]
    packets = scene.encoder.group(8)
    for packet in packets:
        fanout.publish(packet)
    seen = await asyncio.gather(*(watcher.pictures(6) for watcher in watchers))
    for pictures in seen:
        assert all(np.array_equal(mine, first) for mine, first in zip(pictures, seen[0], strict=True))
    assert left_edges(seen[0]) == [0, 4, 8, 12, 16, 20]
    assert scene.asked.wanted == [True]
    assert fanout.counters.packets_published == len(packets)
    assert fanout.counters.bytes_taken == 10 * sum(len(packet.data) for packet in packets)


async def test_a_slow_viewer_loses_its_own_pictures_only(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    fanout = scene.fanout(PreviewPolicy(queue_packets=3))
    slow, quick = await scene.watch(fanout), await scene.watch(fanout)
    viewer = fanout._seats[slow.session_id].viewer
    transport = viewer._peer.getSenders()[0].transport
    way, send = asyncio.Event(), transport._send_rtp

    async def held(data: bytes) -> None:
        await way.wait()
        await send(data)

    monkeypatch.setattr(transport, "_send_rtp", held)
    seen = []
    for number in range(10):
        fanout.publish(scene.encoder.encode(key=number == 0))
        # a decoder gives a picture when the next one begins
        seen += await quick.pictures(1 if number else 0)
    assert left_edges(seen) == [4 * number for number in range(9)]
    assert viewer.track.needs_key
    assert fanout.counters.packets_lost == 9
    way.set()
    for packet in scene.encoder.group(3):
        fanout.publish(packet)
    # the picture that was on its way when the path was blocked, then a new group without a gap
    assert left_edges(await slow.pictures(3)) == [0, 40, 44]


async def test_places_are_limited_and_a_free_one_is_given_again(scene: Scene) -> None:
    fanout = scene.fanout(PreviewPolicy(max_viewers=1))
    session = await fanout.answer(await scene.watcher().offer())
    with pytest.raises(PreviewBusyError, match="front: every place is taken .*try again"):
        await fanout.answer(await scene.watcher().offer())
    await fanout.close_session(session.id)
    await fanout.answer(await scene.watcher().offer())


async def test_a_refused_offer_takes_no_place(scene: Scene) -> None:
    fanout = scene.fanout(PreviewPolicy(max_viewers=1))
    offer = await scene.watcher().offer()
    with pytest.raises(OfferError, match="no H.264"):
        await fanout.answer(offer.replace("H264", "H266"))
    # H.264 of a profile that is not spoken here passes the first check and fails in the negotiation
    with pytest.raises(OfferError, match="cannot be answered"):
        await fanout.answer(offer.replace("profile-level-id=42", "profile-level-id=64"))
    assert (await fanout.answer(offer)).answer_sdp


@pytest.mark.parametrize("direction", ["recvonly", "sendrecv"])
async def test_video_is_answered_as_h264_to_send_and_audio_as_inactive(direction: str, scene: Scene) -> None:
    offer = await scene.watcher().offer("audio", "video")
    session = await scene.fanout().answer(offer.replace("a=recvonly", f"a={direction}"))
    audio, video = SessionDescription.parse(session.answer_sdp).media
    assert (audio.kind, audio.direction) == ("audio", "inactive")
    assert (video.kind, video.direction) == ("video", "sendonly")
    assert {codec.mimeType for codec in video.rtp.codecs} == {"video/H264", "video/rtx"}
    assert video.rtp.codecs[0].parameters["profile-level-id"] == "42e01f"


async def test_a_viewer_that_offers_audio_first_sees_the_pictures(scene: Scene) -> None:
    fanout, watcher = scene.fanout(), scene.watcher()
    session = await fanout.answer(await watcher.offer("audio", "video"))
    await watcher.accept(session.answer_sdp)
    await scene.until(lambda: fanout.viewers == 1)
    for packet in scene.encoder.group(4):
        fanout.publish(packet)
    assert left_edges(await watcher.pictures(3)) == [0, 4, 8]


async def test_a_session_that_never_connects_is_closed(scene: Scene) -> None:
    fanout = scene.fanout(PreviewPolicy(connect_within_s=0.2))
    session = await fanout.answer(await scene.watcher().offer())
    assert fanout.etag(session.id) == session.etag
    await scene.until(lambda: fanout.etag(session.id) is None)
    assert fanout.counters.sessions_expired == 1


async def test_a_connected_session_outlives_the_time_for_connecting(scene: Scene) -> None:
    fanout = scene.fanout(PreviewPolicy(connect_within_s=0.5))
    watcher = await scene.watch(fanout)
    late = await fanout.answer(await scene.watcher().offer())
    await scene.until(lambda: fanout.etag(late.id) is None)
    assert fanout.etag(watcher.session_id) is not None


async def test_a_viewer_that_goes_away_ends_its_session(scene: Scene) -> None:
    fanout = scene.fanout()
    watcher = await scene.watch(fanout)
    await watcher.peer.close()
    await scene.until(lambda: fanout.etag(watcher.session_id) is None)
    assert scene.asked.wanted == [True, False]


async def test_a_viewer_that_falls_silent_ends_its_session(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.001)
    fanout = scene.fanout()
    watcher = await scene.watch(fanout)
    monkeypatch.setattr(aioice.stun, "RETRY_RTO", 0.01)
    (transceiver,) = watcher.peer.getTransceivers()
    for protocol in transceiver.receiver.transport.transport._connection._protocols:
        protocol.transport.abort()
    await scene.until(lambda: fanout.etag(watcher.session_id) is None)
    assert scene.asked.wanted == [True, False]


async def test_closing_ends_all_sessions_and_takes_no_more(scene: Scene) -> None:
    fanout = scene.fanout()
    watcher = await scene.watch(fanout)
    await fanout.close()
    await fanout.close()
    assert fanout.viewers == 0
    assert fanout.etag(watcher.session_id) is None
    assert scene.asked.wanted == [True, False]
    with pytest.raises(PreviewBusyError, match="closing"):
        await fanout.answer(await scene.watcher().offer())
