"""A test encoder, and a viewer that speaks WebRTC as a browser does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from numpy.typing import NDArray

from camera_edge.clock import ManualClock
from camera_edge.preview import Fanout, LivePacket, PreviewPolicy
from camera_edge.preview.ice import gather

FPS = 15


class TestEncoder:
    """H.264 as the worker's encoder makes it: constrained baseline, zero latency, parameter sets in every key frame.

    The picture is grey with a white square that moves 4 pixels a frame.
    """

    __test__ = False

    def __init__(self, width: int = 160, height: int = 120) -> None:
        self._codec = av.CodecContext.create("libx264", "w")
        self._codec.width = width
        self._codec.height = height
        self._codec.pix_fmt = "yuv420p"
        self._codec.framerate = Fraction(FPS, 1)
        self._codec.time_base = Fraction(1, FPS)
        self._codec.profile = "Baseline"
        self._codec.options = {"tune": "zerolatency", "preset": "ultrafast", "x264-params": "repeat-headers=1"}
        self._next = 0

    def encode(self, *, key: bool = False) -> LivePacket:
        number = self._next
        self._next += 1
        picture = np.full((self._codec.height, self._codec.width, 3), 90, np.uint8)
        x = 4 * number % (self._codec.width - 40)
        picture[40:80, x : x + 40] = 255
        frame = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
        frame.pts = number
        frame.time_base = self._codec.time_base
        frame.pict_type = av.video.frame.PictureType.I if key else av.video.frame.PictureType.NONE
        (packet,) = self._codec.encode(frame)
        return LivePacket(bytes(packet), packet.is_keyframe, number * 1_000_000 // FPS)

    def group(self, pictures: int) -> list[LivePacket]:
        """A key frame and what follows it."""
        return [self.encode(key=index == 0) for index in range(pictures)]


class Watcher:
    """A WebRTC client that wants to receive video; its ICE stays on loopback."""

    def __init__(self) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.track: MediaStreamTrack | None = None
        self.session_id = ""
        self.peer.on("track", self._on_track)

    def _on_track(self, track: MediaStreamTrack) -> None:
        if track.kind == "video":
            self.track = track

    async def offer(self, *kinds: str) -> str:
        for kind in kinds or ("video",):
            self.peer.addTransceiver(kind, direction="recvonly")
        await gather(self.peer, ("127.0.0.1",))
        await self.peer.setLocalDescription()
        return self.peer.localDescription.sdp

    async def accept(self, answer_sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp=answer_sdp, type="answer"))

    async def watch(self, fanout: Fanout) -> None:
        session = await fanout.answer(await self.offer())
        self.session_id = session.id
        await self.accept(session.answer_sdp)

    async def pictures(self, count: int) -> list[NDArray[np.uint8]]:
        """The next pictures, decoded: uint8 (height, width, 3) in BGR."""
        assert self.track is not None
        found = []
        async with asyncio.timeout(10):
            for _ in range(count):
                frame = await self.track.recv()
                assert isinstance(frame, av.VideoFrame)
                found.append(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
        return found


class Asked:
    """What a fan-out asks of its worker."""

    def __init__(self) -> None:
        self.wanted: list[bool] = []
        self.key_frames = 0

    def on_wanted(self, wanted: bool) -> None:
        self.wanted.append(wanted)

    def on_key_frame(self) -> None:
        self.key_frames += 1


class Scene:
    """One camera with its fan-out, a clock that stands still, and as many viewers as a test likes; closes them all."""

    def __init__(self) -> None:
        self.asked = Asked()
        self.clock = ManualClock()
        self.encoder = TestEncoder()
        self._fanouts: list[Fanout] = []
        self._watchers: list[Watcher] = []

    def fanout(self, policy: PreviewPolicy | None = None) -> Fanout:
        self._fanouts.append(
            Fanout("front", self.asked.on_wanted, self.asked.on_key_frame, policy or PreviewPolicy(), self.clock)
        )
        return self._fanouts[-1]

    def watcher(self) -> Watcher:
        self._watchers.append(Watcher())
        return self._watchers[-1]

    async def watch(self, fanout: Fanout) -> Watcher:
        """A viewer that is connected and can receive."""
        watcher, before = self.watcher(), fanout.viewers
        await watcher.watch(fanout)
        await self.until(lambda: fanout.viewers > before)
        return watcher

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the loop run until `condition` holds; TimeoutError after ten seconds."""
        async with asyncio.timeout(10):
            while not condition():
                await asyncio.sleep(0.002)

    async def close(self) -> None:
        for fanout in self._fanouts:
            await fanout.close()
        for watcher in self._watchers:
            await watcher.peer.close()


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    await scene.close()
