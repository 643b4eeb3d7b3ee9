from __future__ import annotations

from camera_edge.sandbox.capability import Capabilities, all_asked, models_named


def read(*names: str) -> Capabilities:
    return Capabilities.read(names, where="test")


def test_a_grant_gives_only_what_was_asked_for() -> None:
    assert read("pixels", "onnx:a", "state:64").within(read("state:8")) == read("state:8")
    assert read("state:8").within(read("pixels", "state:64")) == read("state:8")
    assert read("onnx:a", "onnx:b").within(read("onnx:b", "onnx:c")) == read("onnx:b")


def test_a_module_that_asks_for_any_model_gets_those_that_are_named() -> None:
    assert read("onnx:a", "onnx:b").within(read("onnx:*")) == read("onnx:a", "onnx:b")
    assert read("onnx:*").within(read("onnx:*")) == read()


def test_own_models_are_granted_to_a_module_that_asks_for_them() -> None:
    assert read("nn.load", "onnx:a").within(read("nn.load")) == read("nn.load")
    assert read("nn.load").within(read("onnx:*")) == read()
    assert read("pixels").lacks(read("pixels", "nn.load")) == ["nn.load"]
    assert read("nn.load").lacks(read("nn.load")) == []


def test_parameters_that_name_models_are_model_first_and_those_that_end_so() -> None:
    params: dict[str, str | float] = {
        "a_model": "second",
        "model": "first",
        "models": "no",
        "b_model": "",
        "c_model": 1.0,
        "model.fit": "no",
    }
    assert list(models_named(params).items()) == [("model", "first"), ("a_model", "second")]
    assert all_asked(["pixels", "onnx:*"], params) == {"pixels", "onnx:first", "onnx:second"}
    assert all_asked(["pixels"], params) == {"pixels"}
