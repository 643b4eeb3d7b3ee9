"""The main job on a synthetic camera: no hardware, no network, no configuration needed."""

from camera_edge.demo.scene import demo_config

__all__ = ["demo_config"]
