"""Golden tests compare line by line, and say where the first difference is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from camera_edge.errors import ModuleError, SourceError
from camera_edge.sandbox import ModuleFile, load_module
from camera_edge.worker.assembly import Sandboxing
from camera_edge.worker.plan import Supply
from camera_edge.workshop.golden import Outcome, cases, first_difference, run_case, write_case
from camera_edge.workshop.workpiece import Workshop, open_workshop

YARD = 'source = "synthetic:?seed=7&size=160x90&fps=10&seconds=1&pace=0"\n'


@pytest.fixture
def workshop(eager: Path) -> Workshop:
    workshop = open_workshop(eager.parent)
    workshop.golden.mkdir()
    return workshop


class Examiner:
    """Runs the one case of a workshop."""

    def __init__(self, workshop: Workshop, sandboxing: Sandboxing, supply: Supply) -> None:
        self.case = workshop.golden / "yard.toml"
        self._module: ModuleFile = load_module(workshop.wasm)
        self._sandboxing, self._models = sandboxing, supply.models

    def run(self) -> Outcome:
        return run_case(self.case, self._module, self._sandboxing, self._models)

    def write(self) -> Outcome:
        return write_case(self.case, self._module, self._sandboxing, self._models)


@pytest.fixture
def examiner(workshop: Workshop, sandboxing: Sandboxing, supply: Supply) -> Examiner:
    return Examiner(workshop, sandboxing, supply)


def test_lines_that_were_kept_are_found_again(examiner: Examiner) -> None:
    examiner.case.write_text(YARD)
    assert examiner.write() == Outcome("yard", 8, 0, None, written=True)
    assert examiner.run() == Outcome("yard", 8, 0, None)


def test_the_first_difference_is_named_with_its_line_and_place(examiner: Examiner) -> None:
    examiner.case.write_text(YARD)
    examiner.write()
    golden = examiner.case.with_suffix(".jsonl")
    golden.write_text(
        golden.read_text().replace(
            '"frame":4,"t_s":0.4,"observations":[{"kind":"thing","score":0.5',
            '"frame":4,"t_s":0.4,"observations":[{"kind":"thing","score":0.75',
        )
    )
    outcome = examiner.run()
    assert not outcome.passed and outcome.difference is not None
    assert (outcome.difference.line, outcome.difference.where) == (5, "observations[0].score")
    assert outcome.difference.expected is not None and "0.75" in outcome.difference.expected


@pytest.mark.parametrize(
    ("expected", "got", "line", "where"),
    [
        (['{"a":1}'], [], 1, "a line less"),
        ([], ['{"a":1}'], 1, "a line more"),
        (['{"a":1}', '{"a":[1]}'], ['{"a":1}', '{"a":[1,2]}'], 2, "a (1 expected, 2 are there)"),
        (['{"a":1,"b":2}'], ['{"b":2,"a":1}'], 1, "keys"),
        (['{"a":1}'], ['{"a":1.0}'], 1, "a"),
        (['{"a": 1}'], ['{"a":1}'], 1, "the text"),
        (["no json"], ['{"a":1}'], 1, "the text"),
    ],
)
def test_every_kind_of_difference_has_a_place(expected: list[str], got: list[str], line: int, where: str) -> None:
    found = first_difference(expected, got)
    assert found is not None
    assert (found.line, found.where) == (line, where)


def test_equal_lines_do_not_differ() -> None:
    assert first_difference(["a", "b"], ["a", "b"]) is None


def test_without_golden_tests_the_next_step_is_said(workshop: Workshop) -> None:
    with pytest.raises(ModuleError, match="no golden test") as caught:
        cases(workshop)
    assert caught.value.hint is not None and "--update" in caught.value.hint


def test_a_case_without_lines_yet_says_how_they_are_made(examiner: Examiner) -> None:
    examiner.case.write_text(YARD)
    with pytest.raises(ModuleError, match="no golden lines yet") as caught:
        examiner.run()
    assert caught.value.hint is not None and "--update" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        'observations = "seen.jsonl"\n',
        YARD + 'observations = "seen.jsonl"\n',
        YARD + "colour = 1\n",
        "=",
        YARD + "rate = 0\n",
        YARD + 'state = "nowhere"\n',
        YARD + "[zones]\ngate = [[0, 0], [1, 1]]\n",
        YARD + "[zones]\ngate = [[0, 0], [1, 1], [nan, 0]]\n",
        YARD + "[zones]\nGate = [[0, 0], [1, 1], [0, 1]]\n",
        YARD + '[zones]\n"gate\\n" = [[0, 0], [1, 1], [0, 1]]\n',
        YARD + '[params]\n"a=b" = 1\n',
        YARD + 'start = "2026-01-05T08:00"\n',
        YARD + 'time_zone = "UTC"\n',
    ],
)
def test_a_case_that_cannot_be_read_is_an_error_that_names_it(examiner: Examiner, text: str) -> None:
    examiner.case.write_text(text)
    with pytest.raises(ModuleError) as caught:
        examiner.write()
    assert caught.value.where == str(examiner.case) and caught.value.hint is not None
    assert not examiner.case.with_suffix(".jsonl").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("", "no end"),
        ("&seconds=0", "no end"),
        ("&seconds=3601", "goes on for 3601 s"),
        ('"\nframes = 4000\n#', "goes on for 4000 s"),
        ('"\nframes = 10\nrate = 0.001\n#', "goes on for 10000 s"),
    ],
)
def test_a_scene_without_end_is_refused(examiner: Examiner, more: str, words: str) -> None:
    examiner.case.write_text(f'source = "synthetic:?size=64x48&pace=0{more}"\n')
    with pytest.raises(ModuleError, match=words) as caught:
        examiner.write()
    assert caught.value.where == str(examiner.case)
    assert caught.value.hint is not None and "frames = N" in caught.value.hint


def test_a_scene_without_end_does_where_frames_are_counted(examiner: Examiner) -> None:
    examiner.case.write_text('source = "synthetic:?size=64x48&pace=0"\nframes = 2\n')
    assert examiner.write().lines == 4


@pytest.mark.parametrize("key", ["source", "state"])
@pytest.mark.parametrize(
    "wanted",
    [
        "../../secret.bin", "../golden/../../secret.bin", "{outside}", "link.bin", "linked/secret.bin", "/dev/video0",
        "rtsp://192.0.2.1/a", "http://192.0.2.1/a", "v4l2:/dev/video0", "file:{outside}", "pipe",
    ],
)  # fmt: skip
def test_what_lies_outside_of_the_modules_folder_is_never_looked_at(examiner: Examiner, key: str, wanted: str) -> None:
    folder = examiner.case.parent
    outside = folder.parent.parent / "secret.bin"
    outside.write_bytes(b"kept")
    (folder / "link.bin").symlink_to(outside)
    (folder / "linked").symlink_to(outside.parent)
    os.mkfifo(folder / "pipe")
    text = f'{key} = "{wanted.format(outside=outside)}"\n'
    examiner.case.write_text(text if key == "source" else YARD + text)
    with pytest.raises(ModuleError, match="not in the module's folder|neither a file nor a folder|cannot be read"):
        examiner.write()
    assert not examiner.case.with_suffix(".jsonl").exists()


def test_a_store_of_any_length_is_not_read(examiner: Examiner) -> None:
    with (examiner.case.parent / "huge.bin").open("wb") as file:
        file.truncate((16 << 20) + 1)
    examiner.case.write_text(YARD + 'state = "huge.bin"\n')
    with pytest.raises(ModuleError, match="cannot be read") as caught:
        examiner.write()
    assert caught.value.hint is not None and "16 MiB" in caught.value.hint


def test_a_file_elsewhere_in_the_modules_folder_is_found(examiner: Examiner, walk: Path) -> None:
    (examiner.case.parent / "clips").mkdir()
    (examiner.case.parent / "clips" / "walk.mp4").write_bytes(walk.read_bytes())
    examiner.case.write_text('source = "clips/walk.mp4"\nframes = 2\n')
    assert examiner.write().lines == 4


def test_a_clip_beside_the_case_is_found_from_anywhere(
    examiner: Examiner, walk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (examiner.case.parent / "walk.mp4").write_bytes(walk.read_bytes())
    examiner.case.write_text('source = "walk.mp4"\nframes = 2\n')
    monkeypatch.chdir(tmp_path)
    assert examiner.write().lines == 4
    assert '"source":"walk.mp4"' in examiner.case.with_suffix(".jsonl").read_text()
    examiner.case.write_text('source = "run.mp4"\n')
    with pytest.raises(SourceError):
        examiner.run()


def test_rate_frames_and_parameters_are_those_of_the_case(examiner: Examiner) -> None:
    examiner.case.write_text(YARD + 'rate = "native"\nframes = 3\n[params]\nanything = 2\n')
    examiner.write()
    frames = [line for line in examiner.case.with_suffix(".jsonl").read_text().splitlines() if '"frame"' in line[:20]]
    assert [line.split(",")[1] for line in frames] == ['"frame":0', '"frame":1', '"frame":2']
