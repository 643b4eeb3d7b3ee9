"""Speaks WHEP (draft-ietf-wish-whep) for each camera: an offer becomes a session, a session can be ended.

Invariant: an answer holds all candidates there will be, so a viewer has nothing to wait for; candidates that a viewer
sends are checked and left unused (its address is learned from its own connectivity checks).
"""

from __future__ import annotations

from aiohttp import web

from camera_edge.errors import CameraEdgeError, UsageError
from camera_edge.web.services import CameraStatus, WebServices, Whep

SDP = "application/sdp"
SDP_FRAGMENT = "application/trickle-ice-sdpfrag"
_RETRY_AFTER_S = "3"


class WhepRoutes:
    """The handlers of `/{camera}/whep` and `/{camera}/whep/{session}`."""

    def __init__(self, services: WebServices) -> None:
        self._services = services

    def routes(self) -> list[web.RouteDef]:
        endpoint, session = "/{camera}/whep", "/{camera}/whep/{session}"
        return [
            web.post(endpoint, self.open),
            web.options(endpoint, self.describe),
            web.patch(session, self.trickle),
            web.delete(session, self.close),
            web.options(session, self.describe_session),
        ]

    async def describe(self, _request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"Accept-Post": SDP, "Allow": "POST, OPTIONS"})

    async def describe_session(self, _request: web.Request) -> web.Response:
        return web.Response(status=204, headers={"Accept-Patch": SDP_FRAGMENT, "Allow": "DELETE, PATCH, OPTIONS"})

    async def open(self, request: web.Request) -> web.Response:
        """201 with the answer; 409 while the camera is not live, 422 for an offer without H.264, 503 when full."""
        camera, preview = self._preview(request)
        _require_type(request, SDP)
        offer = await _text(request)
        if not offer.startswith("v=0"):
            raise web.HTTPBadRequest(text="400: the body is not a session description\n")
        status = self._status(camera)
        if not status.live:
            raise web.HTTPConflict(
                text=f"409: {camera} is {status.state}. {status.message}\n", headers={"Retry-After": _RETRY_AFTER_S}
            )
        try:
            session = await preview.answer(offer)
        except UsageError as exc:
            raise web.HTTPUnprocessableEntity(text=f"422: {exc}\n") from exc
        except CameraEdgeError as exc:
            raise web.HTTPServiceUnavailable(text=f"503: {exc}\n", headers={"Retry-After": _RETRY_AFTER_S}) from exc
        return web.Response(
            status=201,
            text=session.answer_sdp,
            content_type=SDP,
            headers={
                "Location": f"{request.rel_url.raw_path}/{session.id}",
                "ETag": f'"{session.etag}"',
                "Accept-Patch": SDP_FRAGMENT,
            },
        )

    async def trickle(self, request: web.Request) -> web.Response:
        """204 for candidates (none is needed); 428 and 412 for the entity tag, 422 for an ICE restart."""
        _, preview = self._preview(request)
        etag = preview.etag(request.match_info["session"])
        if etag is None:
            raise web.HTTPNotFound(text="404: there is no such session\n")
        _require_type(request, SDP_FRAGMENT)
        match = request.headers.get("If-Match")
        if match is None:
            raise web.HTTPPreconditionRequired(text="428: name the session's entity tag in If-Match\n")
        if match == "*":
            raise web.HTTPUnprocessableEntity(text="422: ICE restarts are not supported; open a new session\n")
        if match != f'"{etag}"':
            raise web.HTTPPreconditionFailed(text="412: the entity tag is not this session's\n")
        await _text(request)
        return web.Response(status=204)

    async def close(self, request: web.Request) -> web.Response:
        _, preview = self._preview(request)
        if not await preview.close_session(request.match_info["session"]):
            raise web.HTTPNotFound(text="404: there is no such session\n")
        return web.Response(status=200)

    def _preview(self, request: web.Request) -> tuple[str, Whep]:
        camera = request.match_info["camera"]
        preview = self._services.whep(camera)
        if preview is None:
            raise web.HTTPNotFound(text="404: there is no such camera\n")
        return camera, preview

    def _status(self, camera: str) -> CameraStatus:
        for status in self._services.status().cameras:
            if status.name == camera:
                return status
        return CameraStatus(camera, live=False, state="unknown")


def _require_type(request: web.Request, content_type: str) -> None:
    if request.content_type != content_type:
        raise web.HTTPUnsupportedMediaType(text=f"415: send {content_type}\n")


async def _text(request: web.Request) -> str:
    body = await request.read()
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise web.HTTPBadRequest(text="400: the body is not UTF-8\n") from exc
