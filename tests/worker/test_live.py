"""A live camera with the real analyzer, from the synthetic source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Event

import pytest

from camera_edge.capture import SourceOptions, open_source
from camera_edge.clips import ClipFolder
from camera_edge.clock import SystemClock
from camera_edge.errors import ConfigError
from camera_edge.link import FromWorker, PreviewPacket
from camera_edge.worker.assembly import Output, Sandboxing, assemble_camera
from camera_edge.worker.live import LiveCamera
from camera_edge.worker.plan import CameraPlan


def test_a_preview_that_is_wanted_before_the_camera_runs_is_sent(
    tmp_path: Path, sandboxing: Sandboxing, plan: Callable[..., CameraPlan]
) -> None:
    stop, sent = Event(), []

    def send(message: FromWorker) -> None:
        sent.append(message)
        if isinstance(message, PreviewPacket):
            stop.set()

    # ends by itself after 3 s
    source = open_source("synthetic:?size=64x36&fps=20&seconds=3", SourceOptions(wait=stop.wait))
    live = LiveCamera(source, SystemClock(), stop, send)
    live.want_preview(True)
    with source:
        folder = ClipFolder(tmp_path / "spool")
        folder.open()
        camera = assemble_camera(plan("motion"), sandboxing, Output(folder, source.fingerprint(), live.clip_done))
        assert camera.recorder is not None
        live.run(camera, camera.recorder)
    (packet, *_) = [message for message in sent if isinstance(message, PreviewPacket)]
    assert packet.key and (packet.width, packet.height) == (64, 36)


def test_a_change_of_modules_that_comes_while_a_camera_is_put_together_is_not_lost(
    tmp_path: Path, sandboxing: Sandboxing, plan: Callable[..., CameraPlan]
) -> None:
    stop = Event()
    source = open_source("synthetic:?size=64x36&fps=20&seconds=1&pace=0", SourceOptions(wait=stop.wait))
    live = LiveCamera(source, SystemClock(), stop, lambda message: None)
    wanted = plan("motion")
    live.renew(lambda: wanted)
    with source:
        folder = ClipFolder(tmp_path / "spool")
        folder.open()
        output = Output(folder, source.fingerprint(), live.clip_done)
        camera = assemble_camera(plan("motion"), sandboxing, output, live=True)
        assert camera.recorder is not None
        live.run(camera, camera.recorder)
    assert camera.analysis.plan is wanted


def test_a_camera_whose_module_may_not_run_any_more_ends_with_the_reason(
    tmp_path: Path, sandboxing: Sandboxing, plan: Callable[..., CameraPlan]
) -> None:
    def revoked() -> CameraPlan:
        raise ConfigError("no version of it may run (1.0: its digest was revoked)")

    stop = Event()
    source = open_source("synthetic:?size=64x36&fps=20&seconds=3", SourceOptions(wait=stop.wait))
    live = LiveCamera(source, SystemClock(), stop, lambda message: None)
    live.renew(revoked)
    with source:
        folder = ClipFolder(tmp_path / "spool")
        folder.open()
        output = Output(folder, source.fingerprint(), live.clip_done)
        camera = assemble_camera(plan("motion"), sandboxing, output, live=True)
        assert camera.recorder is not None
        with pytest.raises(ConfigError, match="revoked"):
            live.run(camera, camera.recorder)


def test_what_modules_learned_is_handed_over_when_the_camera_ends(
    tmp_path: Path, sandboxing: Sandboxing, plan: Callable[..., CameraPlan]
) -> None:
    stop = Event()
    kept: list[Mapping[str, bytes]] = []
    source = open_source("synthetic:?size=64x36&fps=20&seconds=1&pace=0", SourceOptions(wait=stop.wait))
    live = LiveCamera(source, SystemClock(), stop, lambda message: None, kept.append)
    with source:
        folder = ClipFolder(tmp_path / "spool")
        folder.open()
        output = Output(folder, source.fingerprint(), live.clip_done)
        camera = assemble_camera(plan("normality"), sandboxing, output, live=True)
        assert camera.recorder is not None
        live.run(camera, camera.recorder)
    assert kept[-1]["normality"].startswith(b"CE-NORM\0")
