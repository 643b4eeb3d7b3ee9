from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError
from camera_edge.picture import PixelFormat, ViewSpec
from camera_edge.sandbox import load_module, shipped, shipped_names
from camera_edge.sandbox.manifest import read_manifest
from camera_edge.sandbox.module import shipped_folder, shipped_of

GOOD = b'name = "a"\nversion = "1"\nabi = 1\nkinds = ["k"]\ncapabilities = ["pixels"]\n'


def test_a_shipped_module_is_found_by_name(shipped_like: Path) -> None:
    module = shipped("alpha", shipped_like)
    assert (module.manifest.name, module.origin) == ("alpha", "shipped")
    assert module.sha256 == hashlib.sha256(module.wasm).hexdigest()
    assert shipped_names(shipped_like) == ["alpha"]


def test_a_shipped_module_that_was_changed_is_refused(shipped_like: Path) -> None:
    path = shipped_like / "alpha" / "alpha.wasm"
    path.write_bytes(path.read_bytes() + b"\0\x02\x01a")
    with pytest.raises(ModuleError, match="not the one this package was built with"):
        shipped("alpha", shipped_like)


def test_a_module_that_is_not_on_the_list_is_refused_though_it_lies_there(shipped_like: Path) -> None:
    (shipped_like / "alpha").rename(shipped_like / "beta")
    with pytest.raises(ModuleError, match="no analyzer 'beta' is shipped") as caught:
        shipped("beta", shipped_like)
    assert caught.value.hint is not None and "there are alpha" in caught.value.hint


def test_a_package_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    assert shipped_names(tmp_path) == []
    with pytest.raises(ModuleError, match="not there") as caught:
        shipped("motion", tmp_path)
    assert caught.value.hint is not None and "pip install ." in caught.value.hint


@pytest.mark.skipif(not shipped_folder().exists(), reason="the package was not built: no modules are shipped")
def test_each_module_of_this_package_is_whole() -> None:
    assert "motion" in shipped_names()
    for name in shipped_names():
        assert shipped(name).manifest.name == name


def test_a_module_is_loaded_by_path_with_its_manifest_beside_it(shipped_like: Path) -> None:
    module = load_module(shipped_like / "alpha" / "alpha.wasm")
    assert (module.manifest.name, module.origin) == ("alpha", "path")


@pytest.mark.parametrize("what", ["not wasm", "wat text", "empty"])
def test_what_is_not_webassembly_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "module.wasm"
    path.write_bytes({"not wasm": b"hello", "wat text": b"(module)", "empty": b""}[what])
    (tmp_path / "analyzer.toml").write_bytes(GOOD)
    with pytest.raises(ModuleError, match="not a WebAssembly module") as caught:
        load_module(path)
    assert caught.value.where == str(path) and caught.value.exit_code == 70


def test_a_missing_module_or_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="No such file") as caught:
        load_module(tmp_path / "module.wasm")
    assert caught.value.where == str(tmp_path / "module.wasm")
    (tmp_path / "module.wasm").write_bytes(b"\0asm\1\0\0\0")
    with pytest.raises(ModuleError, match="No such file") as caught:
        load_module(tmp_path / "module.wasm")
    assert caught.value.where == str(tmp_path / "analyzer.toml")


