"""What a model takes and gives: how a region of a picture becomes its input, and how its outputs are to be read.

Invariant: a contract that exists is complete and consistent; an unknown key or an impossible value is refused where it
is read. Reading a contract touches no model and imports no runtime.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from camera_edge.errors import ModelError

NAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,63}\Z"

ModelName = Annotated[str, Meta(pattern=NAME_PATTERN)]
Side = Annotated[int, Meta(ge=1, le=8192)]
ClassLists = Callable[[str], tuple[str, ...]]

# decoders that find their boxes' places by the strides; the others are given them
ON_GRIDS = frozenset({"yolox", "fastestdet"})
_CHANNEL_COUNT = {"bgr": 3, "rgb": 3, "gray": 1}


class PictureInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a region of a picture becomes the one float32 input of a model.

    The region is fitted to width x height pixels, channels are ordered, then every value becomes
    (value * scale - mean) / std. `mean` and `std` hold one number, or one for each channel in the model's order.
    `letterbox` keeps the aspect: the region lies at the top left, the rest is `pad`; with `letterbox_centre` it lies in
    the middle. `stretch` does not.
    """

    name: str
    width: Side
    height: Side
    layout: Literal["nchw", "nhwc"] = "nchw"
    channels: Literal["bgr", "rgb", "gray"]
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    fit: Literal["letterbox", "letterbox_centre", "stretch"]
    pad: Annotated[int, Meta(ge=0, le=255)] = 114

    def __post_init__(self) -> None:
        for field, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channel_count):
                raise ValueError(f"{field} has {len(values)} numbers, but one or {self.channel_count} are needed")
        if not all(math.isfinite(value) for value in (self.scale, *self.mean, *self.std)):
            raise ValueError("scale, mean and std must be finite")
        if self.scale == 0 or 0 in self.std:
            raise ValueError("scale and std must not be 0")

    @property
    def channel_count(self) -> int:
        return _CHANNEL_COUNT[self.channels]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of the input, for a batch of one."""
        if self.layout == "nchw":
            return 1, self.channel_count, self.height, self.width
        return 1, self.height, self.width, self.channel_count


class Output(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the outputs are to be read: by which decoder, on grids of which strides (pixels), naming which classes.

    `classes` is a list of names, or the name of a list that the package ships (`coco80`). `sure_score`: from which
    score on a thing is more likely there than not; what is best differs from model to model.
    """

    decoder: Literal["yolox", "fastestdet", "yolov5", "yolov8", "yolov10", "none"] = "none"
    strides: tuple[Annotated[int, Meta(ge=1, le=1024)], ...] = ()
    classes: str | tuple[str, ...] = ()
    sure_score: Annotated[float, Meta(gt=0, lt=1)] = 0.5

    def __post_init__(self) -> None:
        if self.decoder != "none" and not self.classes:
            raise ValueError(f"decoder {self.decoder!r} needs classes")
        if self.decoder in ON_GRIDS and not self.strides:
            raise ValueError(f"decoder {self.decoder!r} needs strides")
        if self.decoder == "fastestdet" and len(self.strides) != 1:
            raise ValueError("decoder 'fastestdet' has one grid, so strides holds one number")
        # names go to a guest as one text, a name a line
        if any("\n" in name or not name for name in self.class_names):
            raise ValueError("a class name is empty or has a line break")

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.classes if isinstance(self.classes, tuple) else ()


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contract of one model. Without an `input` a model takes no picture: guests bring tensors through wasi-nn."""

    contract: Literal[1]
    input: PictureInput | None = None
    output: Output = Output()
    source: str = ""
    licence: str = ""

    def __post_init__(self) -> None:
        if self.input is None and self.output.decoder != "none":
            raise ValueError(f"decoder {self.output.decoder!r} reads a picture, but there is no [input]")

    def with_classes(self, lists: ClassLists) -> Contract:
        """The same contract with the named list of classes written out. Raises ModelError for an unknown list."""
        if isinstance(self.output.classes, tuple):
            return self
        names = lists(self.output.classes)
        return msgspec.structs.replace(self, output=msgspec.structs.replace(self.output, classes=names))


def parse_contract(text: bytes, *, where: str, lists: ClassLists) -> Contract:
    """Reads a contract file (TOML); `where` names it in errors. Raises ModelError."""
    try:
        contract = msgspec.toml.decode(text, type=Contract)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
        hint = "models/README.md lists the fields and has an example"
        raise ModelError(f"not a contract: {error}", where=where, hint=hint) from error
    return contract.with_classes(lists)
