"""Reads a viewer's offer and keeps from it what the appliance is willing to act on.

Invariant: no address that an offer names is ever contacted or resolved. Candidates are taken out, so a viewer's
address is learned only from its own authenticated checks (peer-reflexive, RFC 8445 section 7.3.1.3); its `.local`
names (mDNS, a multicast query) stay unread.
"""

from __future__ import annotations

from aiortc.sdp import MediaDescription, SessionDescription

from camera_edge.errors import UsageError

# what aiortc's parser raises for text that is not a session description; it has no error class of its own
_PARSER_ERRORS = (ValueError, LookupError, AssertionError, AttributeError, TypeError, StopIteration)


class OfferError(UsageError):
    """A viewer's offer cannot be answered."""


def answerable(offer_sdp: str) -> str:
    """The offer without its candidates.

    OfferError: not a session description, no video to send, no H.264, or media other than one video and one audio.
    """
    lines = [line for line in offer_sdp.splitlines() if not line.startswith(("a=candidate:", "a=end-of-candidates"))]
    kept = "\r\n".join(lines) + "\r\n"
    try:
        description = SessionDescription.parse(kept)
    except _PARSER_ERRORS as exc:
        raise OfferError("the offer is not a session description", hint="send the SDP of an RTCPeerConnection") from exc
    _check_media(description.media)
    return kept


def _check_media(media: list[MediaDescription]) -> None:
    kinds = sorted(section.kind for section in media)
    if kinds not in (["video"], ["audio", "video"]):
        raise OfferError(f"the offer asks for {', '.join(kinds) or 'nothing'}", hint="offer one video to receive")
    for section in media:
        if section.dtls is None or not section.dtls.fingerprints:
            raise OfferError(f"the offer's {section.kind} has no DTLS fingerprint or setup")
        if section.ice is None or not section.ice.usernameFragment or not section.ice.password:
            raise OfferError(f"the offer's {section.kind} has no ICE credentials")
        if not section.rtcp_mux:
            raise OfferError(f"the offer's {section.kind} does not multiplex RTCP", hint="offer a=rtcp-mux")
        if section.kind == "video":
            _check_video(section)


def _check_video(video: MediaDescription) -> None:
    if video.direction not in ("recvonly", "sendrecv"):
        raise OfferError(f"the offer's video is {video.direction}", hint="offer video as recvonly")
    if not any(codec.mimeType.lower() == "video/h264" for codec in video.rtp.codecs):
        raise OfferError("the offer has no H.264", hint="use a browser or player that decodes H.264")