def test_a_manifest_has_defaults() -> None:
    manifest = read_manifest(GOOD, where="m")
    assert manifest.view.spec == ViewSpec(PixelFormat.GRAY8, 320)
    assert (manifest.limits.memory_bytes, manifest.limits.observations) == (64 << 20, 4096)


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        (GOOD + b"colour = 1\n", "unknown field `colour`"),
        (GOOD + b"[view]\nwidth = 3\n", r"unknown field `width`.*\$.view"),
        (GOOD + b'[view]\nformat = "bgr"\n', r"\$.view.format"),
        (GOOD + b"[view]\nmax_width = 8\n", r">= 16.*\$.view.max_width"),
        (GOOD + b"[limits]\nmemory_bytes = 1073741824\n", r"<= 268435456.*memory_bytes"),
        (GOOD + b"[limits]\nfuel_per_frame = 1e20\n", "fuel_per_frame"),
        (GOOD.replace(b"abi = 1", b"abi = 2"), "made for ABI 2"),
        (GOOD.replace(b'"a"', b'"../a"'), r"\$.name"),
        (GOOD.replace(b'["k"]', b'["k k"]'), r"\$.kinds"),
        (GOOD.replace(b'"pixels"', b'"pixels", "observations"'), "asks for both 'pixels' and 'observations'"),
        (GOOD.replace(b'"pixels"', b'"observations", "onnx:a"'), "a rule module and asks for more"),
        (GOOD.replace(b'"pixels"', b'"pixels", "telemetry:can"'), "unknown capability 'telemetry:can'"),
        (GOOD.replace(b'"a"', b'"a\\n"'), r"\$.name"),
        (GOOD.replace(b'["k"]', b'["k\\n"]'), r"\$.kinds"),
        (GOOD.replace(b'"1"', b'"1\\u001b[31m"'), r"\$.version"),
        (GOOD + b"[params]\na = nan\n", "the default of parameter 'a' is nan"),
        (GOOD + b"[params]\na = 1" + b"0" * 5000, "bad manifest"),
        (GOOD + b"[params]\na = " + b"[" * 5000, "bad manifest"),
        (GOOD.replace(b'"pixels"', b'"pixels", "state:0"'), "unknown capability 'state:0'"),
        (GOOD.replace(b'"pixels"', b'"pixels", "state:99999999"'), "a state of 99999999 bytes"),
        (GOOD.replace(b'"pixels"', b'"onnx:a"'), "asks for neither 'pixels' nor 'observations'"),
        (GOOD.replace(b"version", b"vers"), "unknown field `vers`"),
        (GOOD.replace(b'version = "1"', b""), "missing required field `version`"),
        (b"name = ", "bad manifest"),
        (b"\xff\xfe", "bad manifest"),
    ],
)
def test_a_bad_manifest_is_refused_with_the_place(manifest: bytes, message: str) -> None:
    with pytest.raises(ModuleError, match=message) as caught:
        read_manifest(manifest, where="analyzer.toml")
    assert caught.value.where in ("analyzer.toml", "a") and caught.value.hint


def test_naming_a_module_grants_what_it_asks_for_with_the_model_it_was_told() -> None:
    asks = GOOD.replace(b'"pixels"', b'"pixels", "onnx:*", "state:64"')
    manifest = read_manifest(asks, where="m")
    assert manifest.grant_all({"model": "tiny"}) == {"pixels", "onnx:tiny", "state:64"}
    assert manifest.grant_all({}) == {"pixels", "state:64"}


def test_a_manifest_that_asks_for_observations_is_one_of_a_rule_module() -> None:
    assert not read_manifest(GOOD, where="m").is_rule
    assert read_manifest(GOOD.replace(b'"pixels"', b'"observations", "state:64"'), where="m").is_rule


def test_a_shipped_module_is_found_by_its_digest(shipped_like: Path) -> None:
    assert shipped_of(shipped("alpha", shipped_like).sha256, shipped_like) == "alpha"
    assert shipped_of("a" * 64, shipped_like) is None
    assert shipped_of("a" * 64, shipped_like / "none") is None


@pytest.mark.parametrize("name", ["a.wasm", "analyzer.toml"])
def test_a_module_that_is_a_pipe_is_refused_and_nobody_waits(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.wasm").write_bytes(b"\0asm\1\0\0\0")
    (tmp_path / "analyzer.toml").write_bytes(GOOD)
    (tmp_path / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(ModuleError, match="no plain file"):
        load_module(tmp_path / "a.wasm")
