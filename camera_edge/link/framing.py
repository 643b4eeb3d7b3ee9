"""How messages lie on the wire: a little-endian u32 length, then MessagePack.

Invariant: bytes that are not a message of the contract become a `LinkError`, never another exception and never a guess.
"""

from __future__ import annotations

import struct
from typing import Final, Generic, TypeVar

import msgspec

from camera_edge.errors import LinkError
from camera_edge.link.messages import FromWorker, ToWorker

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
HEADER: Final = struct.Struct("<I")

_encoder: Final = msgspec.msgpack.Encoder()

Message = TypeVar("Message")


def frame(message: ToWorker | FromWorker) -> bytes:
    """Header and body of one message. Raises LinkError above `MAX_MESSAGE_BYTES`."""
    body = _encoder.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise LinkError(f"a message of {len(body)} bytes is larger than the link carries ({MAX_MESSAGE_BYTES})")
    return HEADER.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """Length of the body that follows `header` (4 bytes). Raises LinkError where no message can be that long."""
    (length,) = HEADER.unpack(header)
    if not 0 < length <= MAX_MESSAGE_BYTES:
        raise LinkError(f"a message of {length} bytes was announced, 1 to {MAX_MESSAGE_BYTES} are allowed")
    return int(length)


class Parser(Generic[Message]):
    """Turns bodies into the messages of one direction."""

    def __init__(self, decoder: msgspec.msgpack.Decoder[Message]) -> None:
        self._decoder = decoder

    def parse(self, body: bytes) -> Message:
        """Raises LinkError where `body` is no message of this direction."""
        try:
            return self._decoder.decode(body)
        except msgspec.MsgspecError as exc:
            raise LinkError(f"not a message of the link: {exc}") from exc


to_worker: Final[Parser[ToWorker]] = Parser(msgspec.msgpack.Decoder(ToWorker))
from_worker: Final[Parser[FromWorker]] = Parser(msgspec.msgpack.Decoder(FromWorker))
