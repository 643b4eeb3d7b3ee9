"""Guests written as WebAssembly text beside the assertion, run on a real ring in the real engine."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import wasmtime

from camera_edge.frames import Ring, View
from camera_edge.picture import Picture, PixelFormat
from camera_edge.sandbox import (
    Analyzer,
    Answer,
    Cache,
    Grants,
    Manifest,
    ModuleFile,
    Policy,
    Program,
    RingMap,
    RuleModule,
    Runtime,
    Services,
)
from camera_edge.sandbox.manifest import Limits

WIDTH, HEIGHT = 64, 32
ANALYZE = '(func (export "analyze") (param $slot i32) (result i32) (i32.const 0))'
OBSERVE = '(func (export "observe") (param $batch i32) (param $bytes i32) (result i32) (i32.const 0))'


def module_text(body: str, *, rule: bool = False) -> str:
    """A whole module: the body, and what each guest needs, where the body lacks it. Imports come first in it."""
    if body.lstrip().startswith("(module"):
        return body
    parts = [body]
    if '(export "memory")' not in body:
        parts.append('(memory (export "memory") 2)')
    if '"camera_edge_abi"' not in body:
        parts.append('(func (export "camera_edge_abi") (result i32) (i32.const 1))')
    called = "observe" if rule else "analyze"
    if f'(export "{called}")' not in body:
        parts.append(OBSERVE if rule else ANALYZE)
    return f"(module {' '.join(parts)})"


@pytest.fixture(scope="session")
def runtime() -> Runtime:
    return Runtime()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    return Cache(tmp_path_factory.mktemp("compiled", numbered=True) / "cache")


@pytest.fixture
def module() -> Callable[..., ModuleFile]:
    def make(
        body: str,
        *,
        asks: tuple[str, ...] = ("pixels",),
        limits: Limits | None = None,
        params: dict[str, str | float] | None = None,
        kinds: tuple[str, ...] = ("thing",),
    ) -> ModuleFile:
        wasm = bytes(wasmtime.wat2wasm(module_text(body, rule="observations" in asks)))
        manifest = Manifest(
            name="guest",
            version="1",
            abi=1,
            kinds=kinds,
            capabilities=asks,
            limits=limits or Limits(),
            params=params,
        )
        return ModuleFile(manifest, wasm, hashlib.sha256(wasm).hexdigest(), "path")

    return make


@pytest.fixture
def program(runtime: Runtime, cache: Cache, module: Callable[..., ModuleFile]) -> Callable[..., Program]:
    def make(body: str, **settings: object) -> Program:
        return runtime.load(module(body, **settings), cache)

    return make


@pytest.fixture
def ring() -> Iterator[Ring]:
    zones = np.arange(WIDTH * HEIGHT, dtype=np.uint8).reshape(HEIGHT, WIDTH)
    with Ring(View(PixelFormat.GRAY8, WIDTH, HEIGHT), zones=zones) as ring:
        yield ring


@pytest.fixture
def analyzer(program: Callable[..., Program], ring: Ring) -> Iterator[Callable[..., Analyzer]]:
    """An analyzer of this text, open, granted what it asks for (where `grants` does not say)."""
    made: list[Analyzer] = []

    def make(
        body: str,
        *,
        grants: Grants | None = None,
        services: Services | None = None,
        policy: Policy | None = None,
        **settings: object,
    ) -> Analyzer:
        compiled = program(body, **settings)
        grants = grants or Grants()
        if not grants.capabilities:
            grants = replace(grants, capabilities=compiled.manifest.grant_all(grants.params))
        mapped = RingMap(ring.fd, ring.size_bytes)
        analyzer = Analyzer(compiled, grants, services or Services(), mapped, policy)
        made.append(analyzer)
        analyzer.open()
        return analyzer

    yield make
    for analyzer in made:
        analyzer.close()


@pytest.fixture
def rule_module(program: Callable[..., Program]) -> Iterator[Callable[..., RuleModule]]:
    """A rule module of this text, open, granted what it asks for (where `grants` does not say)."""
    made: list[RuleModule] = []

    def make(
        body: str,
        *,
        asks: tuple[str, ...] = ("observations",),
        grants: Grants | None = None,
        policy: Policy | None = None,
        **settings: object,
    ) -> RuleModule:
        compiled = program(body, asks=asks, **settings)
        module = RuleModule(compiled, grants or Grants(compiled.manifest.grant_all({})), policy)
        made.append(module)
        module.open()
        return module

    yield make
    for module in made:
        module.close()


@pytest.fixture
def look(ring: Ring) -> Callable[..., Answer | None]:
    """Shows the next frame, all of one grey, 200 ms after the last, to one analyzer."""
    shown = 0

    def show(analyzer: Analyzer, *, grey: int = 100, media_us: int | None = None) -> Answer | None:
        nonlocal shown
        plane = np.full((HEIGHT * 4, WIDTH * 4), grey, np.uint8)
        chroma = np.full((HEIGHT * 2, WIDTH * 2), 128, np.uint8)
        at_us = shown * 200_000 if media_us is None else media_us
        slot = ring.write(Picture(plane, chroma, chroma, lambda: plane), sequence=shown, media_us=at_us)
        assert slot is not None
        answer = analyzer.analyze(slot.offset, shown, at_us)
        ring.release(slot)
        shown += 1
        return answer

    return show


@pytest.fixture
def shipped_like(tmp_path: Path) -> Path:
    """A folder as the package's build leaves it, with one module `alpha`."""
    folder = tmp_path / "shipped"
    (folder / "alpha").mkdir(parents=True)
    wasm = bytes(wasmtime.wat2wasm(module_text("")))
    (folder / "alpha" / "alpha.wasm").write_bytes(wasm)
    (folder / "alpha" / "analyzer.toml").write_text(
        'name = "alpha"\nversion = "1"\nabi = 1\nkinds = []\ncapabilities = ["pixels"]\n'
    )
    (folder / "hashes.json").write_text(f'{{"alpha": "{hashlib.sha256(wasm).hexdigest()}"}}')
    return folder
