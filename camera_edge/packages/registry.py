"""Fetches packages from a registry that is not trusted, and puts them there (OCI distribution specification 1.1).

A registry may send us to another host for a blob, as those do that keep blobs in a store of objects: at most three
times, over HTTPS, without credentials. What comes from there is compared with its digest in the manifest like any blob.

Invariant: every answer is bounded in bytes and time, every blob and manifest is compared with its digest, credentials
go over HTTPS or to this machine alone, and only a blob may come from another place than was asked.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import msgspec
from yarl import URL

from camera_edge.errors import ModuleError, SourceError, SourceTimeoutError, UsageError
from camera_edge.packages.documents import (
    DOCUMENT_BYTES_MAX,
    KIND_IMAGE,
    KIND_KEY,
    KIND_SIGNATURES,
    MANIFEST_TYPE,
    SMALL_BYTES_MAX,
    TAG_KEY,
    Descriptor,
    ImageManifest,
    describe,
    digest_of,
    read_document,
    signature_tag,
)
from camera_edge.packages.layout import MemoryLayout, blob_path, check_blob
from camera_edge.packages.package import Package, with_blobs
from camera_edge.packages.packing import layout_of
from camera_edge.packages.reference import Reference, is_loopback
from camera_edge.sandbox.module import WASM_BYTES_MAX

REDIRECTS_MAX = 3
_CHUNK_BYTES = 65536
_TOKEN_BYTES_MAX = 65536
_REFUSED = "check CAMERA_EDGE_REGISTRY_USER and CAMERA_EDGE_REGISTRY_PASSWORD"
_MOVED = (301, 302, 303, 307, 308)
_CHALLENGE = re.compile(r'([a-z]+)="([^"]*)"', re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class Access:
    """`plain_http`: without TLS also to another machine, and then without user and password."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    plain_http: bool = False

    @property
    def has_credentials(self) -> bool:
        return self.user is not None and self.password is not None

    @classmethod
    def of(cls, environment: Mapping[str, str], *, plain_http: bool = False) -> Access:
        """User and password from CAMERA_EDGE_REGISTRY_USER and CAMERA_EDGE_REGISTRY_PASSWORD."""
        user = environment.get("CAMERA_EDGE_REGISTRY_USER")
        return cls(user, environment.get("CAMERA_EDGE_REGISTRY_PASSWORD"), plain_http)


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, between two pieces of an answer, and for all of it."""

    connect_s: float = 10
    read_s: float = 20
    total_s: float = 300


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class _Token(msgspec.Struct, frozen=True):
    """What an authorization server answers; it may say more. Either field has the token."""

    token: str | None = None
    access_token: str | None = None


async def pull(reference: Reference, access: Access | None = None, timeouts: Timeouts | None = None) -> MemoryLayout:
    """The package with its signatures, as a layout in memory: not verified, but whole.

    Raises SourceError where the registry cannot be reached or refuses, SourceTimeoutError, ModuleError where it lies,
    UsageError where credentials would go over plain HTTP.
    """
    async with _session(reference, access or Access(), timeouts or Timeouts()) as registry:
        manifest = await registry.manifest(reference.named)
        if manifest is None:
            raise SourceError("the registry has no such package", where=str(reference), hint="check name and tag")
        entry = describe(manifest, MANIFEST_TYPE, {KIND_KEY: KIND_IMAGE, TAG_KEY: reference.tag or "pulled"})
        blobs = {blob_path(entry.digest): manifest} | await registry.blobs(manifest, WASM_BYTES_MAX)
        entries = [entry]
        tag = signature_tag(entry.digest)
        signatures = await registry.manifest(tag)
        if signatures is not None:
            entries.append(describe(signatures, MANIFEST_TYPE, {KIND_KEY: KIND_SIGNATURES, TAG_KEY: tag}))
            blobs |= {blob_path(entries[1].digest): signatures}
            blobs |= await registry.blobs(signatures, SMALL_BYTES_MAX)
    return layout_of(blobs, entries, str(reference))


async def push(
    package: Package, reference: Reference, access: Access | None = None, timeouts: Timeouts | None = None
) -> None:
    """Put a package and its signatures there. Raises UsageError where no tag is named, else as `pull`."""
    if reference.tag is None or reference.digest is not None:
        raise UsageError("a package is pushed to a tag", where=str(reference), hint="oci://HOST/REPOSITORY:TAG")
    if len(package.signature_sets) > 1:
        raise UsageError("it has several manifests of signatures", hint="sign it once more: that makes them one")
    manifests = {reference.tag: package.descriptor}
    manifests |= {signature_tag(package.digest): each.descriptor for each in package.signature_sets}
    files = with_blobs(package, package.signature_sets) | {blob_path(package.wasm_digest): package.wasm}
    async with _session(reference, access or Access(), timeouts or Timeouts()) as registry:
        for path, data in files.items():
            if path not in {blob_path(each.digest) for each in manifests.values()}:
                await registry.upload(data)
        for tag, each in manifests.items():
            await registry.put_manifest(tag, files[blob_path(each.digest)])


def base_url(reference: Reference, access: Access) -> URL:
    """Where a repository's manifests and blobs lie."""
    scheme = "http" if reference.is_loopback or access.plain_http else "https"
    return URL(f"{scheme}://{reference.host}/v2/{reference.repository}/")


