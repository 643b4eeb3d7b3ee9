"""Packages and installed analyzers as the commands of `packages.py` print them in JSON.

Invariant: every row of `analyzer list` has the same fields, damaged ones too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from camera_edge.errors import ModuleError

if TYPE_CHECKING:
    from camera_edge.packages import PublicKey, Verified
    from camera_edge.sandbox import ModuleFile
    from camera_edge.sandbox.record import Broken, Record, Signer
    from camera_edge.sandbox.shelf import Shelf


def verified_json(verified: Verified, signer: PublicKey | Signer) -> dict[str, object]:
    """`signer`: the one that counts."""
    return {
        "name": verified.manifest.name,
        "version": verified.manifest.version,
        "digest": verified.package.digest,
        "module_sha256": verified.package.wasm_digest.removeprefix("sha256:"),
        "signer": signer.name,
        "fingerprint": signer.fingerprint,
        "signers": [each.name for each in verified.signers],
        "asks": list(verified.manifest.capabilities),
    }


def shipped_json(module: ModuleFile) -> dict[str, object]:
    return {
        **_row(module.manifest.name, module.manifest.version, "shipped"),
        "module_sha256": module.sha256,
        "asks": list(module.manifest.capabilities),
    }


def installed_json(shelf: Shelf, record: Record) -> dict[str, object]:
    signer, withheld_for, asks = record.signer, None, []
    try:
        signer = next(iter(shelf.vouching(record)), record.signer)
        withheld_for = shelf.withheld(record)
        module = shelf.load(record)
        asks = [] if module is None else list(module.manifest.capabilities)
    except ModuleError as error:
        withheld_for = withheld_for or str(error)
    return {
        **_row(record.name, record.version, "installed"),
        "signer": signer.name,
        "fingerprint": signer.fingerprint,
        "digest": f"sha256:{record.package_sha256}",
        "module_sha256": record.wasm_sha256,
        "installed_utc": record.installed_utc,
        "asks": asks,
        "withheld": withheld_for,
    }


def broken_json(name: str, broken: Broken) -> dict[str, object]:
    """Nothing is known of it but where it lies."""
    return {**_row(name, broken.version, "installed"), "withheld": str(broken.fault)}


def _row(name: str, version: str, origin: str) -> dict[str, object]:
    return {
        "name": name,
        "version": version,
        "origin": origin,
        "signer": None,
        "fingerprint": None,
        "digest": None,
        "module_sha256": None,
        "installed_utc": None,
        "asks": [],
        "withheld": None,
    }
