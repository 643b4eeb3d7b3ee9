"""People of limbs: walking, running, standing, sitting, riding, with what they wear and carry.

Invariant: a person faces x and stands on z = 0; lengths are metres of a person 1.75 m high.

The proportions follow the segment lengths of R. Drillis and R. Contini, Body Segment Parameters, 1966; the gait is the
plain swing of hip and knee that M. P. Murray et al., Walking patterns of normal men, 1964, measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scripts.blobs.solids import Point, Solid, hull, limb

_THIGH, _SHIN = 0.43, 0.43
_UPPER_ARM, _FOREARM = 0.31, 0.36
_TORSO = 0.52
_HIP_HALF, _SHOULDER_HALF = 0.09, 0.18


@dataclass(frozen=True, slots=True)
class Clothes:
    """Tones 0..255, and how thick and long it is: `build` scales girths, `skirt` is a length below the hip."""

    skin: float
    top: float
    legs: float
    shoes: float
    hair: float
    build: float
    skirt: float


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles in radians, forward positive; one number for each side, left first."""

    hip_z: float
    lean: float
    hips: tuple[float, float]
    knees: tuple[float, float]
    shoulders: tuple[float, float]
    elbows: tuple[float, float]
    spread: float = 0.0
    arms_out: float = 0.1


def clothes(rng: np.random.Generator) -> Clothes:
    skin, top, legs, shoes, hair = (float(tone) for tone in rng.uniform(10, 240, 5))
    if rng.random() < 0.4:
        legs = top + float(rng.normal(0, 12))
    skirt = float(rng.uniform(0.2, 0.75)) if rng.random() < 0.2 else 0.0
    return Clothes(skin, top, legs, shoes, hair, float(rng.uniform(0.85, 1.35)), skirt)


def walking(phase: float, stride: float) -> Pose:
    """A walk at `phase` (radians); `stride` is the swing of the hip: 0 stands, 0.45 walks, 0.8 and more runs."""
    swing = math.sin(phase) * stride
    lifted = [max(0.0, math.cos(phase + side)) * stride * 1.6 for side in (0.0, math.pi)]
    rest = 0.05 + 0.3 * max(0.0, stride - 0.55)
    arms = 0.8 * swing
    bend = 0.15 + (1.3 if stride > 0.6 else 0.3 * stride)
    return Pose(
        hip_z=0.86 - 0.1 * stride * abs(math.sin(phase)),
        lean=0.03 + 0.2 * max(0.0, stride - 0.5),
        hips=(swing, -swing),
        knees=(rest + lifted[0], rest + lifted[1]),
        shoulders=(-arms, arms),
        elbows=(bend, bend),
    )


def person(pose: Pose, worn: Clothes) -> list[Solid]:
    """The limbs of a person, feet about z = 0 where the pose lets them."""
    girth = worn.build
    neck = (pose.hip_z + _TORSO * math.cos(pose.lean), _TORSO * math.sin(pose.lean))
    solids = _torso(pose, worn, neck)
    for side, sign in enumerate((1.0, -1.0)):
        solids += _leg(pose, worn, side, sign)
        shoulder = (neck[1], sign * _SHOULDER_HALF * girth, neck[0] - 0.03)
        solids += _arm(pose, worn, side, (shoulder, sign))
    return solids


def _torso(pose: Pose, worn: Clothes, neck: tuple[float, float]) -> list[Solid]:
    girth, (top, forward) = worn.build, neck
    half = (_SHOULDER_HALF - 0.07) * girth
    shoulders = [(forward, s * half, top - 0.05) for s in (1.0, -1.0)]
    hips = [(0.0, s * _HIP_HALF * 0.7, pose.hip_z) for s in (1.0, -1.0)]
    radii = np.array([0.09, 0.09, 0.1, 0.1]) * girth
    solids = [Solid(np.array(shoulders + hips), radii, worn.top)]
    if worn.skirt > 0:
        solids.append(_skirt(pose, worn))
    ahead = forward + 0.1 * math.sin(pose.lean) + 0.02
    solids.append(limb((forward, 0.0, top), (ahead, 0.0, top + 0.1), 0.05, worn.skin))
    solids.append(limb((ahead, 0.0, top + 0.16), (ahead + 0.02, 0.0, top + 0.22), 0.095, worn.skin))
    solids.append(limb((ahead - 0.03, 0.0, top + 0.2), (ahead - 0.01, 0.0, top + 0.25), 0.095, worn.hair))
    return solids


def _skirt(pose: Pose, worn: Clothes) -> Solid:
    turns = np.linspace(0, 2 * math.pi, 8, endpoint=False)
    rows = [(0.12 * worn.build, pose.hip_z + 0.1), (0.14 + 0.18 * worn.skirt, pose.hip_z - worn.skirt)]
    points = [(r * math.cos(t), r * math.sin(t), z) for r, z in rows for t in turns]
    return hull(np.array(points), worn.top if worn.skirt > 0.4 else worn.legs)


def _leg(pose: Pose, worn: Clothes, side: int, sign: float) -> list[Solid]:
    hip = (0.0, sign * _HIP_HALF, pose.hip_z)
    thigh, shin = pose.hips[side], pose.hips[side] - pose.knees[side]
    out = sign * math.sin(pose.spread)
    knee = _along(hip, thigh, _THIGH, out * _THIGH)
    ankle = _along(knee, shin, _SHIN, out * _SHIN)
    toe = (ankle[0] + 0.17 * math.cos(shin * 0.6), ankle[1] + sign * 0.03, ankle[2] - 0.02 + 0.1 * math.sin(shin * 0.6))
    girth = worn.build
    return [
        limb(hip, knee, 0.085 * girth, worn.legs, end_radius=0.06 * girth),
        limb(knee, ankle, 0.06 * girth, worn.legs, end_radius=0.042),
        limb(ankle, toe, 0.045, worn.shoes, end_radius=0.035),
    ]


def _arm(pose: Pose, worn: Clothes, side: int, place: tuple[Point, float]) -> list[Solid]:
    shoulder, sign = place
    out = sign * math.sin(pose.arms_out)
    elbow = _along(shoulder, pose.shoulders[side], _UPPER_ARM, out * _UPPER_ARM)
    hand = _along(elbow, pose.shoulders[side] + pose.elbows[side], _FOREARM, out * _FOREARM * 0.6)
    girth = worn.build
    return [
        limb(shoulder, elbow, 0.055 * girth, worn.top, end_radius=0.045 * girth),
        limb(elbow, hand, 0.045 * girth, worn.top, end_radius=0.035),
        limb(hand, hand, 0.045, worn.skin),
    ]


def _along(start: Point, angle: float, length: float, aside: float) -> Point:
    """`length` down from `start`, swung forward by `angle` and moved aside."""
    down = math.sqrt(max(length * length - aside * aside, 0.0))
    return start[0] + down * math.sin(angle), start[1] + aside, start[2] - down * math.cos(angle)
