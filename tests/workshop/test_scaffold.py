"""A module that was just begun builds, and says what its golden tests expect, in every language."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from camera_edge.config import Config
from camera_edge.errors import BuildError, OutputError, UsageError
from camera_edge.sandbox import load_module
from camera_edge.toolchain import Language, build, install, missing
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply
from camera_edge.workshop.golden import cases, run_case
from camera_edge.workshop.scaffold import Scaffold, begin

SDK = Path(__file__).resolve().parents[2] / "wasm_analyzers" / "sdk"


def need(language: Language) -> None:
    if language is Language.ASSEMBLYSCRIPT and missing(language, SDK) is not None:
        try:
            install(language, SDK)
        except BuildError as error:
            pytest.skip(str(error))
    if (reason := missing(language, SDK)) is not None:
        pytest.skip(reason)


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("is_rule", [False, True], ids=["analyzer", "rule"])
@pytest.mark.parametrize("language", list(Language), ids=lambda language: language.value)
def test_it_builds_and_passes_its_golden_tests_at_once(
    language: Language, is_rule: bool, tmp_path: Path, sandboxing: Sandboxing, supply: Supply
) -> None:
    need(language)
    workshop = begin(Scaffold("my-own_1", language, is_rule, tmp_path), SDK)
    build(workshop.folder, workshop.wasm, SDK)
    module = load_module(workshop.wasm)
    outcomes = [run_case(path, module, sandboxing, supply.models) for path in cases(workshop)]
    assert [outcome.difference for outcome in outcomes] == [None] * len(outcomes)
    assert all(outcome.faults == 0 and outcome.lines > 20 for outcome in outcomes)


@pytest.mark.parametrize("language", list(Language), ids=lambda language: language.value)
def test_a_rule_module_is_begun_with_what_it_is_told(language: Language, tmp_path: Path) -> None:
    workshop = begin(Scaffold("mine", language, True, tmp_path), SDK)
    assert workshop.manifest.name == "mine" and workshop.manifest.is_rule
    assert tree(workshop.folder) == [
        "README.md",
        "analyzer.toml",
        "golden/monday.jsonl",
        "golden/monday.toml",
        "golden/seen.jsonl",
        "golden/sunday.jsonl",
        "golden/sunday.toml",
        f"mine{language.suffix}",
    ]
    readme = (workshop.folder / "README.md").read_text()
    assert readme.startswith("# mine\n") and f"`mine{language.suffix}`" in readme
    assert '"module":"mine"' in (workshop.golden / "monday.jsonl").read_text()


@pytest.mark.parametrize("language", Language)
def test_it_is_called_by_its_new_name_everywhere(language: Language, tmp_path: Path) -> None:
    workshop = begin(Scaffold("mine", language, False, tmp_path), SDK)
    assert workshop.manifest.name == "mine"
    assert tree(workshop.folder) == [
        "README.md",
        "analyzer.toml",
        "golden/yard.jsonl",
        "golden/yard.toml",
        f"mine{language.suffix}",
    ]
    readme = (workshop.folder / "README.md").read_text()
    assert readme.startswith("# mine\n") and f"`mine{language.suffix}`" in readme
    assert "{" not in readme
    assert '"module":"mine"' in (workshop.golden / "yard.jsonl").read_text()


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "precious.txt").write_text("kept")
    with pytest.raises(OutputError, match="there already"):
        begin(Scaffold("mine", Language.C, False, tmp_path), SDK)
    assert tree(tmp_path) == ["mine/precious.txt"]


@pytest.mark.parametrize("name", ["", "../up", "a b", "-x", "é", "a" * 65, "mine\n", "motion"])
def test_a_name_that_cannot_be_used_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        begin(Scaffold(name, Language.C, False, tmp_path), SDK)
    assert tree(tmp_path) == []


@pytest.mark.parametrize("name", ["A", "9", "My-own_1", "a" * 64])
def test_a_name_that_can_be_used_a_configuration_takes(name: str, tmp_path: Path) -> None:
    workshop = begin(Scaffold(name, Language.C, False, tmp_path), SDK)
    cameras = {"yard": {"source": "a.mp4", "analyzers": {workshop.manifest.name: {}}}}
    assert list(Config.model_validate({"version": 1, "cameras": cameras}).cameras["yard"].analyzers) == [name]


def test_where_a_language_has_no_example_of_a_rule_module_it_says_which_has(tmp_path: Path) -> None:
    sdk, parent = tmp_path / "sdk", tmp_path / "work"
    shutil.copytree(SDK / "c", sdk / "c")
    (sdk / "zig").mkdir()
    with pytest.raises(UsageError, match="no example of a rule module in zig") as caught:
        begin(Scaffold("mine", Language.ZIG, True, parent), sdk)
    assert caught.value.hint == "there is one in: c"
    assert not parent.exists()


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OutputError, match="cannot be made"):
        begin(Scaffold("mine", Language.C, False, tmp_path / "file"), SDK)
