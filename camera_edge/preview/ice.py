"""Gathers the addresses that viewers may reach the preview at.

Invariant: exactly the configured addresses are bound and offered; no interface is listed and no server is asked.

aioice gathers every address of the machine except 127.0.0.1 (`aioice.ice.get_host_addresses`) and has no setting for
it. Its public `Connection.get_component_candidates` does the same work for addresses that it is given; what remains is
to mark the gathering as done, so that aiortc's own does nothing.
"""

from __future__ import annotations

from aiortc import RTCPeerConnection

from camera_edge.errors import OutputError

# RTP and RTCP share one component (RFC 5761)
_COMPONENT = 1


async def gather(peer: RTCPeerConnection, addresses: tuple[str, ...]) -> None:
    """Bind one UDP port on each address for every transport of `peer`.

    To be called between `setRemoteDescription` and `setLocalDescription`. OutputError: no address could be bound.
    """
    gatherers = {item.receiver.transport.transport.iceGatherer for item in peer.getTransceivers()}
    for gatherer in gatherers:
        connection = gatherer._connection
        connection._local_candidates_start = True
        connection._local_candidates = await connection.get_component_candidates(_COMPONENT, list(addresses))
        connection._local_candidates_end = True
        if not connection._local_candidates:
            raise OutputError(
                "no address for the preview could be bound",
                where=", ".join(addresses),
                hint="name addresses that this machine has",
            )
