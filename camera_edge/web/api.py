"""Tells events, files and states as JSON and files, for the page and for scripts.

Invariant: what cannot be read is an error with a reason, never an empty list.
"""

from __future__ import annotations

import json

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from camera_edge.clock import iso_utc
from camera_edge.errors import CameraEdgeError
from camera_edge.web.services import CameraStatus, ClipPart, EventRow, WebServices


class EventsQuery(BaseModel):
    """The query of `GET /api/events`."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=100, ge=1, le=1000)
    kind: str | None = Field(default=None, min_length=1, max_length=64)


class EventOut(BaseModel):
    """One event; `clip`, `snapshot` and `metadata` are addresses on this server, null where there is no such file.

    `why`: one short sentence, why it opened; `box`: left, top, width, height in fractions of the picture, or null.
    """

    id: str
    camera: str
    rule: str
    kind: str
    analyzer: str
    score: float
    opened_utc: str
    closed_utc: str | None
    zones: list[str]
    why: str
    box: tuple[float, float, float, float] | None
    clip: str | None
    snapshot: str | None
    metadata: str | None


class ModuleOut(BaseModel):
    name: str
    version: str
    asleep: bool
    counters: dict[str, int]
    metrics: dict[str, float]


class CameraOut(BaseModel):
    name: str
    live: bool
    state: str
    message: str
    counters: dict[str, int]
    confinement: list[str]
    modules: list[ModuleOut]


class EventsOut(BaseModel):
    events: list[EventOut]


class StatusOut(BaseModel):
    version: str
    started_utc: str
    now_utc: str
    cameras: list[CameraOut]


class ApiRoutes:
    """The handlers of `/api`, `/events` and `/healthz`."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/events", self.events),
            web.get("/api/status", self.status),
            web.get("/events/{event}/clip.mp4", self.clip),
            web.get("/events/{event}/snapshot.jpg", self.snapshot),
            web.get("/events/{event}/metadata.json", self.metadata),
            web.get("/healthz", self.health),
        ]

    async def events(self, request: web.Request) -> web.Response:
        query = EventsQuery.model_validate(dict(request.query))
        rows = self._services.events(query.limit, query.kind)
        return _json(EventsOut(events=[_event_out(row) for row in rows]))

    async def status(self, _request: web.Request) -> web.Response:
        status = self._services.status()
        return _json(
            StatusOut(
                version=status.version,
                started_utc=iso_utc(status.started_utc_ns),
                now_utc=iso_utc(status.now_utc_ns),
                cameras=[_camera_out(camera) for camera in status.cameras],
            )
        )

    async def health(self, _request: web.Request) -> web.Response:
        """200 while every camera is healthy, else 503 with the names and states of those that are not."""
        failing = {camera.name: camera.state for camera in self._services.status().cameras if not camera.healthy}
        if failing:
            return web.json_response({"status": "failing", "cameras": failing}, status=503)
        return web.json_response({"status": "ok"})

    async def clip(self, request: web.Request) -> web.FileResponse:
        return self._file(request, ClipPart.CLIP, "video/mp4")

    async def snapshot(self, request: web.Request) -> web.FileResponse:
        return self._file(request, ClipPart.SNAPSHOT, "image/jpeg")

    async def metadata(self, request: web.Request) -> web.FileResponse:
        return self._file(request, ClipPart.METADATA, "application/json")

    def _file(self, request: web.Request, part: ClipPart, content_type: str) -> web.FileResponse:
        path = self._services.clip_path(request.match_info["event"], part)
        if path is None or not path.is_file():
            raise web.HTTPNotFound(text=f"404: there is no {part.value} of this event (any more)\n")
        return web.FileResponse(path, headers={"Content-Type": content_type})


@web.middleware
async def explain(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what went wrong into a status and one JSON line that says what, and what to do next."""
    try:
        return await handler(request)
    except ValidationError as exc:
        faults = "; ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in exc.errors())
        return web.json_response({"error": faults, "hint": "limit is a number from 1 to 1000"}, status=400)
    except CameraEdgeError as exc:
        return web.json_response({"error": exc.message, "hint": exc.hint}, status=503)


def _json(body: BaseModel) -> web.Response:
    return web.Response(text=json.dumps(body.model_dump()), content_type="application/json")


def _event_out(row: EventRow) -> EventOut:
    return EventOut(
        id=row.id,
        camera=row.camera,
        rule=row.rule,
        kind=row.kind,
        analyzer=row.analyzer,
        score=row.score,
        opened_utc=iso_utc(row.opened_utc_ns),
        closed_utc=None if row.closed_utc_ns is None else iso_utc(row.closed_utc_ns),
        zones=list(row.zones),
        why=row.why,
        box=None if row.box is None else row.box.sides,
        clip=f"/events/{row.id}/clip.mp4" if row.has_clip else None,
        snapshot=f"/events/{row.id}/snapshot.jpg" if row.has_snapshot else None,
        metadata=f"/events/{row.id}/metadata.json" if row.has_clip else None,
    )


def _camera_out(camera: CameraStatus) -> CameraOut:
    return CameraOut(
        name=camera.name,
        live=camera.live,
        state=camera.state,
        message=camera.message,
        counters={counter.name: counter.value for counter in camera.counters},
        confinement=list(camera.confinement),
        modules=[
            ModuleOut(
                name=module.name,
                version=module.version,
                asleep=module.asleep,
                counters={counter.name: counter.value for counter in module.counters},
                metrics=dict(module.metrics),
            )
            for module in camera.modules
        ],
    )
