"""Packages of analyzers: packed, signed, verified, installed, fetched. The only door to cryptography.

Invariant: nothing of a package is used before its digests and its signature were checked, and nothing of it is run
here.
"""

from camera_edge.packages.installation import Finding, Verified, audit, examine, install, is_taken, trusting, verify
from camera_edge.packages.keys import KeyPair, PrivateKey, PublicKey, make_key_pair
from camera_edge.packages.layout import Layout, MemoryLayout, open_layout
from camera_edge.packages.package import Package, read_package
from camera_edge.packages.packing import pack, sign, write_layout
from camera_edge.packages.reference import Reference
from camera_edge.packages.registry import Access, Timeouts, pull, push
from camera_edge.packages.trust import Trust, TrustStore, read_digest

__all__ = [
    "Access",
    "Finding",
    "KeyPair",
    "Layout",
    "MemoryLayout",
    "Package",
    "PrivateKey",
    "PublicKey",
    "Reference",
    "Timeouts",
    "Trust",
    "TrustStore",
    "Verified",
    "audit",
    "examine",
    "install",
    "is_taken",
    "make_key_pair",
    "open_layout",
    "pack",
    "pull",
    "push",
    "read_digest",
    "read_package",
    "sign",
    "trusting",
    "verify",
    "write_layout",
]
