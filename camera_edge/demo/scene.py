"""The configuration that the demo runs: what a user would write for a yard with a gate."""

from __future__ import annotations

from pathlib import Path

from camera_edge.config import Config

SOURCE = "synthetic:?seed=7&size=960x540&fps=15"
# short rolls, so that a demo of half a minute shows whole clips
BEFORE_S, AFTER_S, LONGEST_S = 3.0, 2.0, 20.0


def demo_config(state: Path, port: int) -> Config:
    """One camera, `yard`, with a zone at its gate; `port` 0 lets the system choose."""
    return Config.model_validate(
        {
            "version": 1,
            "state": str(state),
            "web": {"listen": f"127.0.0.1:{port}"},
            "storage": {"headroom": 0},
            "defaults": {"clip": {"before_s": BEFORE_S, "after_s": AFTER_S, "longest_s": LONGEST_S}},
            "cameras": {
                "yard": {
                    "friendly_name": "Yard (synthetic)",
                    "source": SOURCE,
                    "zones": {"gate": [[0.55, 0.5], [0.9, 0.5], [0.9, 1.0], [0.55, 1.0]]},
                    "analyzers": {"motion": {}},
                    "rules": {
                        "someone_at_the_gate": {"kinds": ["motion"], "zones": ["gate"], "hold_s": 0.4, "quiet_s": 2.0},
                        "bag_left": {"event": "object_left"},
                    },
                }
            },
        }
    )
