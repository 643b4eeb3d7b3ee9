"""What a hostile guest is, and what must become of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from camera_edge.sandbox import Reason, nn, wasi
from camera_edge.sandbox.functions import FUNCTIONS
from camera_edge.sandbox.functions import MODULE as CAMERA_EDGE
from camera_edge.sandbox.manifest import Limits

FUEL = 2_000_000
PIXELS, RULES = ("pixels",), ("observations",)
MODELS = ("pixels", "onnx:tiny", "onnx:broken")
STATE = ("pixels", "state:4096")
# enough for every offender to be left alone in the end
FRAMES = 6
NN_PARAMETERS = {
    "load": 5,
    "load_by_name": 3,
    "init_execution_context": 2,
    "set_input": 3,
    "compute": 1,
    "get_output": 5,
    "unload": 1,
    "finalize_execution_context": 1,
}


class Ending(Enum):
    """REFUSED: it never starts. FAULTED: its frames get no answer. HARMLESS: it answers, and that is all it does."""

    REFUSED = auto()
    FAULTED = auto()
    HARMLESS = auto()


@dataclass(frozen=True, slots=True)
class Case:
    """One offender. `words` must be in what names it: the ModuleError, or `last_fault`.

    results: statuses that its calls must have been answered with. answers: how many of its frames get an answer.
    """

    name: str
    body: str | bytes
    ending: Ending
    words: str = ""
    reason: Reason | None = None
    results: tuple[str, ...] = ()
    answers: int = 0
    asks: tuple[str, ...] = PIXELS
    limits: Limits = field(default_factory=lambda: Limits(fuel_per_frame=FUEL))

    @property
    def is_rule(self) -> bool:
        return "observations" in self.asks


def refused(name: str, body: str | bytes, words: str, *, asks: tuple[str, ...] = PIXELS, fuel: int = FUEL) -> Case:
    return Case(name, body, Ending.REFUSED, words, asks=asks, limits=Limits(fuel_per_frame=fuel))


def faulted(name: str, body: str, reason: Reason, words: str, **more: object) -> Case:
    """Every frame is a fault, but for the first `answers`."""
    return Case(name, body, Ending.FAULTED, words, reason, **more)  # type: ignore[arg-type]


def harmless(name: str, body: str | bytes, *results: str, asks: tuple[str, ...] = PIXELS, fuel: int = FUEL) -> Case:
    limits = Limits(fuel_per_frame=fuel)
    return Case(name, body, Ending.HARMLESS, results=results, answers=FRAMES, asks=asks, limits=limits)


def imported(*names: str) -> str:
    """The imports of these functions, as `$name`; names of WASI are written `wasi.name`, of wasi-nn `nn.name`."""
    return " ".join(map(_imported, names))


def _imported(name: str) -> str:
    family, _, plain = name.rpartition(".")
    if family == "wasi":
        module, params, results = wasi.MODULE, wasi.KNOWN[plain].params, wasi.KNOWN[plain].results
    elif family == "nn":
        module, params, results = nn.MODULE, ("i32",) * NN_PARAMETERS[plain], ("i32",)
    else:
        module, params, results = CAMERA_EDGE, FUNCTIONS[plain].params, (FUNCTIONS[plain].result,)
    takes = f"(param {' '.join(params)})" if params else ""
    gives = f"(result {results[0]})" if results else ""
    return f'(import "{module}" "{plain}" (func ${plain} {takes} {gives}))'


def analyze(*statements: str, uses: Sequence[str] = (), more: str = "", rule: bool = False) -> str:
    """A guest that does this with each frame; `$s` is the slot (or the batch), `$i` is free."""
    head = '"observe") (param $s i32) (param $n i32)' if rule else '"analyze") (param $s i32)'
    return f"""{imported(*uses)} {more}
      (func (export {head} (result i32) (local $i i32) {" ".join(statements)} (i32.const 0))"""


def must_fail(call: str) -> str:
    """The call must be refused by the host: a guest that gets its way traps, which the case does not expect."""
    return f"(if (i32.ge_s {call} (i32.const 0)) (then unreachable))"


def must_err(call: str) -> str:
    """As `must_fail`, for functions whose errors are positive numbers."""
    return f"(if (i32.eqz {call}) (then unreachable))"


def must_pass(call: str) -> str:
    return f"(if (i32.lt_s {call} (i32.const 0)) (then unreachable))"


def i32s(*numbers: int | str) -> str:
    """Constants; a text is an expression already."""
    return " ".join(number if isinstance(number, str) else f"(i32.const {number})" for number in numbers)


def forever(statement: str) -> str:
    return f"(loop $forever {statement} (br $forever))"
