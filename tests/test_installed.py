from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from camera_edge.installed import installed_version


@pytest.mark.parametrize("name", ["camera-edge", "wasmtime", "opencv-python-headless", "av", "onnxruntime"])
def test_it_is_what_the_package_index_of_this_environment_says(name: str) -> None:
    assert installed_version(name) == version(name)


def test_what_is_not_installed_is_unknown() -> None:
    assert installed_version("nothing-of-this-name") == "unknown"


def test_a_worker_does_without_the_slow_way() -> None:
    program = """
import sys
import camera_edge.worker.assembly, camera_edge.worker.live, camera_edge.worker.plan
from camera_edge.worker.provenance import provenance
heavy = ("importlib.metadata", "zoneinfo", "pydantic", "cryptography", "onnxruntime", "email")
print([name for name in heavy if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
