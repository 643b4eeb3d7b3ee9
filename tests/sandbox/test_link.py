from __future__ import annotations

from collections.abc import Callable

import pytest

from camera_edge.errors import ModuleError
from camera_edge.sandbox import Analyzer, Grants, Services

Start = Callable[..., Analyzer]
PIXELS = frozenset({"pixels"})


def refusal(start: Callable[[], Analyzer]) -> ModuleError:
    with pytest.raises(ModuleError) as caught:
        start()
    return caught.value


@pytest.mark.parametrize(
    ("import_", "asks", "hint"),
    [
        (
            '"camera_edge" "infer" (func (param i32 i32 f32 f32 f32 f32 i32 i32) (result i32))',
            ("pixels", "onnx:*"),
            "grant it: analyzers.guest.grant: [onnx:NAME]",
        ),
        (
            '"camera_edge" "infer" (func (param i32 i32 f32 f32 f32 f32 i32 i32) (result i32))',
            ("pixels",),
            "its manifest does not ask for onnx:<model>",
        ),
        (
            '"wasi_ephemeral_nn" "load_by_name" (func (param i32 i32 i32) (result i32))',
            ("pixels", "onnx:tiny"),
            "grant it: analyzers.guest.grant: [onnx:NAME]",
        ),
        (
            '"camera_edge" "state_put" (func (param i32 i32 i32) (result i32))',
            ("pixels", "state:64"),
            "grant it: analyzers.guest.grant: [state:64]",
        ),
        (
            '"camera_edge" "raise" (func (param i32) (result i32))',
            ("pixels",),
            "its manifest does not ask for observations",
        ),
        (
            '"camera_edge" "veto" (func (param i32) (result i32))',
            ("pixels",),
            "its manifest does not ask for observations",
        ),
        ('"camera_edge" "photograph" (func (param i32) (result i32))', ("pixels",), "no such function in ABI 1"),
        ('"camera_edge" "score" (func (param f32) (result i32))', ("pixels",), "its type is (f64) -> i32"),
        ('"env" "printf" (func (param i32 i32) (result i32))', ("pixels",), "nothing of that name"),
        ('"env" "memory" (memory 1)', ("pixels",), "imports functions only"),
        ('"wasi_snapshot_preview1" "fd_write" (func (param i32) (result f64))', ("pixels",), "another type"),
        ('"wasi_snapshot_preview1" "proc_exit" (func)', ("pixels",), "another type"),
        (
            '"wasi_snapshot_preview1" "fd_write" (func (param f64 f64 f64 f64) (result i32))',
            ("pixels",),
            "another type",
        ),
        ('"wasi_snapshot_preview1" "path_open" (func (param v128) (result i32))', ("pixels",), "another type"),
        ('"wasi_snapshot_preview1" "path_open" (func (param externref) (result i32))', ("pixels",), "another type"),
        ('"camera_edge" "score" (func (param v128) (result i32))', ("pixels",), "its type is (f64) -> i32"),
    ],
)
def test_an_import_that_was_not_granted_is_refused_by_name_with_the_way_to_grant_it(
    analyzer: Start, import_: str, asks: tuple[str, ...], hint: str
) -> None:
    body = f"(import {import_})"
    if "(memory 1)" in body:
        body = (
            f'(module {body} (export "memory" (memory 0)) (func (export "camera_edge_abi") (result i32) i32.const 1)'
            '(func (export "analyze") (param i32) (result i32) i32.const 0))'
        )
    error = refusal(lambda: analyzer(body, asks=asks, grants=Grants(PIXELS)))
    module, name = import_.split('"')[1::2]
    assert error.message == f"imports {module}.{name}, which it was not given"
    assert error.where == "analyzer guest"
    assert error.hint is not None and hint in error.hint


def test_without_pixels_the_outputs_are_not_linked(analyzer: Start) -> None:
    body = '(import "camera_edge" "score" (func (param f64) (result i32)))'
    error = refusal(lambda: analyzer(body, grants=Grants(frozenset({"state:8"}))))
    assert error.hint == "grant it: analyzers.guest.grant: [pixels]"


def test_what_a_manifest_does_not_ask_for_is_not_given_even_when_granted(analyzer: Start) -> None:
    body = '(import "camera_edge" "state_put" (func (param i32 i32 i32) (result i32)))'
    error = refusal(lambda: analyzer(body, grants=Grants(frozenset({"pixels", "state:8"}))))
    assert error.hint == "its manifest does not ask for state:<bytes>"


def test_a_granted_model_without_anybody_who_runs_it_is_not_linked(analyzer: Start) -> None:
    body = '(import "camera_edge" "infer" (func (param i32 i32 f32 f32 f32 f32 i32 i32) (result i32)))'
    error = refusal(lambda: analyzer(body, asks=("pixels", "onnx:tiny"), services=Services()))
    assert error.hint == "no models are run here"


def test_log_metric_and_parameters_are_given_to_all(analyzer: Start) -> None:
    analyzer(
        """(import "camera_edge" "log" (func (param i32 i32 i32) (result i32)))
        (import "camera_edge" "metric" (func (param i32 i32 f64) (result i32)))
        (import "camera_edge" "param_text" (func (param i32 i32 i32 i32) (result i32)))
        (import "camera_edge" "param_number" (func (param i32 i32 f64) (result f64)))""",
        grants=Grants(frozenset({"state:8"})),
    )


def test_an_unknown_capability_in_a_grant_is_refused(analyzer: Start) -> None:
    error = refusal(lambda: analyzer("", grants=Grants(frozenset({"pixels", "network"}))))
    assert "unknown capability 'network'" in error.message


def test_a_function_may_be_imported_twice(analyzer: Start) -> None:
    score = '(import "camera_edge" "score" (func (param f64) (result i32)))'
    analyzer(score + score)


def test_one_name_with_two_types_is_refused(analyzer: Start) -> None:
    error = refusal(
        lambda: analyzer(
            '(import "wasi_snapshot_preview1" "path_open" (func (param i32) (result i32)))'
            '(import "wasi_snapshot_preview1" "path_open" (func (param i64) (result i32)))'
        )
    )
    assert error.hint == "it is imported twice, with two types"


def test_what_a_module_calls_its_imports_is_harmless_in_a_terminal(analyzer: Start) -> None:
    error = refusal(lambda: analyzer(r'(import "e\1b[31m" "f\0a" (func))'))
    assert error.message == "imports e\ufffd[31m.f\ufffd, which it was not given"
