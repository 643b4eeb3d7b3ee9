from __future__ import annotations

import sys
from pathlib import Path

import pytest

from camera_edge.config import Config
from camera_edge.errors import ModuleError
from camera_edge.hub.modules import ModuleFolders, make_ready, module_names

COMPILER = (sys.executable, "-I", "-m", "camera_edge.packages.ready")
SHIPPED = Path(__file__).parents[2] / "camera_edge" / "shipped" / "motion" / "motion.wasm"


@pytest.mark.skipif(not SHIPPED.exists(), reason="the analyzers are not built (scripts/setup)")
def test_every_enabled_camera_s_modules_are_named_once_and_what_hides_motion_always() -> None:
    config = Config.model_validate(
        {
            "version": 1,
            "cameras": {
                "front": {"source": "a.mp4", "analyzers": {"objects": {}}},
                "back": {"source": "b.mp4", "analyzers": {"objects": {}, "lines": {}}},
                "off": {"source": "c.mp4", "analyzers": {"heavy": {}}, "enabled": False},
            },
        }
    )
    assert module_names(config) == ["lines", "motion", "objects"]


async def test_shipped_modules_end_up_in_the_cache(tmp_path: Path) -> None:
    await make_ready(COMPILER, ModuleFolders.of(tmp_path), ["motion"], tmp_path)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".cwasm"]


async def test_a_module_that_nobody_ships_is_told_in_the_compiler_s_words(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="nothing-of-ours"):
        await make_ready(COMPILER, ModuleFolders.of(tmp_path), ["nothing-of-ours"], tmp_path)


async def test_a_compiler_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="cannot be started"):
        await make_ready((str(tmp_path / "absent"),), ModuleFolders.of(tmp_path), ["motion"], tmp_path)
