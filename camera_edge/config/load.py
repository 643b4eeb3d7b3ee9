"""Reads a configuration file and says of every fault where it stands and what to write instead.

Invariant: a message names keys and lines, never a value that was filled in from the environment.
"""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from camera_edge.config.model import (
    AnalyzerConfig,
    CameraConfig,
    ClipConfig,
    Config,
    Defaults,
    RedactConfig,
    StorageConfig,
    WebConfig,
)
from camera_edge.config.rule import HoursConfig, RuleConfig
from camera_edge.config.secrets import fill_in
from camera_edge.errors import ConfigError

_KNOWN_KEYS = sorted(
    {
        info.alias or field_name
        for model in (
            Config,
            Defaults,
            CameraConfig,
            ClipConfig,
            RedactConfig,
            RuleConfig,
            HoursConfig,
            AnalyzerConfig,
            StorageConfig,
            WebConfig,
        )
        for field_name, info in model.model_fields.items()
    }
)


def load(path: Path, *, environment: Mapping[str, str] | None = None) -> Config:
    """Reads and checks `path`. Raises ConfigError; an unknown key is one."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            "no such file", where=str(path), hint="give the path of a camera-edge YAML file with -c"
        ) from None
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"cannot be read: {exc}", where=str(path), hint="give a readable UTF-8 text file") from exc
    return parse(text, name=str(path), environment=environment)


def parse(text: str, *, name: str, environment: Mapping[str, str] | None = None) -> Config:
    """Checks the text of a configuration; `name` stands for the file in messages."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        problem = exc.problem or "not YAML"
        raise ConfigError(problem, where=f"{name}:{line}", hint="mend the YAML syntax") from exc
    except yaml.YAMLError as exc:
        raise ConfigError("not YAML", where=name, hint="give a YAML text file") from exc
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError("it holds no settings", where=f"{name}:1", hint="start with `version: 1` and `cameras:`")
    _refuse_duplicates(root, name)
    data = _plain(root, name, environment)
    try:
        return Config.model_validate(data)
    except ValidationError as exc:
        raise _explain(exc, root, name) from None


def _plain(node: yaml.Node, name: str, environment: Mapping[str, str] | None) -> Any:
    """The node as plain values, `${NAME}` filled in."""
    if isinstance(node, yaml.MappingNode):
        return {_key(key): _plain(value, name, environment) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, name, environment) for item in node.value]
    if node.tag == "tag:yaml.org,2002:str":
        return fill_in(node.value, where=f"{name}:{_line(node)}", environment=environment)
    return yaml.SafeLoader("").construct_object(node)


def _key(node: yaml.Node) -> Hashable:
    return str(node.value)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _refuse_duplicates(node: yaml.Node, name: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[Hashable] = set()
        for key, value in node.value:
            if _key(key) in seen:
                raise ConfigError(f"{key.value!r} stands here twice", where=f"{name}:{_line(key)}", hint="keep one")
            seen.add(_key(key))
            _refuse_duplicates(value, name)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_duplicates(item, name)


def _explain(exc: ValidationError, root: yaml.Node, name: str) -> ConfigError:
    """The first fault as one error. pydantic's own text would print the input, secrets included."""
    errors = exc.errors(include_input=False, include_url=False)
    # a fault in `defaults` shows again in every camera, and a misspelt key also as a missing one
    first = min(errors, key=lambda error: (error["loc"][:1] != ("defaults",), error["type"] != "extra_forbidden"))
    path = _written(root, first["loc"])
    line = _line_of(root, path)
    shown = ".".join(str(part) for part in path) or "the file"
    others = {_fault(_written(root, error["loc"])) for error in errors} - {_fault(path)}
    more = f" (and {len(others)} more)" if others else ""
    message, hint = _words(first)
    return ConfigError(f"{shown}: {message}{more}", where=f"{name}:{line}", hint=hint)


def _fault(path: list[int | str]) -> tuple[int | str, ...]:
    """What is wrong, wherever it shows: a fault in `defaults` is found again in each camera."""
    skip = {"defaults": 1, "cameras": 2}.get(str(path[0]), 0) if path else 0
    return tuple(path[skip:])


def _written(root: yaml.Node, loc: tuple[int | str, ...]) -> list[int | str]:
    """The parts of a location that the user wrote or left out; pydantic adds the names of union branches."""
    path: list[int | str] = []
    node: yaml.Node | None = root
    for part in loc:
        child = _child(node, part)
        if child is not None or part in _KNOWN_KEYS:
            path.append(part)
            node = child
    return path


def _words(error: ErrorDetails) -> tuple[str, str]:
    kind = error["type"]
    if kind == "extra_forbidden":
        unknown = str(error["loc"][-1])
        close = difflib.get_close_matches(unknown, _KNOWN_KEYS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`camera-edge check --schema` lists the keys"
        return "unknown key", hint
    if kind == "missing" and isinstance(error["loc"][-1], int):
        return f"it ends after {error['loc'][-1]}", "`camera-edge check --schema` says how many belong there"
    if kind == "missing":
        return "missing", f"add `{error['loc'][-1]}:`"
    if kind == "value_error":
        hint = "mend it; `camera-edge check --schema` says what each key means"
        return error["msg"].removeprefix("Value error, "), hint
    return error["msg"][0].lower() + error["msg"][1:], "`camera-edge check --schema` shows what is allowed"


def _child(node: yaml.Node | None, part: int | str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if _key(key) == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item
    return None


def _line_of(root: yaml.Node, path: list[int | str]) -> int:
    """The line of the last part of `path` that stands in the file."""
    node, line = root, _line(root)
    for part in path:
        if isinstance(node, yaml.MappingNode):
            key = next((key for key, _ in node.value if _key(key) == part), None)
            if key is not None:
                line = _line(key)
        child = _child(node, part)
        if child is None:
            break
        if not isinstance(node, yaml.MappingNode):
            line = _line(child)
        node = child
    return line