@asynccontextmanager
async def _session(reference: Reference, access: Access, timeouts: Timeouts) -> AsyncIterator[_Registry]:
    """What goes wrong on the way becomes one of our errors here."""
    if access.has_credentials and access.plain_http and not reference.is_loopback:
        raise _exposed(str(reference))
    limits = aiohttp.ClientTimeout(total=None, sock_connect=timeouts.connect_s, sock_read=timeouts.read_s)
    try:
        async with (
            asyncio.timeout(timeouts.total_s),
            aiohttp.ClientSession(
                timeout=limits,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                headers={"User-Agent": "camera-edge", "Accept-Encoding": "identity"},
            ) as session,
        ):
            yield _Registry(session, reference, access)
    except TimeoutError as error:
        hint = "try again; a registry that hangs is given up"
        raise SourceTimeoutError("the registry did not answer in time", where=str(reference), hint=hint) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        hint = "check host and port; plain HTTP to another machine needs --plain-http"
        fault = str(error)[:200] or type(error).__name__
        raise SourceError(f"the registry cannot be reached: {fault}", where=str(reference), hint=hint) from error


def _exposed(where: str) -> UsageError:
    hint = (
        "leave --plain-http out, or unset CAMERA_EDGE_REGISTRY_USER and CAMERA_EDGE_REGISTRY_PASSWORD where the "
        "registry asks for neither"
    )
    fault = "user and password would go over plain HTTP to another machine, where others can read them"
    return UsageError(fault, where=where, hint=hint)


