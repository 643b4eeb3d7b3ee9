"""What a rule of a camera may say: what it looks at, which event it opens, and when it applies.

Invariant: a rule that passed has all that its event needs, and nothing that its event would not heed.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema, model_validator

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Point = tuple[Fraction, Fraction]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
# as a manifest may have it
ModuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]

RuleEvent = Literal[
    "line_crossed",
    "zone_entered",
    "zone_left",
    "loitering",
    "wrong_way",
    "speeding",
    "crowd",
    "object_left",
    "object_removed",
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
MINUTES_MAX: Final = 24 * 60


class Strict(BaseModel):
    """A key that is not known is an error, and what was given is in no message: it may be a secret."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


def _minute_of_day(value: object) -> object:
    """YAML reads 22:30 without quotes as 22 times 60 and 30, which is the minute of the day."""
    if not isinstance(value, str):
        return value
    hours, colon, minutes = value.partition(":")
    if not colon or not (hours.isdigit() and minutes.isdigit() and len(minutes) == 2) or int(minutes) > 59:
        raise ValueError('give a time of day such as "06:30"')
    if int(hours) * 60 + int(minutes) > MINUTES_MAX:
        raise ValueError("a day ends at 24:00")
    return int(hours) * 60 + int(minutes)


TimeOfDay = Annotated[
    int,
    Field(ge=0, le=MINUTES_MAX, strict=True),
    BeforeValidator(_minute_of_day),
    WithJsonSchema({"type": "string", "pattern": "^([01]?[0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}),
]


class HoursConfig(Strict):
    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    """Days on which the hours begin; left out: every day."""
    from_: Annotated[TimeOfDay, Field(alias="from")] = 0
    """Local time of the camera (its `time_zone`), as a clock on the wall shows it. In quotes: "22:00"."""
    to: TimeOfDay = MINUTES_MAX
    """Up to, and not with, this time; earlier than `from`: on the next day, hours belong to the day they begin on."""

    @model_validator(mode="after")
    def _hours_are_some(self) -> Self:
        if self.from_ == MINUTES_MAX:
            raise ValueError("`from: 24:00` is the end of the day; say 00:00")
        if self.from_ == self.to:
            raise ValueError("`from` and `to` are the same time, which leaves no hours; leave both out for whole days")
        if len(set(self.days)) < len(self.days):
            raise ValueError("a day stands there twice")
        return self


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, dict | HoursConfig) else value


class RuleConfig(Strict):
    kinds: list[str] = []
    """Kinds of observations that it looks at, such as `person`. None: all (but `still`); of a rule with `event`:
    `person` and `vehicle` where an analyzer of the camera gives these, else `motion`."""
    analyzers: list[ModuleName] = []
    zones: list[Name] = []
    """Zones that count, tested at the bottom centre of the box; none: everywhere."""
    min_score: Fraction = 0.0
    hold_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    """It must have gone on for this long before an event opens, which then counts from when it began. Default 0; 1 for
    crowd, object_left and object_removed; 0.5 for wrong_way and speeding."""
    quiet_s: Annotated[float, Field(gt=0, le=3600)] = 3.0
    """Not seen for this long closes it; what the same thing does again within this time is the same event."""
    schedule: Annotated[list[HoursConfig], BeforeValidator(_listed), Field(max_length=32)] = []
    """When the rule applies: one entry or several, any of which will do; none: always. A recording counts as begun when
    it is opened."""
    event: RuleEvent | None = None
    """What has to happen; none: that something of these kinds is seen. All of these follow things by the numbers that
    analyzers give them, and a thing that is first seen beyond a line or in a zone has not crossed or entered it.
    object_left and object_removed: a thing that came to rest, or was taken away, and nobody is near any more."""
    line: Name | None = None
    """line_crossed: which of the camera's `lines`."""
    direction: Literal["any", "left_to_right", "right_to_left"] | None = None
    """line_crossed: as seen by who looks from the line's first point to its second. Default: any."""
    dwell_s: Annotated[float, Field(gt=0, le=86400)] | None = None
    """loitering: how long one thing must have stayed in the zones. The event opens when that time is over."""
    way: tuple[Point, Point] | None = None
    """wrong_way: an arrow from the first point to the second, the right way. Wrong is what differs by more than 120
    degrees."""
    speed: Annotated[float, Field(gt=0, le=100)] | None = None
    """speeding: widths of the picture a second, over the last second, by the middle of the box; up and down count in
    widths of the picture too."""
    count: Annotated[int, Field(ge=2, le=256)] | None = None
    """crowd: so many things, or more, in the zones at once."""

    @model_validator(mode="after")
    def _options_fit_the_event(self) -> Self:
        given = {name for name in (*_BELONGS_TO, "hold_s") if getattr(self, name) is not None}
        given |= {name for name in ("zones", "kinds") if getattr(self, name)}
        for name in sorted(given & _BELONGS_TO.keys()):
            if self.event != _BELONGS_TO[name]:
                raise ValueError(f"`{name}` belongs to `event: {_BELONGS_TO[name]}`, and this is {_called(self.event)}")
        if self.event is None:
            return self
        for name in _NEEDS.get(self.event, ()):
            if name not in given:
                raise ValueError(f"`event: {self.event}` needs `{name}:`")
        for name, reason in _WITHOUT.get(self.event, {}).items():
            if name in given:
                raise ValueError(f"`event: {self.event}` takes no `{name}`: {reason}")
        if self.way is not None and self.way[0] == self.way[1]:
            raise ValueError("`way` is an arrow between two points, and these are the same")
        return self


def _called(event: str | None) -> str:
    return "a rule without `event`" if event is None else f"`event: {event}`"


_BELONGS_TO: Final[dict[str, str]] = {
    "line": "line_crossed",
    "direction": "line_crossed",
    "dwell_s": "loitering",
    "way": "wrong_way",
    "speed": "speeding",
    "count": "crowd",
}
_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "line_crossed": ("line",),
    "zone_entered": ("zones",),
    "zone_left": ("zones",),
    "loitering": ("dwell_s",),
    "wrong_way": ("way",),
    "speeding": ("speed",),
    "crowd": ("count",),
}
_MOMENT: Final = "it opens at the moment it happens"
_STILL: Final = "it looks at what came to rest or went away, of whatever kind"
_WITHOUT: Final[dict[str, dict[str, str]]] = {
    "line_crossed": {"hold_s": _MOMENT, "zones": "the line says where"},
    "zone_entered": {"hold_s": _MOMENT},
    "zone_left": {"hold_s": _MOMENT},
    "loitering": {"hold_s": "`dwell_s` says how long"},
    "object_left": {"kinds": _STILL},
    "object_removed": {"kinds": _STILL},
}
