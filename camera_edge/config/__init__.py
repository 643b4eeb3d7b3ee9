"""The configuration: one YAML file, checked whole before anything starts.

Invariant: an unknown key, a wrong type or a name that nothing defines stops the start, with file, line and hint.
"""

from camera_edge.config.load import load, parse
from camera_edge.config.model import (
    DEFAULT_STATE,
    AnalyzerConfig,
    CameraConfig,
    ClipConfig,
    Config,
    RedactConfig,
    StorageConfig,
    WebConfig,
)
from camera_edge.config.rule import HoursConfig, RuleConfig
from camera_edge.config.secrets import fill_in

__all__ = [
    "DEFAULT_STATE",
    "AnalyzerConfig",
    "CameraConfig",
    "ClipConfig",
    "Config",
    "RedactConfig",
    "HoursConfig",
    "RuleConfig",
    "StorageConfig",
    "WebConfig",
    "fill_in",
    "load",
    "parse",
]
