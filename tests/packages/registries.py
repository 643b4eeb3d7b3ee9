"""Registries for tests: Debian's own, and one that lies."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from camera_edge.packages import MemoryLayout, read_package
from camera_edge.packages.documents import digest_of, signature_tag
from camera_edge.packages.package import with_blobs

_LINES_MAX = 200
USER, PASSWORD = "reader", "let me in"


@contextmanager
def docker_registry(folder: Path) -> Iterator[str]:
    """Debian's registry on a free port of this machine; gives HOST:PORT. Skips where it is not installed."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry: apt-get install docker-registry")
    config = folder / "registry.yml"
    config.write_text(
        "version: 0.1\nlog: {level: info}\n"
        f"storage: {{filesystem: {{rootdirectory: {folder / 'registry'}}}}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
    )
    process = subprocess.Popen(
        [program, "serve", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        lines = (process.stderr.readline() for _ in range(_LINES_MAX))
        found = next(
            (match[1] for line in lines if (match := re.search(r"listening on (127\.0\.0\.1:\d+)", line))), None
        )
        assert found is not None, "the registry did not start"
        yield found
    finally:
        process.terminate()
        process.communicate(timeout=20)


@dataclass(slots=True)
class LyingRegistry:
    """A registry for one package, `guest:1`, with faults to switch on. `asked`: what came in, as METHOD PATH.

    `manifest`, `blob` and `elsewhere` answer in the place of the truth.
    """

    layout: MemoryLayout
    manifest: Callable[[bytes], web.StreamResponse] | None = None
    blob: Callable[[bytes], web.StreamResponse] | None = None
    elsewhere: Callable[[bytes], web.StreamResponse] | None = None
    said_digest: str | None = None
    challenge: str | None = None
    token: bytes = b'{"token": "abc", "expires_in": 60}'
    hangs_at: str | None = None
    asked: list[str] = field(default_factory=list)
    authorized: list[str] = field(default_factory=list)

    @property
    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/v2/guest/manifests/{name}", self._manifest)
        app.router.add_get("/v2/guest/blobs/{digest}", self._blob)
        app.router.add_get("/elsewhere/{digest}", self._elsewhere)
        app.router.add_get("/token", self._token)
        return app

    async def _note(self, request: web.Request) -> web.StreamResponse | None:
        self.asked.append(f"{request.method} {request.path}")
        self.authorized.append(request.headers.get("Authorization", ""))
        if self.hangs_at is not None and self.hangs_at in request.path:
            await asyncio.Event().wait()
        wanted = ("Bearer abc", f"Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}")
        if self.challenge is not None and request.headers.get("Authorization") not in wanted:
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge})
        return None

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        refused = await self._note(request)
        if refused is not None:
            return refused
        package = read_package(self.layout)
        names = {"1": package.digest, package.digest: package.digest}
        names |= {signature_tag(package.digest): each.descriptor.digest for each in package.signature_sets}
        digest = names.get(request.match_info["name"])
        if digest is None:
            return web.Response(status=404)
        data = self._blobs()[digest]
        if self.manifest is not None:
            return self.manifest(data)
        headers = {"Docker-Content-Digest": self.said_digest or digest}
        return web.Response(body=data, headers=headers)

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        refused = await self._note(request)
        if refused is not None:
            return refused
        data = self._blobs()[request.match_info["digest"]]
        return web.Response(body=data) if self.blob is None else self.blob(data)

    async def _elsewhere(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path}")
        self.authorized.append(request.headers.get("Authorization", ""))
        data = self._blobs()[request.match_info["digest"]]
        return web.Response(body=data) if self.elsewhere is None else self.elsewhere(data)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.path_qs}")
        self.authorized.append(request.headers.get("Authorization", ""))
        return web.Response(body=self.token)

    def _blobs(self) -> dict[str, bytes]:
        package = read_package(self.layout)
        files = [*with_blobs(package, package.signature_sets).values(), package.wasm]
        return {digest_of(data): data for data in files}


def moved(to: Callable[[str], str]) -> Callable[[bytes], web.StreamResponse]:
    """A redirection to what `to` makes of the digest."""

    def answer(data: bytes) -> web.StreamResponse:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        return web.Response(status=307, headers={"Location": to(digest)})

    return answer
