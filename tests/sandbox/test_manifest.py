"""Names in a manifest are those that a configuration and a command line can say."""

from __future__ import annotations

import pytest

from camera_edge.errors import ModuleError
from camera_edge.sandbox.manifest import is_name, is_param_name, read_manifest

TOML = 'name = {}\nversion = "1"\nabi = 1\nkinds = []\ncapabilities = ["pixels"]\n[params]\n{} = 1\n'


def read(name: str, param: str) -> str:
    return read_manifest(TOML.format(name, param).encode(), where="a test").name


@pytest.mark.parametrize("name", ["a", "9", "My-own_1", "a" * 64])
def test_a_name_is_letters_digits_and_dashes(name: str) -> None:
    assert is_name(name) and is_param_name(name)
    assert read(f'"{name}"', f'"{name}"') == name


@pytest.mark.parametrize("name", ["", "a b", "-a", "a=b", "a,b", "é", "a" * 65, "a\n"])
def test_what_is_no_name_is_none_for_a_parameter_either(name: str) -> None:
    assert not is_name(name) and not is_param_name(name)
    written = '"' + name.replace("\n", "\\n") + '"'
    with pytest.raises(ModuleError, match=r"bad manifest.*\$\.name"):
        read(written, "a")
    with pytest.raises(ModuleError, match=r"bad manifest.*\$\.params"):
        read('"a"', written)


def test_only_a_parameter_may_have_dots() -> None:
    assert is_param_name("model.width") and not is_name("model.width")
    assert read('"a"', '"model.width"') == "a"
