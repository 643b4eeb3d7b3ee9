from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from camera_edge.errors import CameraEdgeError, ModuleError, SourceError, SourceTimeoutError, UsageError
from camera_edge.packages import (
    Access,
    Reference,
    Timeouts,
    TrustStore,
    install,
    pull,
    push,
    read_package,
    verify,
)
from camera_edge.packages.registry import base_url
from tests.packages.packed import WHEN, flipped, signed, source, tree, trusting_shelf
from tests.packages.registries import PASSWORD, USER, LyingRegistry, docker_registry, moved

QUICK = Timeouts(connect_s=5, read_s=0.3, total_s=5)
Serve = Callable[[LyingRegistry], Awaitable[Reference]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts a lying registry on this machine; gives the reference of its one package."""
    servers: list[TestServer] = []

    async def start(registry: LyingRegistry) -> Reference:
        server = TestServer(registry.app, host="127.0.0.1")
        await server.start_server()
        servers.append(server)
        return Reference.read(f"oci://127.0.0.1:{server.port}/guest:1")

    yield start
    for server in servers:
        await server.close()


@pytest.fixture
def registry() -> LyingRegistry:
    return LyingRegistry(signed(source()))


async def test_what_was_pushed_to_debians_registry_is_pulled_and_installed(tmp_path: Path) -> None:
    package = read_package(signed(source()))
    shelf = trusting_shelf(tmp_path)
    with docker_registry(tmp_path) as host:
        await push(package, Reference.read(f"oci://{host}/acme/guest:1.0.0"))
        await push(package, Reference.read(f"oci://{host}/acme/guest:again"))
        for named in (":1.0.0", ":again", f"@{package.digest}", f":wrong@{package.digest}"):
            layout = await pull(Reference.read(f"oci://{host}/acme/guest{named}"))
            verified = verify(layout, TrustStore(shelf).read())
            assert verified.package.digest == package.digest
        install(verified, shelf, installed_utc=WHEN)
        with pytest.raises(SourceError, match="has no such package"):
            await pull(Reference.read(f"oci://{host}/acme/guest:2"))
        with pytest.raises(SourceError, match="has no such package"):
            await pull(Reference.read(f"oci://{host}/acme/other:1.0.0"))
    assert shelf.names() == ["guest"]


async def test_an_unsigned_package_is_pulled_and_not_verified(tmp_path: Path) -> None:
    package = read_package(source().packed())
    with docker_registry(tmp_path) as host:
        reference = Reference.read(f"oci://{host}/guest:1")
        await push(package, reference)
        layout = await pull(reference)
    with pytest.raises(ModuleError, match="it is not signed"):
        verify(layout, TrustStore(trusting_shelf(tmp_path)).read())


async def test_a_digest_cannot_be_pushed_to() -> None:
    digest = "sha256:" + "a" * 64
    with pytest.raises(UsageError, match="pushed to a tag"):
        await push(read_package(source().packed()), Reference.read(f"oci://127.0.0.1:1/guest@{digest}"))


async def test_an_honest_registry_gives_the_package(serve: Serve, registry: LyingRegistry) -> None:
    layout = await pull(await serve(registry))
    assert read_package(layout).digest == read_package(registry.layout).digest
    assert len(read_package(layout).signatures()) == 1


def giving(body: bytes) -> Callable[[bytes], web.StreamResponse]:
    return lambda _data: web.Response(body=body)


def answering(status: int) -> Callable[[bytes], web.StreamResponse]:
    return lambda _data: web.Response(status=status, body=b"x" * 100)


def packed(data: bytes) -> web.StreamResponse:
    return web.Response(body=data, headers={"Content-Encoding": "gzip"})


def another_elsewhere(registry: LyingRegistry) -> None:
    registry.blob = moved(lambda digest: f"/elsewhere/{digest}")
    registry.elsewhere = lambda data: web.Response(body=flipped(data, 0))


LIES: dict[str, tuple[Callable[[LyingRegistry], None], type[CameraEdgeError], str]] = {
    "digest of the manifest": (
        lambda r: setattr(r, "said_digest", "sha256:" + "a" * 64),
        ModuleError,
        "it gave a manifest of digest sha256:[0-9a-f]+ for sha256:a+",
    ),
    "blob of the same size": (
        lambda r: setattr(r, "blob", lambda data: web.Response(body=flipped(data, 0))),
        ModuleError,
        "other content than its digest",
    ),
    "blob too short": (
        lambda r: setattr(r, "blob", lambda data: web.Response(body=data[:-1])),
        ModuleError,
        "other content than its digest",
    ),
    "blob too long": (
        lambda r: setattr(r, "blob", lambda data: web.Response(body=data + bytes(1 << 20))),
        ModuleError,
        "sends more than",
    ),
    "blob that unfolds": (
        lambda r: setattr(r, "blob", lambda data: packed(data + b"x")),
        ModuleError,
        "sends more than",
    ),
    "manifest too long": (lambda r: setattr(r, "manifest", giving(bytes(2 << 20))), ModuleError, "sends more than"),
    "manifest that is none": (lambda r: setattr(r, "manifest", giving(b"<html>")), ModuleError, "is damaged"),
    "manifest elsewhere": (
        lambda r: setattr(r, "manifest", moved(lambda digest: f"/elsewhere/{digest}")),
        ModuleError,
        "sends us elsewhere",
    ),
    "blob on another host without TLS": (
        lambda r: setattr(r, "blob", moved(lambda digest: f"http://192.0.2.1/{digest}")),
        ModuleError,
        r"sends us to 'http://192\.0\.2\.1",
    ),
    "blob in a file": (lambda r: setattr(r, "blob", moved(lambda _: "file:///etc/passwd")), ModuleError, "sends us to"),
    "blob round and round": (
        lambda r: setattr(r, "blob", moved(lambda digest: f"/v2/guest/blobs/{digest}")),
        ModuleError,
        "asked for a blob, it sends us elsewhere",
    ),
    "blob that lies elsewhere and is another": (
        another_elsewhere,
        ModuleError,
        "other content than its digest",
    ),
    "no blob": (lambda r: setattr(r, "blob", answering(404)), SourceError, "answers 404"),
    "no manifest": (lambda r: setattr(r, "manifest", answering(404)), SourceError, "has no such package"),
    "a defect": (lambda r: setattr(r, "manifest", answering(500)), SourceError, "answers 500"),
    "forbidden": (lambda r: setattr(r, "manifest", answering(403)), SourceError, "refuses a manifest"),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_lie_or_a_defect_is_refused_with_the_reason(
    serve: Serve, registry: LyingRegistry, tmp_path: Path, name: str
) -> None:
    lie, kind, message = LIES[name]
    lie(registry)
    shelf = trusting_shelf(tmp_path)
    before = tree(tmp_path)
    with pytest.raises(kind, match=message) as caught:
        await pull(await serve(registry), None, QUICK)
    assert caught.value.hint and caught.value.where and caught.value.where.startswith("oci://127.0.0.1:")
    assert tree(tmp_path) == before and shelf.names() == []


async def test_what_was_asked_for_by_digest_must_have_it(serve: Serve, registry: LyingRegistry) -> None:
    at = await serve(registry)
    digest = read_package(registry.layout).digest
    other = LyingRegistry(signed(source(version="2.0.0")))
    data = other.layout.files[f"blobs/sha256/{read_package(other.layout).digest.removeprefix('sha256:')}"]
    registry.manifest = giving(data)
    with pytest.raises(ModuleError, match=f"for {digest}"):
        await pull(Reference.read(f"oci://{at.host}/guest@{digest}"), None, QUICK)


@pytest.mark.parametrize("place", ["/manifests/1", "/blobs/", ".sig"])
async def test_a_registry_that_hangs_is_given_up(serve: Serve, registry: LyingRegistry, place: str) -> None:
    registry.hangs_at = place
    with pytest.raises(SourceTimeoutError, match="did not answer in time"):
        await pull(await serve(registry), None, QUICK)


async def test_the_whole_of_a_pull_has_its_time_too(serve: Serve, registry: LyingRegistry) -> None:
    registry.hangs_at = "/blobs/"
    with pytest.raises(SourceTimeoutError, match="did not answer in time"):
        await pull(await serve(registry), None, Timeouts(connect_s=5, read_s=60, total_s=0.3))


async def test_where_nobody_listens_the_error_says_so() -> None:
    with pytest.raises(SourceError, match="cannot be reached"):
        await pull(Reference.read("oci://127.0.0.1:1/guest:1"), None, QUICK)


async def test_a_blob_may_lie_elsewhere_and_credentials_do_not_go_there(serve: Serve, registry: LyingRegistry) -> None:
    registry.blob = moved(lambda digest: f"/elsewhere/{digest}")
    registry.challenge = 'Basic realm="registry"'
    layout = await pull(await serve(registry), Access(USER, PASSWORD))
    assert read_package(layout).digest == read_package(registry.layout).digest
    sent = list(zip(registry.asked, registry.authorized, strict=True))
    assert {authorization for asked, authorization in sent if "/elsewhere/" in asked} == {""}
    assert any(authorization.startswith("Basic ") for asked, authorization in sent if "/blobs/" in asked)


async def test_a_token_is_fetched_where_the_registry_says(serve: Serve, registry: LyingRegistry) -> None:
    at = await serve(registry)
    registry.challenge = f'Bearer realm="http://{at.host}/token",service="here",scope="repository:guest:pull"'
    assert read_package(await pull(at, Access(USER, PASSWORD))).digest == read_package(registry.layout).digest
    (token,) = (asked for asked in registry.asked if "/token" in asked)
    assert "service=here" in token and "scope=repository:guest:pull" in token
    assert registry.authorized[registry.asked.index(token)].startswith("Basic ")
    registry.authorized.clear()
    await pull(at)
    assert not any(authorization.startswith("Basic ") for authorization in registry.authorized)


@pytest.mark.parametrize(
    ("challenge", "kind", "message"),
    [
        ('Bearer realm="http://192.0.2.1/token"', ModuleError, "sends us to"),
        ('Bearer realm="file:///etc/passwd"', ModuleError, "sends us to"),
        ('Bearer realm="http://[/token"', SourceError, "cannot be reached"),
        ('Bearer service="x"', SourceError, "asks for credentials"),
        ('Digest realm="x"', SourceError, "asks for credentials"),
        ("", SourceError, "asks for credentials"),
    ],
)
async def test_a_challenge_that_leads_astray_is_refused(
    serve: Serve, registry: LyingRegistry, challenge: str, kind: type[CameraEdgeError], message: str
) -> None:
    registry.challenge = challenge
    with pytest.raises(kind, match=message):
        await pull(await serve(registry), Access(USER, PASSWORD), QUICK)


async def test_without_credentials_a_closed_registry_says_what_to_set(serve: Serve, registry: LyingRegistry) -> None:
    registry.challenge = 'Basic realm="registry"'
    with pytest.raises(SourceError, match="asks for credentials") as caught:
        await pull(await serve(registry), None, QUICK)
    assert caught.value.hint is not None and "CAMERA_EDGE_REGISTRY_USER" in caught.value.hint
    with pytest.raises(SourceError, match="refuses a manifest"):
        await pull(await serve(registry), Access(USER, "wrong"), QUICK)


@pytest.mark.parametrize(
    "token", [b"{}", b"[]", b'{"token": "a b"}', b'{"token": "a\\r\\nX: y"}', b'{"token": 5}', b"x"]
)
async def test_a_token_that_is_none_is_refused(serve: Serve, registry: LyingRegistry, token: bytes) -> None:
    registry.token = token
    at = await serve(registry)
    registry.challenge = f'Bearer realm="http://{at.host}/token"'
    with pytest.raises(ModuleError, match="no token|the token is damaged"):
        await pull(at, None, QUICK)


@pytest.mark.parametrize(
    ("host", "plain_http", "scheme"),
    [
        ("registry.example", False, "https"),
        ("192.0.2.1:5000", False, "https"),
        ("registry.example", True, "http"),
        ("127.0.0.1:5000", False, "http"),
        ("[::1]:5000", False, "http"),
        ("localhost:5000", False, "http"),
    ],
)
def test_another_machine_is_asked_over_tls_unless_it_is_said(host: str, plain_http: bool, scheme: str) -> None:
    reference = Reference.read(f"oci://{host}/acme/guest:1")
    assert str(base_url(reference, Access(plain_http=plain_http))) == f"{scheme}://{host}/v2/acme/guest/"


def test_credentials_come_from_the_environment_and_are_not_shown() -> None:
    access = Access.of({"CAMERA_EDGE_REGISTRY_USER": "me", "CAMERA_EDGE_REGISTRY_PASSWORD": "secret"})
    assert (access.user, access.password, access.plain_http) == ("me", "secret", False)
    assert "secret" not in repr(access)


@pytest.mark.parametrize("host", ["registry.example", "192.0.2.1:5000"])
async def test_credentials_do_not_go_over_plain_http_to_another_machine(host: str) -> None:
    reference = Reference.read(f"oci://{host}/guest:1")
    access = Access(USER, PASSWORD, plain_http=True)
    package = read_package(signed(source()))
    for deed in (pull(reference, access, QUICK), push(package, reference, access, QUICK)):
        with pytest.raises(UsageError, match="user and password would go over plain HTTP") as caught:
            await deed
        assert caught.value.where == str(reference)
        assert caught.value.hint is not None and "CAMERA_EDGE_REGISTRY_PASSWORD" in caught.value.hint


async def test_a_registry_on_this_machine_gets_no_password_sent_elsewhere_in_plain(
    serve: Serve, registry: LyingRegistry
) -> None:
    at = await serve(registry)
    registry.challenge = 'Bearer realm="http://192.0.2.1/token"'
    with pytest.raises(UsageError, match="user and password would go over plain HTTP") as caught:
        await pull(at, Access(USER, PASSWORD, plain_http=True), QUICK)
    assert caught.value.where == "http://192.0.2.1"


async def test_on_this_machine_plain_http_takes_credentials(serve: Serve, registry: LyingRegistry) -> None:
    registry.challenge = 'Basic realm="registry"'
    layout = await pull(await serve(registry), Access(USER, PASSWORD, plain_http=True), QUICK)
    assert read_package(layout).digest == read_package(registry.layout).digest
