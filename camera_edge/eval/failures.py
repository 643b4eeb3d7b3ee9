"""What a suite's analyzer got wrong, drawn without footage: the worst frames of each recording, by the name of a file.

Invariant: which frames are shown follows from the figures alone. Who draws a frame again asks the same pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from camera_edge.eval import change, normality
from camera_edge.eval.change import ChangeFigures
from camera_edge.eval.charts import doubtful_frames, file_name
from camera_edge.eval.detection import overlaps
from camera_edge.eval.foreground import Areas, Confusion
from camera_edge.eval.normality import CHANNELS, NormalityFigures
from camera_edge.eval.people import PeopleFigures, PeopleResult
from camera_edge.eval.picturefile import size
from camera_edge.eval.replay import Site
from camera_edge.eval.sketch import FALSE, MISSED, RIGHT, TRUTH, UNJUDGED, Area, Cell, Grid, Ink, Outline, Sketch, svg
from camera_edge.eval.sketch import svg_of_grid as grid_svg
from camera_edge.eval.tamper import TamperFigures, Trial, Untouched
from camera_edge.eval.tampering import Kind
from camera_edge.eval.tracking import pair_up
from camera_edge.observation import Observation
from camera_edge.sandbox import shipped

Pictures = dict[str, str]

ON_IT = Ink("what scores highest, on it", RIGHT.colour)
ELSEWHERE = Ink("what scores highest, elsewhere", FALSE.colour, FALSE.dash)


def of_change(figures: ChangeFigures, site: Site) -> Pictures:
    """Of each recording the frame with the most wrong pixels, and the one of median F. Raises what a replay does."""
    pictures = {}
    for each in figures.recordings:
        chosen = telling_frames(each.answers)
        seen = change.look_again(each.recording, set(chosen.values()), site)
        for name, frame in chosen.items():
            title = f"{each.name}, frame {frame}: {name}, F {each.answers[frame].f:.3f}"
            pictures[file_name(name, each.name)] = svg(_of_areas(title, seen[frame]))
    return pictures


def telling_frames(answers: Mapping[int, Confusion]) -> dict[str, int]:
    """The frame with the most wrong pixels, and that of median F of those with something to find."""
    moving = {frame: each.f for frame, each in answers.items() if each.hits + each.missed}
    chosen = {}
    if answers:
        chosen["worst"] = max(answers, key=lambda frame: (answers[frame].false + answers[frame].missed, -frame))
    if moving:
        chosen["median"] = sorted(moving, key=lambda frame: (moving[frame], frame))[len(moving) // 2]
    return chosen


def _of_areas(title: str, seen: Areas) -> Sketch:
    height, width = seen.hits.shape
    inks = {UNJUDGED: seen.ignored, RIGHT: seen.hits, FALSE: seen.false, MISSED: seen.missed}
    return Sketch(title, width, height, [Area(ink, pixels) for ink, pixels in inks.items()])


def of_people(figures: PeopleFigures) -> Pictures:
    """Of each recording the frame with the most mistakes. Raises UndecodableError, SourceError."""
    return {
        file_name("worst", each.name): svg(_worst_of_people(each, size(each.recording.source, each.recording.images)))
        for each in figures.recordings
    }


def _worst_of_people(result: PeopleResult, pixels: tuple[int, int]) -> Sketch:
    """`pixels`: width and height of the frame."""
    tracks = result.tracks
    frames = pair_up(tracks.truth, tracks.found)
    # new numbers decide between equals only: who had none in the first frame has a new one in the second
    wrong = [
        (len(true.boxes) + len(seen.boxes) - 2 * len(frame.pairs), len(frame.switched))
        for true, seen, frame in zip(tracks.truth, tracks.found, frames, strict=True)
    ]
    worst = wrong.index(max(wrong))
    true, seen, frame = tracks.truth[worst], tracks.found[worst], frames[worst]
    found = {column: row for row, column in frame.pairs}
    outlines = [
        Outline(TRUTH if row in found.values() else MISSED, sides) for row, sides in enumerate(true.boxes.tolist())
    ]
    outlines += [
        Outline(
            RIGHT if column in found else FALSE, sides, "another number" if found.get(column) in frame.switched else ""
        )
        for column, sides in enumerate(seen.boxes.tolist())
    ]
    missed, false = len(true.boxes) - len(frame.pairs), len(seen.boxes) - len(frame.pairs)
    note = (
        f"{len(true.boxes)} persons: {missed} missed, {false} boxes too much, {len(frame.switched)} with a new number"
    )
    return Sketch(f"{result.name}, frame {worst}: most mistakes", *pixels, outlines=outlines, notes=[note])


def of_normality(figures: NormalityFigures, site: Site) -> Pictures:
    """Of each clip the usual frame of the highest score and the unusual one of the lowest: where, and why.

    Raises what a replay raises.
    """
    pictures = {}
    for clip, scores in zip(figures.camera.clips, figures.whole.clips, strict=True):
        chosen = doubtful_frames(scores)
        seen = normality.look_again(clip, figures.state, set(chosen.values()), site)
        pixels = size(clip.source)
        for name, frame in chosen.items():
            title = f"{clip.name}, frame {frame}: {name}, score {scores.causal[frame]:.2f}"
            pictures[file_name(name, clip.name)] = svg(
                _of_unusual(title, clip.boxes.get(frame, ()), seen[frame], pixels)
            )
    return pictures


def _of_unusual(
    title: str, truth: Sequence[tuple[float, ...]], said: Sequence[Observation], pixels: tuple[int, int]
) -> Sketch:
    """`truth` in pixels."""
    width, height = pixels
    true = [(x / width, y / height, w / width, h / height) for x, y, w, h in truth]
    table = overlaps(np.array(true), np.array([each.box.sides for each in said])) > 0
    outlines = [Outline(TRUTH if table[row].any() else MISSED, sides) for row, sides in enumerate(true)]
    notes = []
    for column, each in enumerate(said):
        why = str(each.attributes.get("why", ""))
        outlines.append(Outline(ON_IT if table[:, column].any() else ELSEWHERE, each.box.sides, why))
        levels = [f"{name} {each.attributes[name]:.2f}" for name in CHANNELS if name in each.attributes]
        notes.append(f"{why}: {', '.join(levels)}")
    notes = [*(notes or ["nothing scores"]), f"reported from {_alarm():g} on"]
    return Sketch(title, width, height, outlines=outlines, notes=notes)


def _alarm() -> float:
    """The score from which on the analyzer reports something by default."""
    return float(shipped(normality.ANALYZER).manifest.with_defaults({})["alarm"])


def of_tamper(figures: TamperFigures) -> Pictures:
    """A table: each kind on each clip, and the clip untouched."""
    rows = [
        (
            each.clip,
            [
                *(_of_trials([t for t in figures.trials if (t.clip, t.kind) == (each.clip, kind)]) for kind in Kind),
                _of_untouched(each),
            ],
        )
        for each in figures.untouched
    ]
    notes = ["Seconds until it was told. Grey: told, by another name. Black: missed. Orange: false alarms."]
    return {"tamper-by-clip": grid_svg(Grid("Tampering by kind and clip", [*map(str, Kind), "untouched"], rows, notes))}


def _of_trials(trials: Sequence[Trial]) -> Cell:
    """The worst of them is shown."""
    early = sum(each.early for each in trials)
    if early:
        return Cell(f"{early} too early", FALSE)
    missed = sum(each.delay_s is None for each in trials)
    if missed or not trials:
        return Cell("missed" if len(trials) == 1 else f"{missed} of {len(trials)} missed", MISSED)
    latest = max(trials, key=lambda each: (each.what != each.kind, each.delay_s or 0.0))
    if latest.what != latest.kind:
        return Cell(f"{latest.delay_s:.1f} {latest.what}", UNJUDGED)
    return Cell(f"{latest.delay_s:.1f}")


def _of_untouched(clip: Untouched) -> Cell:
    return Cell(f"{len(clip.false)} false", FALSE) if clip.false else Cell("quiet")