class _Registry:
    """One repository, for one pull or push."""

    def __init__(self, session: aiohttp.ClientSession, reference: Reference, access: Access) -> None:
        self._session = session
        self._where = str(reference)
        self._access = access
        self._local = reference.is_loopback
        self._base = base_url(reference, access)
        self._authorization: str | None = None

    async def manifest(self, named: str) -> bytes | None:
        """By tag or digest; None where there is none. Its own digest is compared with what was asked and was said."""
        headers = {"Accept": MANIFEST_TYPE}
        answer = await self._ask("GET", self._base / "manifests" / named, DOCUMENT_BYTES_MAX, headers=headers)
        if answer.status == 404:
            return None
        self._expect(answer, 200, "a manifest")
        digest = digest_of(answer.body)
        said = answer.headers.get("Docker-Content-Digest", digest)
        if digest != said or (named.startswith("sha256:") and digest != named):
            raise self._lie(f"it gave a manifest of digest {digest} for {said if digest != said else named}")
        return answer.body

    async def blobs(self, manifest: bytes, longest: int) -> dict[str, bytes]:
        """All that a manifest names, by paths in a layout."""
        image = read_document(manifest, ImageManifest, what="the manifest", where=self._where)
        found = {}
        for wanted in (image.config, *image.layers):
            found[blob_path(wanted.digest)] = await self._blob(wanted, longest)
        return found

    async def upload(self, data: bytes) -> None:
        """Where the registry has it already nothing is sent."""
        digest = digest_of(data)
        there = await self._ask("HEAD", self._base / "blobs" / digest, 0)
        if there.status == 200:
            return
        begun = await self._ask("POST", self._base / "blobs" / "uploads" / "", _CHUNK_BYTES)
        self._expect(begun, 202, "an upload")
        place = self._base.join(URL(begun.headers.get("Location", ""), encoded=True))
        if place.origin() != self._base.origin():
            raise self._lie("it sends the upload to another host")
        headers = {"Content-Type": "application/octet-stream"}
        target = place.update_query(digest=digest)
        self._expect(await self._ask("PUT", target, _CHUNK_BYTES, headers=headers, data=data), 201, "a blob")

    async def put_manifest(self, tag: str, manifest: bytes) -> None:
        headers = {"Content-Type": MANIFEST_TYPE}
        target = self._base / "manifests" / tag
        self._expect(await self._ask("PUT", target, _CHUNK_BYTES, headers=headers, data=manifest), 201, "a manifest")

    async def _blob(self, wanted: Descriptor, longest: int) -> bytes:
        if wanted.size > longest:
            hint = "an analyzer has 32 MiB at most"
            raise ModuleError(f"a blob of {wanted.size} bytes is too large", where=self._where, hint=hint)
        url = self._base / "blobs" / wanted.digest
        answer = await self._ask("GET", url, wanted.size)
        for _ in range(REDIRECTS_MAX):
            if answer.status not in _MOVED:
                break
            url = url.join(URL(answer.headers.get("Location", "")))
            # another place gets no credentials
            answer = await self._send("GET", self._allowed(url), wanted.size, {}, None)
        self._expect(answer, 200, "a blob")
        check_blob(answer.body, wanted, where=self._where)
        return answer.body

    async def _ask(
        self,
        method: str,
        url: URL,
        longest: int,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
    ) -> _Answer:
        """One request, and once more with credentials where the registry asks for them."""
        answer = await self._send(method, url, longest, self._with_authorization(headers), data)
        if answer.status == 401:
            await self._authorize(answer.headers.get("WWW-Authenticate", ""))
            answer = await self._send(method, url, longest, self._with_authorization(headers), data)
        return answer

    def _with_authorization(self, headers: Mapping[str, str] | None) -> dict[str, str]:
        own = {"Authorization": self._authorization} if self._authorization else {}
        return {**(headers or {}), **own}

    async def _send(
        self, method: str, url: URL, longest: int, headers: Mapping[str, str], data: bytes | None
    ) -> _Answer:
        async with self._session.request(method, url, headers=headers, data=data, allow_redirects=False) as response:
            body = bytearray()
            # what comes with an error or a redirection is of no interest
            if response.status == 200 and method != "HEAD":
                async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                    body += chunk
                    if len(body) > longest:
                        raise self._lie(f"it sends more than {longest} bytes")
            return _Answer(response.status, response.headers, bytes(body))

    async def _authorize(self, challenge: str) -> None:
        scheme, _, rest = challenge.partition(" ")
        asked = {key.lower(): value for key, value in _CHALLENGE.findall(rest)}
        if scheme.lower() == "basic":
            self._authorization = self._basic()
        elif scheme.lower() == "bearer" and "realm" in asked:
            self._authorization = f"Bearer {await self._token(asked)}"
        if self._authorization is None:
            hint = "set CAMERA_EDGE_REGISTRY_USER and CAMERA_EDGE_REGISTRY_PASSWORD in the environment"
            raise SourceError("the registry asks for credentials", where=self._where, hint=hint)

    async def _token(self, asked: Mapping[str, str]) -> str:
        query = {key: asked[key] for key in ("service", "scope") if key in asked}
        url = self._allowed(URL(asked["realm"])).update_query(query)
        basic = self._basic()
        if basic and url.scheme != "https" and not is_loopback(url.host or ""):
            raise _exposed(str(url.origin()))
        answer = await self._send("GET", url, _TOKEN_BYTES_MAX, {"Authorization": basic} if basic else {}, None)
        self._expect(answer, 200, "a token")
        token = read_document(answer.body, _Token, what="the token", where=self._where)
        value = token.token or token.access_token or ""
        if not _TOKEN.fullmatch(value):
            raise self._lie("it gives no token")
        return value

    def _basic(self) -> str | None:
        if not self._access.has_credentials:
            return None
        both = f"{self._access.user}:{self._access.password}".encode()
        return f"Basic {base64.b64encode(both).decode()}"

    def _allowed(self, url: URL) -> URL:
        """HTTPS; or plain HTTP where it was asked for, or where registry and target are this machine."""
        plain = self._access.plain_http or (self._local and is_loopback(url.host or ""))
        if url.host and (url.scheme == "https" or (url.scheme == "http" and plain)):
            return url
        raise self._lie(f"it sends us to {str(url)[:100]!r}")

    def _expect(self, answer: _Answer, status: int, what: str) -> None:
        if answer.status == status:
            return
        if answer.status in _MOVED:
            raise self._lie(f"asked for {what}, it sends us elsewhere")
        if answer.status in (401, 403):
            raise SourceError(f"the registry refuses {what}", where=self._where, hint=_REFUSED)
        hint = "check name and tag, and whether the registry is well"
        raise SourceError(f"asked for {what}, the registry answers {answer.status}", where=self._where, hint=hint)

    def _lie(self, fault: str) -> ModuleError:
        hint = "nothing was installed; do not trust this registry before its owner explains it"
        return ModuleError(f"the registry is refused: {fault}", where=self._where, hint=hint)
