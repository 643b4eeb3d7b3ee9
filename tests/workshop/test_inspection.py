"""An inspection says what a module asks for, imports and is granted, without running it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from camera_edge.config import Config
from camera_edge.sandbox import ModuleFile, load_module, shipped
from camera_edge.workshop.inspection import inspect

Make = Callable[..., Path]
STORES = """
(import "camera_edge" "state_put" (func (param i32 i32 i32) (result i32)))
(import "camera_edge" "fly" (func (param i32) (result i32)))
(func (export "analyze") (param i32) (result i32) (i32.const 0))
"""
NN = '(import "wasi_ephemeral_nn" "compute" (func (param i32) (result i32)))'
ANALYZE = '(func (export "analyze") (param i32) (result i32) (i32.const 0))'


def asking(path: Path, capabilities: str) -> ModuleFile:
    toml = path.with_name("analyzer.toml")
    toml.write_text(toml.read_text().replace('["pixels"]', capabilities))
    return load_module(path)


def test_each_import_is_shown_with_what_it_needs() -> None:
    seen = inspect(shipped("objects"), None)
    needs = {each.name: each.needs for each in seen.imports}
    assert (needs["infer"], needs["emit"], needs["log"]) == ("onnx:<model>", "pixels", None)
    assert all(each.fault is None for each in seen.imports)
    assert (seen.what, seen.origin, seen.asked) == ("analyzer", "shipped", ("pixels", "onnx:*"))
    assert seen.view is not None and (seen.view.format, seen.view.max_width) == ("gray8", 320)
    assert seen.cameras is None


def test_an_import_that_nothing_asks_for_is_pointed_out(module: Make) -> None:
    seen = inspect(load_module(module("greedy", STORES)), None)
    faults = {each.name: each.fault for each in seen.imports}
    assert faults == {
        "state_put": "its manifest does not ask for state:<bytes>",
        "fly": "there is no such function in ABI 1",
    }


def test_what_is_asked_for_in_vain_is_pointed_out(module: Make) -> None:
    file = asking(module("idle", ANALYZE), '["pixels", "state:16", "onnx:*", "nn.load"]')
    assert inspect(file, None).idle == ("state:16", "onnx:*", "nn.load")
    file = asking(module("tensor", NN + ANALYZE), '["pixels", "state:16", "onnx:*", "nn.load"]')
    assert inspect(file, None).idle == ("state:16",)


def test_the_grants_are_those_of_each_camera_that_names_it() -> None:
    config = Config.model_validate(
        {
            "version": 1,
            "cameras": {
                "front": {"source": "a.mp4", "analyzers": {"objects": {"grant": ["onnx:tiny"]}}},
                "back": {"source": "b.mp4", "analyzers": {"objects": {}, "motion": {}}},
                "side": {"source": "c.mp4"},
            },
        }
    )
    cameras = inspect(shipped("objects"), config).cameras
    assert cameras is not None
    assert [(each.camera, each.granted, each.lacking) for each in cameras] == [
        ("front", ("pixels", "onnx:tiny"), ()),
        ("back", ("pixels",), ("onnx:<model>",)),
    ]


def test_a_rule_module_has_no_view(rule_module: Callable[..., ModuleFile]) -> None:
    silent = '(func (export "observe") (param i32 i32) (result i32) (i32.const 0))'
    seen = inspect(rule_module("silent", silent), None)
    assert (seen.what, seen.view, seen.asked) == ("rule module", None, ("observations",))


def test_a_revoked_digest_is_told() -> None:
    assert inspect(shipped("motion"), None).revoked is None
    assert inspect(shipped("motion"), None, "a" * 64).revoked == "a" * 64
