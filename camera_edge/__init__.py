"""camera-edge: a camera becomes an anomaly sensor that people can trust."""

__version__ = "0.1.0"
