"""Makes the rules of a camera of its configuration and of what its analyzers say they give.

Invariant: decides and acts not. Without rules in the configuration each reported analyzer has its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from camera_edge.clock import time_zone
from camera_edge.errors import ConfigError
from camera_edge.rules import (
    STILL,
    Crowd,
    Hours,
    Line,
    LineCrossed,
    Loitering,
    ObjectLeft,
    ObjectRemoved,
    Rule,
    Schedule,
    Speeding,
    WatchPlan,
    WrongWay,
    ZoneEntered,
    ZoneLeft,
)
from camera_edge.settings import REDACTION_DEFAULT, CameraSettings, HoursSettings, RuleSettings

if TYPE_CHECKING:
    from camera_edge.worker.plan import AnalyzerPlan

MICROSECONDS: Final = 1_000_000
QUIET_US: Final = 3 * MICROSECONDS
# a rule module chooses its own quiet time: not so short that it makes an event of every other frame
QUIET_MIN_US: Final = MICROSECONDS

# kinds that open no event by themselves: `still` is for rules, an `object` is neither person nor vehicle
UNASKED: Final = {REDACTION_DEFAULT: frozenset({STILL}), "objects": frozenset({"object"})}
# a camera that is at times covered and at times not is one case, not many
QUIETS_US: Final = {"tamper": 5 * MICROSECONDS}
HOLDS_S: Final = {"crowd": 1.0, "object_left": 1.0, "object_removed": 1.0, "wrong_way": 0.5, "speeding": 0.5}
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def rules_of(config: CameraSettings, analyzers: Sequence[AnalyzerPlan]) -> tuple[Rule, ...]:
    """The operator's rules, or those that go without saying; and one for what each rule module raises."""
    reported = [each for each in analyzers if each.reported and not each.is_rule]
    raised = tuple(raised_rule(each) for each in analyzers if each.is_rule)
    if not config.rules:
        return (*(rule for each in reported for rule in default_rules(each)), *raised)
    return raised + tuple(_rule(name, each, config, reported) for name, each in config.rules.items())


def default_rules(analyzer: AnalyzerPlan) -> list[Rule]:
    """What is told of an analyzer where the configuration has no rules: each of its kinds.

    They do not name the kinds, so that a new version of a module with others is no reason to start the camera anew.
    """
    name = analyzer.name
    unasked, quiet_us = UNASKED.get(name, frozenset()), QUIETS_US.get(name, QUIET_US)
    rules = [Rule("any", analyzers=frozenset({name}), quiet_us=quiet_us, unasked=unasked)]
    if name == REDACTION_DEFAULT:
        rules += thing_rules(frozenset({name}))
    return rules


def thing_rules(analyzers: frozenset[str] = frozenset()) -> list[Rule]:
    """Things that were left, and things that were taken away, wherever that is."""
    return [
        Rule(
            plan.event,
            kinds=frozenset({STILL}),
            analyzers=analyzers,
            hold_us=round(HOLDS_S[plan.event] * MICROSECONDS),
            quiet_us=QUIET_US,
            watch=plan,
        )
        for plan in (ObjectLeft(), ObjectRemoved())
    ]


def raised_rule(rule_module: AnalyzerPlan) -> Rule:
    """The rule for what a rule module raises. Its parameter `quiet_s` says how long after that its event closes."""
    name = rule_module.name
    quiet_s = rule_module.module.manifest.with_defaults(rule_module.params).get("quiet_s")
    quiet_us = round(quiet_s * MICROSECONDS) if isinstance(quiet_s, float | int) else QUIET_US
    return Rule(name, analyzers=frozenset({name}), quiet_us=max(quiet_us, QUIET_MIN_US), raised=True)


def _rule(name: str, rule: RuleSettings, config: CameraSettings, reported: Sequence[AnalyzerPlan]) -> Rule:
    analyzers = frozenset(rule.analyzers) or frozenset(each.name for each in reported)
    given = frozenset(kind for each in reported if each.name in analyzers for kind in each.module.manifest.kinds)
    hold_s = rule.hold_s if rule.hold_s is not None else HOLDS_S.get(rule.event or "", 0.0)
    return Rule(
        name=name,
        kinds=frozenset(rule.kinds) or rule_kinds(rule.event, given),
        zones=tuple(rule.zones),
        min_score=rule.min_score,
        hold_us=round(hold_s * MICROSECONDS),
        quiet_us=round(rule.quiet_s * MICROSECONDS),
        analyzers=analyzers,
        unasked=frozenset({STILL}),
        watch=None if rule.event is None else _watch(name, rule, config),
        schedule=_schedule(rule.schedule, config.time_zone),
    )


def rule_kinds(event: str | None, given: frozenset[str]) -> frozenset[str]:
    """Of a rule that names none: of a plain one all; else persons and vehicles, or what moves, or all."""
    if event is None:
        return frozenset()
    if event in ("object_left", "object_removed"):
        return frozenset({STILL})
    return given & {"person", "vehicle"} or given & {"motion"} or given - {STILL}


def _watch(name: str, rule: RuleSettings, config: CameraSettings) -> WatchPlan:
    """Raises ConfigError where the rule lacks what its event needs, which a checked configuration does not."""
    simple: dict[str, WatchPlan] = {
        "zone_entered": ZoneEntered(),
        "zone_left": ZoneLeft(),
        "object_left": ObjectLeft(),
        "object_removed": ObjectRemoved(),
    }
    if rule.event in simple:
        return simple[rule.event]
    match rule:
        case RuleSettings(event="line_crossed", line=str(line)) if line in config.lines:
            return LineCrossed(line, Line(*config.lines[line]), rule.direction or "any")
        case RuleSettings(event="loitering", dwell_s=float(dwell_s)):
            return Loitering(round(dwell_s * MICROSECONDS))
        case RuleSettings(event="wrong_way", way=(start, end)):
            return WrongWay(start, end)
        case RuleSettings(event="speeding", speed=float(speed)):
            return Speeding(speed)
        case RuleSettings(event="crowd", count=int(count)):
            return Crowd(count)
    raise ConfigError(f"rule {name} lacks what `event: {rule.event}` needs", hint="run `camera-edge check`")


def _schedule(hours: Sequence[HoursSettings], zone: str) -> Schedule | None:
    if not hours:
        return None
    return Schedule(
        tuple(Hours(frozenset(DAYS.index(day) for day in each.days), each.from_, each.to) for each in hours),
        time_zone(zone),
    )
