from pathlib import Path

import pytest

from camera_edge.cli.spec import parse_spec
from camera_edge.errors import UsageError


def test_a_bare_name_has_no_params() -> None:
    spec = parse_spec("motion")
    assert (spec.name, dict(spec.params), spec.state, spec.is_path) == ("motion", {}, None, False)


def test_numbers_are_numbers_and_words_are_words() -> None:
    assert dict(parse_spec("objects:model=yolox_nano,min_score=0.3").params) == {
        "model": "yolox_nano",
        "min_score": 0.3,
    }


def test_state_goes_to_the_host_and_not_to_the_module() -> None:
    spec = parse_spec("normality:state=/var/lib/n.bin,x=1")
    assert spec.state == Path("/var/lib/n.bin")
    assert dict(spec.params) == {"x": 1.0}


def test_a_state_is_named_as_it_is_written() -> None:
    assert parse_spec("normality:state=1e3").state == Path("1e3")


def test_a_wasm_file_is_a_path() -> None:
    assert parse_spec("./mine.wasm:a=1").is_path


@pytest.mark.parametrize("text", ["", ":a=1", "motion:a", "motion:=1", "motion:a=", "motion:a=1,a=2", "motion:a=1,"])
def test_what_is_not_key_value_is_refused_with_the_form_to_use(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_spec(text)
    assert caught.value.hint
