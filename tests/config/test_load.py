from pathlib import Path

import msgspec
import pytest

from camera_edge.config import Config, load, parse
from camera_edge.errors import ConfigError
from camera_edge.settings import CameraSettings

ENVIRONMENT = {"FRONT_USER": "operator", "FRONT_PASSWORD": "s3cret:@/word"}

TEXT = """\
version: 1
state: /var/lib/camera-edge
web: {listen: 127.0.0.1:8080}
defaults:
  rate: 5
  clip: {before_s: 4, after_s: 5, longest_s: 60}
  redact: {mode: pixelate, with: [motion]}
cameras:
  front:
    source: rtsp://${FRONT_USER}:${FRONT_PASSWORD}@192.0.2.10/stream1
    clip: {after_s: 7}
    zones:
      gate: [[0.4, 0.5], [0.9, 0.5], [0.9, 1.0], [0.4, 1.0]]
    analyzers:
      motion: {}
      objects: {grant: [onnx:yolox_nano], params: {model: yolox_nano, min_score: 0.4}, wake_on: motion}
    rules:
      person_at_gate: {kinds: [person], zones: [gate], min_score: 0.5, hold_s: 1, quiet_s: 5}
"""


def read(text: str) -> Config:
    return parse(text, name="c.yaml", environment=ENVIRONMENT)


def test_the_design_s_example_is_read() -> None:
    camera = read(TEXT).cameras["front"]
    assert camera.source.get_secret_value() == "rtsp://operator:s3cret%3A%40%2Fword@192.0.2.10/stream1"
    assert camera.rules["person_at_gate"].zones == ["gate"]
    assert camera.analyzers["objects"].params == {"model": "yolox_nano", "min_score": 0.4}


def test_a_camera_s_own_keys_win_over_the_defaults_key_by_key() -> None:
    clip = read(TEXT).cameras["front"].clip
    assert (clip.before_s, clip.after_s) == (4.0, 7.0)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("rate: 5", "rate: 0", 5, "greater than 0"),
        ("rate: 5", "rate: fast", 5, "valid number"),
        ("min_score: 0.5", "minscore: 0.5", 18, "did you mean 'min_score'"),
        ("zones: [gate]", "zones: [gat]", 9, "zone 'gat'"),
        ("version: 1", "version: 2", 1, "version"),
        ("gate: [[0.4, 0.5]", "gate: [[1.4, 0.5]", 13, "less than or equal to 1"),
        ("mode: pixelate", "mode: blur", 7, "'pixelate' or 'black'"),
        ("source:", "sorce:", 10, "did you mean 'source'"),
        ("${FRONT_USER}", "${NOBODY}", 10, "NOBODY"),
        ("wake_on: motion", "wake_on: motoin", 9, "motoin"),
        ("with: [motion]", "with: [nobody]", 9, "redact.with"),
        ("  front:", "  Front Door:", 9, "front door"),
        ("  front:", "  healthz:", 8, "healthz"),
        ("127.0.0.1:8080", "localhost", 3, "ADDRESS:PORT"),
        ("    rules:", "    rules: [", 17, ""),
        ("    zones:", "    clip: {}\n    zones:", 12, "twice"),
    ],
)
def test_a_fault_is_named_with_its_line_and_a_next_step(old: str, new: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(TEXT.replace(old, new, 1))
    assert words.lower() in str(caught.value).lower()
    assert caught.value.hint
    if words:
        assert caught.value.where == f"c.yaml:{line}"


def test_no_message_shows_a_value_from_the_environment() -> None:
    for new in ("[not, a, string, ${FRONT_PASSWORD}]", "{a: '${FRONT_PASSWORD}'}"):
        with pytest.raises(ConfigError) as caught:
            read(TEXT.replace("rtsp://${FRONT_USER}:${FRONT_PASSWORD}@192.0.2.10/stream1", new))
        assert "s3cret" not in str(caught.value)
        assert "s3cret" not in repr(caught.value.__context__)


def test_printing_a_configuration_shows_no_credentials() -> None:
    config = read(TEXT)
    assert "s3cret" not in repr(config)
    assert "s3cret" not in config.model_dump_json()
    assert config.cameras["front"].safe_source == "rtsp://***@192.0.2.10/stream1"


def test_a_worker_gets_the_same_camera_with_the_source_in_the_clear() -> None:
    camera = read(TEXT).cameras["front"]
    settings = camera.settings("rtsp://operator:x@192.0.2.10/stream1")
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(settings), type=CameraSettings)
    assert again == settings
    assert again.source == "rtsp://operator:x@192.0.2.10/stream1"
    assert again.redact.required == ("motion",)
    assert again.rules["person_at_gate"].zones == ("gate",)
    assert ":x@" not in repr(again)


def test_secrets_are_found_in_systemd_s_credentials_folder(tmp_path: Path) -> None:
    (tmp_path / "FRONT_PASSWORD").write_text("from-file\n")
    config = parse(TEXT, name="c.yaml", environment={"FRONT_USER": "operator", "CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert config.cameras["front"].source.get_secret_value() == "rtsp://operator:from-file@192.0.2.10/stream1"


@pytest.mark.parametrize("text", ["", "- a\n", "just words", "a: [1, 2\n", "\x00"])
def test_what_is_no_mapping_is_one_clear_error(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert caught.value.hint


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "none.yaml")
    assert "none.yaml" in str(caught.value)
    assert caught.value.exit_code == 78
