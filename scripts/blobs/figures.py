"""The figures that scenes are made of: people on foot and on wheels, vehicles, animals, things.

Invariant: a figure is drawn from `rng` alone, faces x and stands on z = 0 about the origin.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scripts.blobs.people import Pose, clothes, person, walking
from scripts.blobs.solids import Solid, box, disc, hull, limb, moved, ring

Draw = Callable[[np.random.Generator], list[Solid]]


def _tone(rng: np.random.Generator) -> float:
    return float(rng.uniform(10, 240))


def _height(rng: np.random.Generator) -> float:
    return float(np.clip(rng.normal(0.97, 0.06), 0.6, 1.12))


def walker(rng: np.random.Generator) -> list[Solid]:
    stride = float(rng.choice([0.0, rng.uniform(0.2, 0.55)], p=[0.15, 0.85]))
    pose = walking(float(rng.uniform(0, 2 * math.pi)), stride)
    return moved(person(pose, clothes(rng)), 0.0, 0.0, 0.0, size=_height(rng))


def runner(rng: np.random.Generator) -> list[Solid]:
    pose = walking(float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.75, 1.0)))
    return moved(person(pose, clothes(rng)), 0.0, 0.0, 0.0, size=_height(rng))


def walker_with_load(rng: np.random.Generator) -> list[Solid]:
    solids, tone = walker(rng), _tone(rng)
    load = rng.integers(4)
    if load == 0:
        deep, wide = rng.uniform(0.15, 0.3), rng.uniform(0.13, 0.2)
        return solids + box((-0.1 - deep, -wide, 0.9), (-0.1, wide, 1.4), tone)
    aside = 0.3 * float(rng.choice([-1, 1]))
    if load == 1:
        return solids + box((-0.2, aside - 0.07, 0.35), (0.2, aside + 0.07, 0.7), tone)
    if load == 2:
        return solids + box((0.12, -0.22, 0.95), (0.45, 0.22, 1.25), tone)
    return solids + box((-0.7, aside - 0.1, 0.05), (-0.4, aside + 0.1, 0.65), tone)


def walker_with_umbrella(rng: np.random.Generator) -> list[Solid]:
    turns = np.linspace(0, 2 * math.pi, 9, endpoint=False)
    radius, z = float(rng.uniform(0.4, 0.6)), float(rng.uniform(1.75, 1.95))
    rim = np.stack([np.cos(turns) * radius, np.sin(turns) * radius, np.full(9, z)], axis=1)
    top = np.concatenate([rim, [[0.0, 0.0, z + 0.25]]])
    return [*walker(rng), hull(top, _tone(rng)), limb((0.15, 0.1, 1.1), (0.05, 0.0, z + 0.2), 0.015, 40.0)]


def _any_walker(rng: np.random.Generator) -> list[Solid]:
    draw: Draw = (walker, walker, walker_with_load, runner)[rng.integers(4)]
    return draw(rng)


def _party(rng: np.random.Generator, places: list[tuple[float, float]]) -> list[Solid]:
    turn = float(rng.uniform(-math.pi, math.pi))
    solids: list[Solid] = []
    for x, y in places:
        own = turn if rng.random() < 0.7 else float(rng.uniform(-math.pi, math.pi))
        solids += moved(_any_walker(rng), own, x, y)
    return solids


def pair(rng: np.random.Generator) -> list[Solid]:
    angle, apart = float(rng.uniform(0, math.pi)), float(rng.uniform(0.22, 0.42))
    x, y = math.cos(angle) * apart, math.sin(angle) * apart * 1.5
    return _party(rng, [(x, y), (-x, -y)])


def crowd(rng: np.random.Generator) -> list[Solid]:
    count = int(rng.integers(3, 7))
    places = rng.uniform(-0.9, 0.9, (count, 2)) * (1.0, 2.2)
    return _party(rng, [(float(x), float(y)) for x, y in places])


def _bicycle(rng: np.random.Generator) -> list[Solid]:
    tone, wheel, tyre = _tone(rng), float(rng.uniform(0.29, 0.35)), _tone(rng) * 0.6
    back, front = (-0.5, 0.0, wheel), (0.52, 0.0, wheel)
    crank, seat, head = (-0.05, 0.0, 0.28), (-0.2, 0.0, 0.82), (0.35, 0.0, 0.85)
    tubes = [(crank, seat), (seat, head), (head, crank), (back, crank), (back, seat), (head, front)]
    solids = [ring(back, wheel, 0.025, tyre), ring(front, wheel, 0.025, tyre)]
    solids += [limb(start, end, 0.02, tone) for start, end in tubes]
    solids.append(limb((0.38, -0.28, 0.98), (0.38, 0.28, 0.98), 0.018, tone))
    solids.append(limb((0.38, 0.0, 0.98), head, 0.02, tone))
    if rng.random() < 0.25:
        solids += box((0.4, -0.18, 0.75), (0.7, 0.18, 1.0), _tone(rng))
    return solids


def cyclist(rng: np.random.Generator) -> list[Solid]:
    phase, lean = float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.15, 0.9))
    hips = [0.95 + 0.4 * math.sin(phase + side) for side in (0.0, math.pi)]
    knees = [1.05 + 0.45 * math.sin(phase + side + 0.5) for side in (0.0, math.pi)]
    reach = 1.15 - 0.5 * lean
    pose = Pose(0.98, lean, (hips[0], hips[1]), (knees[0], knees[1]), (reach, reach), (0.2, 0.2), arms_out=0.2)
    rider = moved(person(pose, clothes(rng)), 0.0, -0.22, 0.0)
    if rng.random() < 0.3:
        rider += moved(box((-0.35, -0.16, 1.0), (-0.12, 0.16, 1.4), _tone(rng)), 0.0, -0.1, 0.0)
    return rider + _bicycle(rng)


def motorcyclist(rng: np.random.Generator) -> list[Solid]:
    pose = Pose(0.82, 0.25, (1.2, 1.2), (1.2, 1.2), (0.9, 0.9), (0.4, 0.4), spread=0.25, arms_out=0.3)
    tone = _tone(rng)
    solids = moved(person(pose, clothes(rng)), 0.0, -0.15, 0.0)
    solids += [disc((-0.6, 0.0, 0.3), 0.28, 30.0), disc((0.65, 0.0, 0.3), 0.28, 30.0)]
    solids.append(limb((-0.7, 0.0, 0.72), (0.1, 0.0, 0.62), 0.13, tone))
    solids.append(limb((0.1, 0.0, 0.5), (-0.4, 0.0, 0.4), 0.17, tone))
    solids.append(limb((0.35, 0.0, 0.95), (0.65, 0.0, 0.3), 0.07, tone))
    solids.append(limb((0.3, -0.35, 1.0), (0.3, 0.35, 1.0), 0.03, 40.0))
    if rng.random() < 0.5:
        solids.append(hull(np.array([(0.45, y, z) for y in (-0.2, 0.2) for z in (0.45, 1.1)]), tone))
    return solids


def skateboarder(rng: np.random.Generator) -> list[Solid]:
    crouch, apart = float(rng.uniform(0.1, 0.7)), float(rng.uniform(0.2, 0.4))
    arms = float(rng.uniform(0.2, 1.1))
    side = float(rng.choice([-1, 1])) * float(rng.uniform(1.0, 1.6))
    if rng.random() < 0.3:
        back = float(rng.uniform(0.4, 0.9))
        pose = Pose(0.86 - 0.1 * crouch, 0.3, (0.35, -back), (0.5, 0.15), (-0.4, 0.5), (0.3, 0.3), arms_out=arms)
        stance = person(pose, clothes(rng))
    else:
        swing = (0.3 * crouch, 0.3 * crouch)
        pose = Pose(
            0.84 - 0.25 * crouch, 0.1 + 0.4 * crouch, (swing[0] + crouch * 0.4, swing[1] + crouch * 0.4),
            (crouch * 1.3, crouch * 1.3), (0.1, -0.1), (0.3, 0.3), spread=apart, arms_out=arms,
        )  # fmt: skip
        stance = moved(person(pose, clothes(rng)), side, 0.0, 0.0)
    lifted = [Solid(s.points + np.array([0.0, 0.0, 0.1]), s.radii, s.tone) for s in stance]
    board = box((-0.42, -0.1, 0.07), (0.42, 0.1, 0.1), _tone(rng))
    return moved(lifted + board, 0.0, 0.0, 0.0, size=_height(rng))


def roller_skater(rng: np.random.Generator) -> list[Solid]:
    phase = float(rng.uniform(0, 2 * math.pi))
    push = float(rng.uniform(0.3, 0.8))
    pose = Pose(
        0.8, 0.35, (0.4 * math.sin(phase) + 0.3, 0.3 - push * abs(math.sin(phase))), (0.6, 0.3),
        (0.7 * math.sin(phase), -0.7 * math.sin(phase)), (0.5, 0.5), spread=push * 0.5, arms_out=0.4,
    )  # fmt: skip
    return moved(person(pose, clothes(rng)), 0.0, 0.0, 0.0, size=_height(rng))


def scooter(rng: np.random.Generator) -> list[Solid]:
    tone = _tone(rng)
    if rng.random() < 0.3:
        pose = Pose(0.86, 0.15, (0.1, -float(rng.uniform(0.3, 0.8))), (0.25, 0.2), (0.8, 0.8), (0.3, 0.3))
    else:
        bend = float(rng.uniform(0.05, 0.3))
        pose = Pose(0.86, 0.05, (0.2 + bend, -0.2 + bend), (2 * bend, 2 * bend), (0.75, 0.75), (0.45, 0.45))
    lifted = [Solid(s.points + np.array([-0.1, 0.0, 0.12]), s.radii, s.tone) for s in person(pose, clothes(rng))]
    deck = box((-0.45, -0.08, 0.08), (0.4, 0.08, 0.14), tone)
    bar = limb((0.36, -0.22, 1.05), (0.36, 0.22, 1.05), 0.02, tone)
    stem = [limb((0.45, 0.0, 0.1), (0.36, 0.0, 1.05), 0.03, tone), bar]
    wheels = [disc((0.47, 0.0, 0.1), 0.08, 30.0), disc((-0.47, 0.0, 0.1), 0.08, 30.0)]
    return moved(lifted + deck + stem + wheels, 0.0, 0.0, 0.0, size=_height(rng))


def _wheels(length: float, width: float, radius: float) -> list[Solid]:
    places = [(x, y) for x in (-length * 0.3, length * 0.31) for y in (-width / 2, width / 2)]
    return [disc((x, y, radius), radius, 25.0) for x, y in places]


def car(rng: np.random.Generator) -> list[Solid]:
    length, width = float(rng.uniform(3.5, 4.9)), float(rng.uniform(1.65, 1.9))
    tone, waist, roof = _tone(rng), float(rng.uniform(0.8, 0.95)), float(rng.uniform(1.35, 1.7))
    half = length / 2
    solids = box((-half, -width / 2, 0.22), (half, width / 2, waist), tone, slope=0.08)
    start, end = -half * float(rng.uniform(0.6, 0.95)), half * 0.4
    glass = float(np.clip(rng.normal(50, 20), 10, 140))
    solids += box((start, -width * 0.44, waist), (end, width * 0.44, roof - 0.06), glass, slope=0.35)
    solids += box((start + 0.35, -width * 0.42, roof - 0.06), (end - 0.35, width * 0.42, roof), tone)
    return solids + _wheels(length, width, 0.32)


def van(rng: np.random.Generator) -> list[Solid]:
    length, width = float(rng.uniform(4.6, 11.0)), float(rng.uniform(1.9, 2.5))
    tone, roof = _tone(rng), float(rng.uniform(2.0, 3.3))
    half = length / 2
    solids = box((-half, -width / 2, 0.3), (half, width / 2, roof), tone, slope=0.1)
    glass = np.array([(half, y, z) for y in (-width * 0.45, width * 0.45) for z in (roof * 0.5, roof * 0.85)])
    solids.append(hull(glass, 50.0))
    if rng.random() < 0.5:
        sides = [(x, z) for x in (-half * 0.8, half * 0.8) for z in (roof * 0.5, roof * 0.8)]
        solids += [hull(np.array([(x, y, z) for x, z in sides]), 60.0) for y in (-width / 2, width / 2)]
    return solids + _wheels(length, width, 0.4)


def _sitting(rng: np.random.Generator, seat_z: float) -> list[Solid]:
    pose = Pose(seat_z + 0.08, -0.08, (1.45, 1.45), (1.4, 1.4), (0.6, 0.6), (0.7, 0.7))
    return person(pose, clothes(rng))


def golf_cart(rng: np.random.Generator) -> list[Solid]:
    tone, roof = _tone(rng), float(rng.uniform(1.75, 1.95))
    solids = box((-1.15, -0.6, 0.25), (1.15, 0.6, 0.45), tone) + box((0.75, -0.55, 0.45), (1.2, 0.55, 0.95), tone)
    solids += box((-1.15, -0.55, 0.45), (-0.1, 0.55, 0.8), tone)
    solids += box((-1.0, -0.6, roof), (0.8, 0.6, roof + 0.08), _tone(rng))
    corners = [(x, y) for x in (-0.95, 0.75) for y in (-0.55, 0.55)]
    solids += [limb((x, y, 0.45), (x, y, roof), 0.03, tone) for x, y in corners]
    for y in (-0.28, 0.28):
        if y > 0 or rng.random() < 0.5:
            solids += moved(_sitting(rng, 0.8), 0.0, -0.25, y)
    return solids + _wheels(2.3, 1.15, 0.23)


def wheelchair(rng: np.random.Generator) -> list[Solid]:
    tone, wheel = _tone(rng), float(rng.uniform(0.28, 0.32))
    solids = _sitting(rng, 0.5)
    for y in (-0.3, 0.3):
        solids += [ring((-0.05, y, wheel), wheel, 0.03, tone * 0.5), disc((0.42, y * 0.8, 0.09), 0.08, 30.0)]
    solids += box((-0.25, -0.24, 0.4), (0.25, 0.24, 0.5), tone) + box((-0.28, -0.24, 0.45), (-0.22, 0.24, 0.95), tone)
    return solids + (moved(_pusher(rng), 0.0, -0.75, 0.0) if rng.random() < 0.35 else [])


def _pusher(rng: np.random.Generator) -> list[Solid]:
    walk = walking(float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.2, 0.5)))
    pose = Pose(walk.hip_z, 0.15, walk.hips, walk.knees, (0.6, 0.6), (0.5, 0.5))
    return person(pose, clothes(rng))


def trolley(rng: np.random.Generator) -> list[Solid]:
    tone, long, high = _tone(rng), float(rng.uniform(0.6, 1.4)), float(rng.uniform(0.6, 1.3))
    solids = box((0.0, -0.3, 0.15), (long, 0.3, high * 0.3), tone)
    solids += box((0.0, -0.3, high * 0.3), (long, 0.3, high), tone)
    solids += [limb((0.0, y, high * 0.8), (-0.2, y, 1.0), 0.02, tone) for y in (-0.25, 0.25)]
    solids += [disc((x, y, 0.09), 0.09, 30.0) for x in (0.1, long - 0.1) for y in (-0.25, 0.25)]
    return moved(solids, 0.0, -0.1, 0.0) + moved(_pusher(rng), 0.0, -0.6, 0.0)


def pram(rng: np.random.Generator) -> list[Solid]:
    tone = _tone(rng)
    hood = limb((0.6, 0.0, 0.85), (0.75, 0.0, 0.7), 0.2, _tone(rng))
    solids = [limb((0.15, 0.0, 0.65), (0.7, 0.0, 0.6), 0.22, tone), hood]
    for y in (-0.22, 0.22):
        solids += [limb((-0.2, y, 1.0), (0.7, y, 0.25), 0.02, 40.0), disc((0.1, y, 0.15), 0.13, 30.0)]
        solids += [disc((0.7, y, 0.12), 0.1, 30.0), limb((0.1, y, 0.15), (0.5, y, 0.6), 0.02, 40.0)]
    return solids + moved(_pusher(rng), 0.0, -0.6, 0.0)


def pushed_bicycle(rng: np.random.Generator) -> list[Solid]:
    aside = 0.42 * float(rng.choice([-1, 1]))
    return moved(_bicycle(rng), 0.0, 0.0, aside) + moved(_pusher(rng), 0.0, 0.0, 0.0)


def dog(rng: np.random.Generator) -> list[Solid]:
    tone, phase = _tone(rng), float(rng.uniform(0, 2 * math.pi))
    solids = [limb((-0.3, 0.0, 0.45), (0.3, 0.0, 0.47), 0.11, tone, end_radius=0.13)]
    solids.append(limb((0.35, 0.0, 0.5), (0.5, 0.0, 0.65), 0.07, tone))
    solids.append(limb((0.52, 0.0, 0.68), (0.66, 0.0, 0.64), 0.07, tone))
    solids.append(limb((-0.35, 0.0, 0.5), (-0.6, 0.0, 0.5 + 0.2 * math.sin(phase)), 0.03, tone))
    for turn, (x, y) in enumerate([(-0.28, 0.08), (-0.28, -0.08), (0.28, -0.08), (0.28, 0.08)]):
        swing = 0.18 * math.sin(phase + turn * math.pi)
        solids.append(limb((x, y, 0.42), (x + swing, y, 0.04), 0.05, tone, end_radius=0.03))
    # a dog, or now and then a deer or a horse
    size = rng.choice([rng.uniform(0.4, 1.2), rng.uniform(1.8, 2.8)], p=[0.8, 0.2])
    return moved(solids, 0.0, 0.0, 0.0, size=float(size))


def bird(rng: np.random.Generator) -> list[Solid]:
    tone, lift = _tone(rng), float(rng.choice([0.0, rng.uniform(0.0, 1.5)]))
    solids = [limb((-0.12, 0.0, 0.15 + lift), (0.1, 0.0, 0.2 + lift), 0.06, tone)]
    solids.append(limb((0.15, 0.0, 0.3 + lift), (0.16, 0.0, 0.3 + lift), 0.04, tone))
    if lift > 0:
        flap = float(rng.uniform(-0.2, 0.3))
        wings = [[(0.1, 0.0, 0.2), (-0.1, 0.0, 0.2), (-0.05, s * 0.4, 0.2 + flap)] for s in (1, -1)]
        solids += [hull(np.array(wing) + np.array([0.0, 0.0, lift]), tone * 1.1) for wing in wings]
    return moved(solids, 0.0, 0.0, 0.0, size=float(rng.uniform(0.8, 1.8)))


def parcel(rng: np.random.Generator) -> list[Solid]:
    x, y, z = (float(side) for side in rng.uniform(0.15, 0.45, 3))
    if rng.random() < 0.3:
        return [limb((0.0, 0.0, x), (0.0, 0.0, x), x * 0.7, _tone(rng))]
    return box((-x, -y, 0.0), (x, y, 2 * z), _tone(rng))


DRAW: dict[str, Draw] = {
    draw.__name__: draw
    for draw in (
        walker,
        walker_with_load,
        walker_with_umbrella,
        runner,
        pair,
        crowd,
        cyclist,
        motorcyclist,
        skateboarder,
        scooter,
        roller_skater,
        car,
        van,
        golf_cart,
        wheelchair,
        trolley,
        pram,
        pushed_bicycle,
        dog,
        bird,
        parcel,
    )  # fmt: skip
}
