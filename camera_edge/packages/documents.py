"""The JSON documents of an OCI image layout, and of cosign's simple signing.

Fields are those of the OCI image specification 1.1 (manifest, index, descriptor, layout), of the CNCF guidance "Wasm
OCI Artifact" (configuration) and of cosign's signature specification (payload).

Invariant: a field that the specification does not have is refused: what is signed has one meaning.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, Literal, TypeVar

import msgspec

from camera_edge.errors import ModuleError

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
CONFIG_TYPE = "application/vnd.wasm.config.v0+json"
WASM_TYPE = "application/wasm"
# as wasm-to-oci writes them; read, never written
CONFIG_TYPE_OLD = "application/vnd.wasm.config.v1+json"
WASM_TYPE_OLD = "application/vnd.wasm.content.layer.v1+wasm"
IMAGE_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
PAYLOAD_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"

TOML_KEY = "dev.camera-edge.analyzer.toml"
TITLE_KEY = "org.opencontainers.image.title"
VERSION_KEY = "org.opencontainers.image.version"
TAG_KEY = "org.opencontainers.image.ref.name"
SIGNATURE_KEY = "dev.cosignproject.cosign/signature"
# how `cosign save` tells the manifests of an index apart
KIND_KEY = "kind"
KIND_IMAGE = "dev.cosignproject.cosign/image"
KIND_SIGNATURES = "dev.cosignproject.cosign/sigs"
SIGNATURE_OF: Final = "cosign container image signature"

DOCUMENT_BYTES_MAX = 1 << 20
SMALL_BYTES_MAX = 65536

# \Z and not $, which lets a line feed pass
Digest = Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}\Z")]
Annotations = dict[str, str]


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename="camel"):
    pass


D = TypeVar("D", bound=_Document)


class Descriptor(_Document, frozen=True, kw_only=True):
    """`urls`, `data` and `platform` may be there and are not looked at: a blob comes from the layout alone."""

    media_type: str
    digest: Digest
    size: Annotated[int, msgspec.Meta(ge=0)]
    annotations: Annotations | None = None
    artifact_type: str | None = None
    urls: msgspec.Raw | None = None
    data: msgspec.Raw | None = None
    platform: msgspec.Raw | None = None

    @property
    def tag(self) -> str:
        return (self.annotations or {}).get(TAG_KEY, "")

    @property
    def kind(self) -> str:
        return (self.annotations or {}).get(KIND_KEY, "")


class ImageManifest(_Document, frozen=True, kw_only=True):
    schema_version: Annotated[int, msgspec.Meta(ge=2, le=2)]
    media_type: Literal["application/vnd.oci.image.manifest.v1+json"] | None = None
    artifact_type: str | None = None
    config: Descriptor
    layers: Annotated[tuple[Descriptor, ...], msgspec.Meta(min_length=1, max_length=16)]
    subject: Descriptor | None = None
    annotations: Annotations | None = None


class Index(_Document, frozen=True, kw_only=True):
    schema_version: Annotated[int, msgspec.Meta(ge=2, le=2)]
    media_type: Literal["application/vnd.oci.image.index.v1+json"] | None = None
    artifact_type: str | None = None
    manifests: Annotated[tuple[Descriptor, ...], msgspec.Meta(max_length=64)]
    subject: Descriptor | None = None
    annotations: Annotations | None = None


class LayoutMark(_Document, frozen=True, kw_only=True):
    image_layout_version: Literal["1.0.0"]


class WasmConfig(_Document, frozen=True, kw_only=True):
    created: str
    author: str | None = None
    architecture: Literal["wasm"]
    os: Literal["wasip1"]
    layer_digests: tuple[Digest, ...]


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the signer found the image. Not compared: at an air-gapped site it lies elsewhere."""

    docker_reference: str = msgspec.field(name="docker-reference")


class SignedImage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    docker_manifest_digest: Digest = msgspec.field(name="docker-manifest-digest")


class Critical(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    identity: Identity
    image: SignedImage
    type: Literal["cosign container image signature"]


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed. `optional` holds the signer's own notes and is not looked at."""

    critical: Critical
    optional: msgspec.Raw | None = None


T = TypeVar("T", bound=msgspec.Struct)


def read_document(data: bytes, kind: type[T], *, what: str, where: str) -> T:
    """Raises ModuleError where the document is no such one, or has a field too many."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        hint = "have the package made and signed again"
        raise ModuleError(f"{what} is damaged: {str(error)[:200]}", where=where, hint=hint) from error


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def describe(data: bytes, media_type: str, annotations: Annotations | None = None) -> Descriptor:
    return Descriptor(media_type=media_type, digest=digest_of(data), size=len(data), annotations=annotations)


def signature_tag(digest: str) -> str:
    """The tag under which cosign keeps the signatures of a manifest."""
    return f"{digest.replace(':', '-')}.sig"
