"""A worker that speaks the link's contract and misbehaves on demand: `source: script:BEHAVIOUR`.

Run as `scripted_worker.py CAMERA --link-fd N`, as the hub runs the real one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event as Flag
from threading import Thread

from camera_edge.clips import (
    ClipCounters,
    ClipFolder,
    ClipMetadata,
    FileRecord,
    Fingerprint,
    RedactionRecord,
    event_record,
    frame_span,
)
from camera_edge.event import Event
from camera_edge.link import (
    ClipReady,
    EventChanged,
    Fault,
    Goodbye,
    Heartbeat,
    Hello,
    KeyFrame,
    Preview,
    PreviewPacket,
    Progress,
    Start,
    Stop,
    WorkerLink,
)
from camera_edge.link.framing import frame
from camera_edge.link.messages import WorkerState

OPENED_UTC_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
BEAT_S = 0.02


class Script:
    """What every behaviour needs: the link, the order, a heartbeat that makes progress."""

    def __init__(self, link: WorkerLink, start: Start, fd: int) -> None:
        self.link = link
        self.start = start
        self.fd = fd
        self.spool = Path(start.spool)
        self.stopping = Flag()
        self.wanted = Flag()
        self.key_frame = Flag()
        self.behaviour = start.settings.source.rpartition(":")[2]

    def obey(self) -> None:
        while (order := self.link.receive()) is not None:
            match order:
                case Stop():
                    break
                case Preview(wanted=True):
                    self.wanted.set()
                case Preview():
                    self.wanted.clear()
                case KeyFrame():
                    self.key_frame.set()
        self.stopping.set()

    def beat(self, frames: int, state: WorkerState = "running") -> None:
        self.link.send(Heartbeat(state=state, progress=Progress(frames=frames, analysed=frames)))

    def run_until_stopped(self) -> None:
        frames = 0
        while not self.stopping.wait(BEAT_S):
            frames += 1
            self.beat(frames)

    def event(self, *, closed: bool) -> Event:
        number = self.start.resume_number
        return Event(
            id=f"{number:016x}" if self.start.camera == "front" else f"{number + 4096:016x}",
            camera=self.start.camera,
            rule="any",
            kind="person",
            analyzer="motion",
            score=0.5,
            best_frame=3,
            opened_us=1_000_000,
            closed_us=2_000_000 if closed else None,
            zones=("gate",),
        )

    def open_event(self) -> None:
        self.link.send(EventChanged(phase="opened", event=self.event(closed=False), opened_utc_ns=OPENED_UTC_NS))

    def close_event(self) -> None:
        self.link.send(
            EventChanged(
                phase="closed",
                event=self.event(closed=True),
                opened_utc_ns=OPENED_UTC_NS,
                closed_utc_ns=OPENED_UTC_NS + 1_000_000_000,
            )
        )

    def write_clip(self, *, video: bytes = b"video" * 2000) -> str:
        event = self.event(closed=True)
        folder = ClipFolder(self.spool)
        with folder.draft(event.id) as draft:
            draft.clip_path.write_bytes(video)
            sealed = draft.seal(b"snapshot")
            assert sealed.snapshot is not None
            return draft.publish(
                ClipMetadata(
                    event=event_record(event, opened_utc_ns=OPENED_UTC_NS, closed_utc_ns=OPENED_UTC_NS + 1_000_000_000),
                    source="script",
                    frames=frame_span(range(10)),
                    clip=FileRecord(
                        name=sealed.clip.name, sha256=sealed.clip.sha256, bytes=sealed.clip.bytes, width=8, height=8
                    ),
                    snapshot=FileRecord(
                        name=sealed.snapshot.name,
                        sha256=sealed.snapshot.sha256,
                        bytes=sealed.snapshot.bytes,
                        width=8,
                        height=8,
                    ),
                    modules=(),
                    models=(),
                    fingerprint=Fingerprint(decoder="script", machine="script"),
                    redaction=RedactionRecord(mode="pixelate", required=("motion",), pad=0.2, hold_s=1, period_s=0.2),
                    counters=ClipCounters(),
                )
            ).name

    def announce_clip(self) -> None:
        name = self.write_clip()
        self.link.send(ClipReady(event_id=Path(name).stem, json_name=name))


def steady(script: Script) -> None:
    script.run_until_stopped()


def dies(script: Script) -> None:
    script.beat(1)
    script.link.send(Fault(message="about to die"))
    script.link.close()
    os.kill(os.getpid(), signal.SIGSEGV)


def silent(script: Script) -> None:
    script.beat(1)
    while True:
        time.sleep(60)


def stuck(script: Script) -> None:
    while True:
        script.beat(1)
        time.sleep(BEAT_S)


def stalled(script: Script) -> None:
    while not script.stopping.wait(BEAT_S):
        script.beat(1, "stalled")


def nonsense(script: Script) -> None:
    os.write(script.fd, b"\x05\x00\x00\x00hello")
    while True:
        time.sleep(60)


def flood(script: Script) -> None:
    data = frame(Heartbeat(state="running", progress=Progress(frames=1, analysed=1))) * 500
    while not script.stopping.is_set():
        os.write(script.fd, data)


def records(script: Script) -> None:
    script.beat(1)
    script.open_event()
    script.close_event()
    script.announce_clip()
    script.run_until_stopped()


def repeats(script: Script) -> None:
    script.open_event()
    for _ in range(3):
        script.close_event()
    name = script.write_clip()
    for _ in range(3):
        script.link.send(ClipReady(event_id=Path(name).stem, json_name=name))
    script.link.send(Fault(message="all said"))
    script.run_until_stopped()


def finishes_clip(script: Script) -> None:
    script.beat(1)
    script.open_event()
    script.run_until_stopped()
    script.close_event()
    script.announce_clip()


def stubborn(script: Script) -> None:
    script.open_event()
    while True:
        time.sleep(60)


def crashes_with_clip(script: Script) -> None:
    """A clip lies in the spool, its event is open, and nobody hears of it any more."""
    if script.start.resume_number:
        return steady(script)
    script.write_clip()
    script.open_event()
    script.link.close()
    os._exit(9)


def tampers(script: Script) -> None:
    name = script.write_clip()
    clip = script.spool / name.replace(".json", ".mp4")
    clip.write_bytes(b"other" * 2000)
    script.link.send(ClipReady(event_id=Path(name).stem, json_name=name))
    script.link.send(Fault(message="tampered"))
    return script.run_until_stopped()


def climbs(script: Script) -> None:
    script.link.send(ClipReady(event_id="x", json_name="../../secret.json"))
    script.run_until_stopped()


def impersonates(script: Script) -> None:
    event = Event("ab", "other", "any", "person", "motion", 0.5, 0, 0)
    script.link.send(EventChanged(phase="opened", event=event, opened_utc_ns=OPENED_UTC_NS))
    script.run_until_stopped()


def ends(script: Script) -> None:
    script.beat(1)


def babbles(script: Script) -> None:
    """Prints the credentials of its source, as FFmpeg would."""
    source = script.start.settings.source
    sys.stderr.write(f"cannot open {source}\nuser topsecretuser, password topsecretpass\n")
    sys.stderr.flush()
    script.link.send(Fault(message="said"))
    script.run_until_stopped()


def inventory(script: Script) -> None:
    """Tells what it was started with."""
    facts = {
        "argv": sys.argv,
        "environ": dict(os.environ),
        "descriptors": sorted(path.name for path in Path("/proc/self/fd").iterdir()),
        "home": sorted(path.name for path in Path.home().iterdir()),
        "source": script.start.settings.source,
        "cwd": str(Path.cwd()),
        "own_group": os.getpgid(0) == os.getpid(),
    }
    (script.spool / "inventory").write_text(json.dumps(facts))
    script.link.send(Fault(message="written"))
    script.run_until_stopped()


def shows(script: Script) -> None:
    """Sends preview packets only while they are wanted."""
    frames = pts_us = 0
    while not script.stopping.wait(BEAT_S):
        frames += 1
        script.beat(frames)
        if script.wanted.is_set():
            pts_us += 40_000
            data = b"\x00\x00\x00\x01\x65" + bytes(20)
            key = script.key_frame.is_set() or pts_us % 1_000_000 == 0
            script.key_frame.clear()
            script.link.send(PreviewPacket(data=data, key=key, pts_us=pts_us, width=16, height=16))


BEHAVIOURS: dict[str, Callable[[Script], None]] = {
    each.__name__: each
    for each in (
        steady,
        dies,
        silent,
        stuck,
        stalled,
        nonsense,
        flood,
        records,
        repeats,
        finishes_clip,
        stubborn,
        crashes_with_clip,
        tampers,
        climbs,
        impersonates,
        ends,
        babbles,
        inventory,
        shows,
    )
}


def main() -> None:
    fd = int(sys.argv[sys.argv.index("--link-fd") + 1])
    raw = os.dup(fd)
    with WorkerLink.from_fd(fd) as link:
        start = link.receive()
        assert isinstance(start, Start)
        script = Script(link, start, raw)
        link.send(Hello(pid=os.getpid(), confinement=["scripted"], fingerprint="script"))
        link.start()
        Thread(target=script.obey, daemon=True).start()
        BEHAVIOURS[script.behaviour](script)
        link.send(Goodbye(ended=script.behaviour == "ends"))


if __name__ == "__main__":
    main()
