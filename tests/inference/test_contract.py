from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from camera_edge.errors import ModelError
from camera_edge.inference.contract import Contract, Output, PictureInput, parse_contract

WHOLE = """
contract = 1
licence = "MIT"
[input]
name = "images"
width = 64
height = 32
channels = "rgb"
mean = [1.0, 2.0, 3.0]
std = [4.0]
fit = "stretch"
[output]
decoder = "yolox"
strides = [8]
classes = "pair"
"""


def class_lists(name: str) -> tuple[str, ...]:
    if name != "pair":
        raise ModelError(f"no list {name}")
    return "cat", "dog"


def parse(text: str) -> Contract:
    return parse_contract(text.encode(), where="mine.toml", lists=class_lists)


def test_a_whole_contract_is_read_and_its_class_list_written_out() -> None:
    contract = parse(WHOLE)
    assert contract.output.class_names == ("cat", "dog")
    assert contract.input is not None
    assert contract.input.shape == (1, 3, 32, 64)
    assert contract.input.pad == 114


def test_layout_nhwc_puts_channels_last() -> None:
    contract = parse(WHOLE.replace('fit = "stretch"', 'fit = "stretch"\nlayout = "nhwc"'))
    assert contract.input is not None
    assert contract.input.shape == (1, 32, 64, 3)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("contract = 1", "contract = 2", "contract"),
        ("contract = 1", "contract = 1\nfoo = 1", "unknown field `foo`"),
        ("width = 64", "width = 64\nwidht = 64", "unknown field `widht`"),
        ("width = 64", "width = 0", r"\$\.input\.width"),
        ("width = 64", "", "width"),
        ('channels = "rgb"', 'channels = "yuv"', "yuv"),
        ("mean = [1.0, 2.0, 3.0]", "mean = [1.0, 2.0]", "mean has 2 numbers"),
        ("std = [4.0]", "std = [0.0]", "must not be 0"),
        ("std = [4.0]", "std = [nan]", "finite"),
        ("strides = [8]", "", "needs strides"),
        ('classes = "pair"', "", "needs classes"),
        ("strides = [8]", "strides = [8]\nsure_score = 1.5", "sure_score"),
        ('decoder = "yolox"', 'decoder = "yolov99"', "yolov99"),
        ('classes = "pair"', 'classes = ["a\\nb"]', "line break"),
        ('classes = "pair"', 'classes = "coco9000"', "coco9000"),
        ("[output]", "[output", "mine.toml"),
    ],
)
def test_a_wrong_contract_is_refused_and_says_what(old: str, new: str, complaint: str) -> None:
    assert old in WHOLE
    with pytest.raises(ModelError, match=complaint):
        parse(WHOLE.replace(old, new))


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ModelError, match="not a contract"):
        parse_contract(b"\xff\xfe", where="mine.toml", lists=class_lists)


def test_a_decoder_without_an_input_is_refused() -> None:
    with pytest.raises(ModelError, match="no \\[input\\]"):
        parse('contract = 1\n[output]\ndecoder = "yolox"\nstrides = [8]\nclasses = ["a"]')


def test_the_example_in_the_readme_is_a_contract_and_shows_every_field(catalogue_file: Path) -> None:
    readme = (catalogue_file.parent / "README.md").read_text()
    example = re.search(r"```toml\n(.*?)```", readme, re.DOTALL)
    assert example is not None
    contract = parse(example[1])
    assert contract.input is not None
    assert contract.output.class_names == ("forklift", "person")
    for kind in (Contract, PictureInput, Output):
        for field in msgspec.structs.fields(kind):
            assert re.search(rf"^\[?{field.name}\b", example[1], re.MULTILINE), field.name
