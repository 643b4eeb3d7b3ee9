"""`camera-edge analyzer` for those who write modules: what it prints, and how it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from camera_edge.cli.analyzer import app
from camera_edge.sandbox import shipped_names
from camera_edge.toolchain import Language, missing

Command = Callable[..., tuple[int, str, str]]
YARD = "synthetic:?seed=7&size=160x90&fps=10&seconds=1&pace=0"
TRAP = '(func (export "analyze") (param i32) (result i32) (unreachable))'
STORES = '(import "camera_edge" "state_put" (func (param i32 i32 i32) (result i32)))'
ANALYZE = '(func (export "analyze") (param i32) (result i32) (i32.const 0))'


def names(group: typer.Typer) -> list[tuple[str, ...]]:
    """The words of each command."""
    found: list[tuple[str, ...]] = []
    for command in group.registered_commands:
        found.append((str(command.name or getattr(command.callback, "__name__", "")),))
    for each in group.registered_groups:
        assert each.typer_instance is not None and each.name is not None
        found += [(each.name, *rest) for rest in names(each.typer_instance)]
    return found


@pytest.fixture
def analyzer(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """`camera-edge analyzer …` with a home of its own, in an empty folder."""
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(folder)
    return lambda *arguments: command("analyzer", *arguments)


def check_refused(answer: tuple[int, str, str], code: int, *words: str) -> None:
    assert (answer[0], answer[1]) == (code, "")
    assert answer[2].count("error:") == answer[2].count("next:") == 1, answer[2]
    for word in words:
        assert word in answer[2]


def test_a_module_in_c_goes_from_nothing_to_figures(analyzer: Command, tmp_path: Path) -> None:
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    code, out, said = analyzer("new", "hello", "--lang", "c", "--json")
    made = json.loads(out)
    assert (code, made["folder"], made["language"]) == (0, "hello", "c")
    assert "next: cd hello" in said
    code, out, _ = analyzer("build", "hello", "--json")
    built = json.loads(out)
    assert (code, built["path"], built["size_bytes"]) == (
        0,
        "hello/hello.wasm",
        Path("hello/hello.wasm").stat().st_size,
    )
    assert {"module": "camera_edge", "name": "emit", "needs": "pixels", "fault": None} in built["imports"]
    assert analyzer("test", "hello") == (0, "ok  yard  23 lines\n", "")
    code, out, _ = analyzer("test", "hello", "--json")
    assert (code, json.loads(out)["passed"]) == (0, True)
    bench = ("bench", "hello", "--source", YARD, "--frames", "3")
    code, out, said = analyzer(*bench, "--json")
    figures = json.loads(out)
    assert (code, figures["name"], figures["frames"]) == (0, "hello", 3)
    assert (figures["native_ns"], figures["native_reason"]) == (None, "not compared: --native")
    assert "warning" not in said
    code, out, said = analyzer(*bench, "--native")
    assert code == 0 and "the sandbox takes" in out
    assert "warning: the C in hello runs outside of the sandbox, with your rights" in said


def test_what_replay_prints_is_what_a_golden_test_holds(analyzer: Command, eager: Path) -> None:
    code, out, said = analyzer("replay", YARD, "--module", eager)
    assert (code, said, out.count("\n")) == (0, "", 8)
    golden = eager.parent / "golden"
    golden.mkdir()
    (golden / "yard.toml").write_text(f'source = "{YARD}"\n')
    (golden / "yard.jsonl").write_text(out)
    assert analyzer("test", eager.parent) == (0, "ok  yard  8 lines\n", "")
    assert analyzer("replay", YARD, "--module", eager, "--copy", "--json")[1] == out


def test_another_answer_ends_with_1_and_shows_both_lines(analyzer: Command, eager: Path) -> None:
    golden = eager.parent / "golden"
    golden.mkdir()
    (golden / "yard.toml").write_text(f'source = "{YARD}"\n')
    assert analyzer("test", eager.parent, "--update") == (0, "written  yard  8 lines\n", "")
    lines = (golden / "yard.jsonl").read_text()
    (golden / "yard.jsonl").write_text(lines.replace('"score":0.5', '"score":0.25', 1))
    code, out, _ = analyzer("test", eager.parent)
    assert code == 1
    assert "line 3: observations[0].score" in out
    assert '"score":0.25' in out.split("expected")[1] and '"score":0.5,' in out.split("got")[1]
    code, out, _ = analyzer("test", eager.parent, "--json")
    assert (code, json.loads(out)["difference"]["where"]) == (1, "observations[0].score")


def test_several_clips_come_one_after_the_other(analyzer: Command, eager: Path) -> None:
    _, one, _ = analyzer("replay", YARD, "--module", eager)
    assert analyzer("replay", YARD, YARD, "--module", eager)[1] == one + one


def test_options_reach_the_module(analyzer: Command) -> None:
    code, out, _ = analyzer(
        "replay", YARD, "--module", "motion", "--param", "mask=tight", "--param", "learn_s=1", "--rate", "native",
        "--frames", "3", "--zone", "gate=0,0,1,0,1,1",
    )  # fmt: skip
    assert code == 0
    assert [json.loads(line)["frame"] for line in out.splitlines()[2:]] == [0, 1, 2]


def test_frames_without_an_answer_are_an_error_at_the_end(analyzer: Command, module: Callable[..., Path]) -> None:
    code, out, said = analyzer("replay", YARD, "--module", module("bad", TRAP))
    assert code == 70
    assert out.count('"type":"fault"') == 6
    assert "no answer for 6 frames" in said and "next:" in said


def test_inspect_shows_a_shipped_module_and_its_grants(analyzer: Command) -> None:
    code, out, _ = analyzer("inspect", "objects")
    assert code == 0
    for words in ("objects 0.1.0 (analyzer, shipped)", "pixels, onnx:*", "camera_edge.infer", "onnx:<model>"):
        assert words in out
    Path("cameras.yaml").write_text(
        "version: 1\nstate: state\ncameras:\n"
        "  front: {source: a.mp4, analyzers: {objects: {grant: [onnx:tiny]}}}\n"
        "  back: {source: b.mp4, analyzers: {objects: {}}}\n"
    )
    _, out, _ = analyzer("inspect", "objects", "-c", "cameras.yaml")
    assert "front: pixels, onnx:tiny; back: pixels (not onnx:<model>)" in out
    code, out, _ = analyzer("inspect", "objects", "-c", "cameras.yaml", "--json")
    assert json.loads(out)["cameras"][1]["lacking"] == ["onnx:<model>"]


def test_inspect_points_out_an_import_that_nothing_asks_for(analyzer: Command, module: Callable[..., Path]) -> None:
    code, out, _ = analyzer("inspect", module("greedy", STORES + ANALYZE))
    assert code == 0
    assert "refused: its manifest does not ask for state:<bytes>" in out


def test_a_build_that_imports_what_it_does_not_ask_for_says_so(analyzer: Command) -> None:
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    Path("analyzer.toml").write_text('name = "keeper"\nversion = "1"\nabi = 1\nkinds = []\ncapabilities = ["pixels"]\n')
    Path("keeper.c").write_text(
        '#include "camera_edge.h"\nint32_t camera_edge_open(void) { return 0; }\nvoid camera_edge_close(void) {}\n'
        "int32_t camera_edge_analyze(const camera_edge_slot *slot) "
        "{ return camera_edge_state_put(0, (const uint8_t *)slot, 4); }\n"
    )
    code, out, said = analyzer("build")
    assert code == 70
    assert "refused: its manifest does not ask for state:<bytes>" in out
    assert "error:" in said and "next:" in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("new", "hello", "--lang", "cobol"), 64, "c, zig, rust, assemblyscript"),
        (("new", "motion", "--lang", "c"), 64, "shipped"),
        (("build",), 70, "camera-edge analyzer new"),
        (("test",), 70, "camera-edge analyzer new"),
        (("inspect", "nothing"), 70, ", ".join(shipped_names())),
        (("inspect", "nothing.wasm"), 70, "cannot be read"),
        (("bench", "objects"), 64, "model add"),
        (("replay", YARD), 70, "no module here"),
        (("replay", YARD, "--module", "motion", "--param", "colour=red"), 64, "no parameter 'colour'"),
        (("replay", YARD, "--module", "motion", "--param", "colour"), 64, "KEY=VALUE"),
        (("replay", YARD, "--module", "motion", "--zone", "gate=0,0,1,1"), 64, "three corners"),
        (("replay", YARD, "--module", "motion", "--zone", "gate=0,0,1,0,2,1"), 64, "three corners"),
        (("replay", YARD, "--module", "motion", "--rate", "0"), 64, "native"),
        (("replay", YARD, "--module", "motion", "--start", "2026-01-05"), 64, "no time of day"),
        (("replay", YARD, "--module", "motion", "--store", "nowhere"), 64, "cannot be read"),
        (("replay", "rtsp://me:secret@192.0.2.1/a", "--module", "motion"), 64, "credentials"),
        (("replay", YARD, "--module", "motion", "--zone", "Gate=0,0,1,0,1,1"), 64, "small letters"),
        (("replay", YARD, "--module", "motion", "--zone", "gate\n=0,0,1,0,1,1"), 64, "small letters"),
        (("replay", YARD, "--module", "motion", "--param", "a b=1"), 64, "KEY=VALUE"),
        (("bench", "motion", "--source", YARD, "--start", "2026-01-05"), 64, "no time of day"),
        (("inspect", "oci://registry.example/a/b:1"), 64, "analyzer pull oci://registry.example/a/b:1 --out FILE.tar"),
        (("bench", "oci://registry.example/a/b:1"), 64, "analyzer pull"),
        (("replay", YARD, "--module", "oci://registry.example/a/b:1"), 64, "analyzer pull"),
    ],
    ids=lambda value: " ".join(value)[-40:] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_refused_with_the_next_step(
    analyzer: Command, arguments: tuple[str, ...], code: int, words: str
) -> None:
    answer = analyzer(*arguments)
    check_refused(answer, code, words)
    assert "secret" not in answer[2]


def test_a_module_that_was_not_named_by_its_folder_is_never_compared(analyzer: Command, eager: Path) -> None:
    eager.with_suffix(".c").write_text("#error it is compiled\n")
    check_refused(analyzer("bench", eager, "--source", YARD, "--native"), 64, "no source", "name the module's folder")
    code, out, _ = analyzer("bench", eager, "--source", YARD, "--frames", "2", "--json")
    assert (code, json.loads(out)["native_reason"]) == (0, "its source is not here")


def test_what_is_revoked_is_shown_and_not_run(analyzer: Command, command: Command, eager: Path) -> None:
    golden = eager.parent / "golden"
    golden.mkdir()
    (golden / "yard.toml").write_text(f'source = "{YARD}"\n')
    assert analyzer("test", eager.parent, "--update")[0] == 0
    assert analyzer("pack", eager.parent, "--out", "eager.tar", "--json")[0] == 0
    _, out, _ = analyzer("inspect", eager, "--json")
    sha256 = json.loads(out)["sha256"]
    assert json.loads(out)["revoked"] is None
    assert analyzer("revoke", sha256)[0] == 0
    for module in (eager, eager.parent, "eager.tar"):
        check_refused(analyzer("replay", YARD, "--module", module), 70, f"sha256:{sha256} was revoked")
        check_refused(analyzer("bench", module, "--source", YARD), 70, f"sha256:{sha256} was revoked")
        code, out, _ = analyzer("inspect", module)
        assert code == 0 and f"REVOKED sha256:{sha256}" in " ".join(out.split())
    check_refused(analyzer("test", eager.parent), 70, f"sha256:{sha256} was revoked")
    check_refused(command("analyze", YARD, "--analyzer", eager, "--json"), 70, f"sha256:{sha256} was revoked")


def test_a_package_is_refused_by_its_own_digest_too(analyzer: Command, eager: Path) -> None:
    digest = json.loads(analyzer("pack", eager.parent, "--out", "eager.tar", "--json")[1])["digest"]
    assert analyzer("revoke", digest)[0] == 0
    check_refused(analyzer("replay", YARD, "--module", "eager.tar"), 70, f"{digest} was revoked")
    assert json.loads(analyzer("inspect", "eager.tar", "--json")[1])["revoked"] == digest.removeprefix("sha256:")
    assert analyzer("replay", YARD, "--module", eager)[0] == 0


def test_a_rule_module_takes_no_rate(analyzer: Command) -> None:
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    assert analyzer("new", "alone", "--lang", "c", "--rule")[0] == analyzer("build", "alone")[0] == 0
    seen = "alone/golden/seen.jsonl"
    check_refused(analyzer("replay", seen, "--module", "alone", "--rate", "5"), 64, "leave out --rate")
    check_refused(analyzer("bench", "alone", "--source", seen, "--rate", "native"), 64, "leave out --rate")
    zones = ("--zone", "platform=0,0,1,0,1,1", "--zone", "dock=0,0,1,0,1,1")
    assert analyzer("replay", seen, "--module", "alone", *zones)[0] == 0


def test_a_source_that_is_newer_is_warned_of(analyzer: Command, eager: Path) -> None:
    eager.with_suffix(".h").write_text("")
    eager.with_suffix(".c").write_text("")
    os.utime(eager.with_suffix(".c"), (1, 1))
    assert "warning: eager.h is newer than the module" in analyzer("replay", YARD, "--module", eager.parent)[2]


@pytest.mark.parametrize("options", [(), ("--update",)], ids=["test", "update"])
def test_a_module_that_is_older_than_its_sources_is_not_tested(
    analyzer: Command, eager: Path, options: tuple[str, ...]
) -> None:
    golden = eager.parent / "golden"
    golden.mkdir()
    (golden / "yard.toml").write_text(f'source = "{YARD}"\n')
    assert analyzer("test", eager.parent, "--update")[0] == 0
    before = (golden / "yard.jsonl").stat().st_mtime_ns
    eager.with_suffix(".c").write_text("")
    built = eager.stat().st_mtime_ns
    os.utime(eager.with_suffix(".c"), ns=(built + 1, built + 1))
    answer = analyzer("test", eager.parent, *options)
    check_refused(answer, 70, "eager.c is newer than the module", "analyzer build")
    assert (golden / "yard.jsonl").stat().st_mtime_ns == before


def test_frames_without_an_answer_are_kept_only_where_that_is_asked_for(
    analyzer: Command, module: Callable[..., Path]
) -> None:
    bad = module("bad", TRAP)
    golden = bad.parent / "golden"
    golden.mkdir()
    (golden / "yard.toml").write_text(f'source = "{YARD}"\n')
    check_refused(analyzer("test", bad.parent, "--update"), 70, "no answer for 6 frames", "--update --keep-faults")
    assert not (golden / "yard.jsonl").exists()
    check_refused(analyzer("test", bad.parent, "--keep-faults"), 64, "add --update")
    code, out, said = analyzer("test", bad.parent, "--update", "--keep-faults")
    assert (code, out, said) == (0, "written  yard  8 lines, 6 frames without an answer\n", "")
    assert analyzer("test", bad.parent)[0] == 0


def test_observations_without_scores_are_warned_of(analyzer: Command, module: Callable[..., Path]) -> None:
    rule = '(func (export "observe") (param i32 i32) (result i32) (i32.const 0))'
    alone = module("alone", rule, asks='"observations"')
    seen = {"source": "a.mp4", "frame": 0, "t_s": 0.0, "analyzer": "objects"}
    thing = {"kind": "person", "score": 0.5, "box": [0, 0, 1, 1], "track": -1, "attributes": {}}
    lines = [json.dumps({"type": "observation"} | seen | thing), json.dumps({"type": "score", "value": 0} | seen)]
    for kept, warned in ((lines[:1], True), (lines, False), (lines[1:], False)):
        Path("seen.jsonl").write_text("\n".join(kept) + "\n")
        code, out, said = analyzer("replay", "seen.jsonl", "--module", alone)
        assert (code, out.count('"type":"ruling"')) == (0, 1), said
        assert ("warning: seen.jsonl has observations and no scores" in said and "--scores" in said) is warned


def test_a_build_in_the_current_folder_names_it_where_it_fails(
    analyzer: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    assert analyzer("new", "hello", "--lang", "c")[0] == 0
    monkeypatch.chdir("hello")
    Path("hello.c").write_text("nonsense nonsense;\n")
    code, out, said = analyzer("build")
    assert (code, out) == (70, "")
    assert f"error: {Path.cwd()}: hello does not compile" in " ".join(said.split())


def test_a_build_that_is_refused_leaves_stdout_empty_where_json_was_asked_for(analyzer: Command) -> None:
    if (reason := missing(Language.C)) is not None:
        pytest.skip(reason)
    assert analyzer("new", "hello", "--lang", "c")[0] == 0
    toml = Path("hello/analyzer.toml")
    toml.write_text(toml.read_text().replace('"pixels"', '"observations"'))
    check_refused(analyzer("build", "hello", "--json"), 70, "hello")


@pytest.mark.parametrize("words", sorted(names(app)), ids=" ".join)
def test_each_command_says_what_its_json_is(analyzer: Command, words: tuple[str, ...]) -> None:
    lines = {"replay": "JSON Lines, as always.", "test": "JSON Lines on stdout, one for each golden test."}
    code, out, _ = analyzer(*words, "--help")
    assert code == 0
    behind = " ".join(out.replace("│", " ").partition("--json")[2].split())
    assert behind.removeprefix("<bool> ").startswith(lines.get(words[-1], "One JSON value on stdout."))


def test_a_clip_that_is_not_there_is_said_after_the_first_line(analyzer: Command, eager: Path) -> None:
    code, out, said = analyzer("replay", "nowhere.mp4", "--module", eager)
    assert (code, out.count("\n")) == (74, 1)
    assert "nowhere.mp4" in said
