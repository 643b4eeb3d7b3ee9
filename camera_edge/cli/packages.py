"""`camera-edge analyzer`: analyzers become packages, are signed, verified, installed, listed and removed.

Invariant: there is no way to install what no trusted key signed. Heavy libraries are imported when a command runs.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from camera_edge.cli import trust
from camera_edge.cli.package_report import broken_json, installed_json, shipped_json, verified_json
from camera_edge.cli.standing import look
from camera_edge.cli.trust import JsonOption, StateOption, open_shelf, standing_json, tell, warn

if TYPE_CHECKING:
    from camera_edge.packages import Layout, MemoryLayout
    from camera_edge.sandbox import Manifest

app = typer.Typer(help="Packages of analyzers.", no_args_is_help=True)
app.add_typer(trust.app, name="trust")

PackageArgument = Annotated[
    str, typer.Argument(help="A .tar file, a folder, or oci://HOST/REPO:TAG.", metavar="PACKAGE")
]
PlainOption = Annotated[bool, typer.Option("--plain-http", help="Reach the registry without TLS.")]


@app.command("pack")
def pack_command(
    source: Annotated[Path, typer.Argument(help="A folder with analyzer.toml, or a .wasm.", metavar="DIR|WASM")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.tar|DIR", help="[default: NAME-VERSION.tar, here]")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Make a package of a built analyzer: an OCI image layout. The same module gives the same bytes."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.packages import examine, pack, read_package, write_layout
    from camera_edge.packages.packing import created_s
    from camera_edge.sandbox import Runtime, load_module
    from camera_edge.sandbox.module import MANIFEST_NAME, WASM_BYTES_MAX
    from camera_edge.sandbox.plainfile import read_plain
    from camera_edge.workshop.workpiece import refuse_stale

    path = _built(source)
    refuse_stale(path)
    module = load_module(path)
    toml = read_plain(path.with_name(MANIFEST_NAME), WASM_BYTES_MAX)
    layout = pack(module.manifest, toml, module.wasm, created_s=created_s(os.environ))
    package = read_package(layout)
    examine(package, Runtime())
    target = out or Path(f"{module.manifest.name}-{module.manifest.version}.tar")
    write_layout(layout, target)
    if json:
        said = {"package": str(target), "digest": package.digest, "module_sha256": module.sha256}
        put_json({**said, **_installable_json(module.manifest)})
    talk.print(f"packed [bold]{module.manifest.name} {module.manifest.version}[/] into {target} ({package.digest})")
    if not _warned_of_name(module.manifest):
        talk.print(f"  sign it: camera-edge analyzer sign {target} --key NAME.key")


@app.command()
def keygen(
    name: Annotated[str, typer.Argument(help="NAME.key and NAME.pub are made.", metavar="NAME")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where.")] = Path(),
    json: JsonOption = False,
) -> None:
    """Make a key pair. With CAMERA_EDGE_KEY_PASSPHRASE in the environment the private key is encrypted."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.errors import UsageError
    from camera_edge.packages import PublicKey, make_key_pair
    from camera_edge.packages.keys import PASSPHRASE_VARIABLE, write_key_pair
    from camera_edge.sandbox.trusted import KEY_NAME

    if not KEY_NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a key", hint="use letters, digits, '_', '-' and '.'; --out says where")
    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    pair = make_key_pair(passphrase)
    private, public = write_key_pair(pair, out, name)
    key = PublicKey.read(pair.public, name, where=str(public))
    if json:
        put_json({"private": str(private), "public": str(public), "fingerprint": key.fingerprint})
    kept = "encrypted" if passphrase else "not encrypted"
    talk.print(f"made {private} ({kept}, keep it to yourself) and {public}, fingerprint sha256 {key.fingerprint}")
    talk.print(f"  where the analyzer is to run: camera-edge analyzer trust add {public} --name {name}")


@app.command("sign")
def sign_command(
    package: Annotated[Path, typer.Argument(help="A .tar file or a folder.", metavar="PACKAGE")],
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="A private key.")],
    json: JsonOption = False,
) -> None:
    """Sign a package, as `cosign sign --key` would. CAMERA_EDGE_KEY_PASSPHRASE opens an encrypted key."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.packages import PrivateKey, examine, open_layout, read_package, sign, write_layout
    from camera_edge.packages.keys import PASSPHRASE_VARIABLE
    from camera_edge.sandbox import Runtime
    from camera_edge.sandbox.trusted import PRIVATE_KEY_HINT, read_key

    passphrase = os.environ.get(PASSPHRASE_VARIABLE)
    private = PrivateKey.read(read_key(key, hint=PRIVATE_KEY_HINT), key.stem, passphrase=passphrase, where=str(key))
    examined = examine(read_package(open_layout(package)), Runtime())
    write_layout(sign(examined.package, private, reference=examined.manifest.name), package)
    if json:
        said = {"package": str(package), "digest": examined.package.digest, "fingerprint": private.public.fingerprint}
        put_json({**said, **_installable_json(examined.manifest)})
    talk.print(f"signed {package} ({examined.package.digest}) by the key {private.public.fingerprint[:16]}…")
    if not _warned_of_name(examined.manifest):
        talk.print(f"  who trusts that key can install it: camera-edge analyzer install {package}")


@app.command("verify")
def verify_command(
    package: PackageArgument,
    key: Annotated[
        list[Path] | None, typer.Option("--key", metavar="KEY.pub", help="Trust this key, not the trust folder.")
    ] = None,
    plain_http: PlainOption = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Check a package: every digest, the signature, the manifest, the module. Nothing of it is run."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.packages import PublicKey, TrustStore, trusting, verify
    from camera_edge.sandbox.trusted import read_key

    if key:
        trusted = trusting([PublicKey.read(read_key(path), path.stem, where=str(path)) for path in key])
    else:
        trusted = TrustStore(open_shelf(state)).read()
    verified = verify(_layout(package, plain_http=plain_http), trusted)
    if json:
        put_json({**verified_json(verified, verified.signer), **_installable_json(verified.manifest)})
    manifest = verified.manifest
    signers = " and ".join(f"[bold]{each.name}[/]" for each in verified.signers)
    talk.print(f"[bold]{manifest.name} {manifest.version}[/] is whole, signed by {signers}")
    talk.print(f"  package {verified.package.digest}, module {verified.package.wasm_digest}")
    talk.print(f"  it asks for {_listed(manifest.capabilities)}")
    if not _warned_of_name(manifest):
        talk.print(f"  install it: camera-edge analyzer install {package}")


@app.command("install")
def install_command(
    package: PackageArgument,
    allow_rollback: Annotated[
        bool, typer.Option("--allow-rollback", help="Go back to an older version; newer ones are removed.")
    ] = False,
    plain_http: PlainOption = False,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Verify a package and install it. Unsigned packages, and those of unknown signers, are refused."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.clock import SystemClock, iso_utc
    from camera_edge.packages import TrustStore, install, verify

    shelf = open_shelf(state)
    verified = verify(_layout(package, plain_http=plain_http), TrustStore(shelf).read())
    now_utc = iso_utc(SystemClock().utc_ns())
    placed = install(verified, shelf, installed_utc=now_utc, allow_rollback=allow_rollback)
    if json:
        said = verified_json(verified, placed.record.signer)
        put_json({**said, "was_there": placed.was_there, "removed": placed.removed})
    manifest = verified.manifest
    done = "was installed already" if placed.was_there else "is installed"
    talk.print(f"[bold]{manifest.name} {manifest.version}[/], signed by {placed.record.signer.name}, {done}")
    for version in placed.removed:
        talk.print(f"  version {version} was removed")
    talk.print("  to run it, name it for a camera; what it is not granted it does not get:")
    granted = ", ".join(name for name in manifest.capabilities if name not in ("pixels", "observations"))
    setting = f"{{grant: \\[{granted}]}}" if granted else "{}"
    talk.print(f"    analyzers: {{{manifest.name}: {setting}}}")


@app.command("list")
def list_command(state: StateOption = None, json: JsonOption = False) -> None:
    """List the analyzers that are shipped and installed: versions, signers, what each asks for."""
    from camera_edge.cli.talk import put_json, show
    from camera_edge.sandbox import shipped, shipped_names

    shelf = open_shelf(state)
    rows = [shipped_json(shipped(name)) for name in shipped_names()]
    for name in shelf.names():
        rows += [broken_json(name, each) for each in shelf.broken(name)]
        rows += [installed_json(shelf, record) for record in shelf.records(name)]
    if json:
        put_json(rows)
        return
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(
        Column("name", no_wrap=True), "version", "signer", "asks for", "may run", Column("package", no_wrap=True)
    )
    for row in rows:
        may_run = "yes" if row["withheld"] is None else f"no: {row['withheld']}"
        signer = "shipped" if row["origin"] == "shipped" else row["signer"] or "?"
        cells = (row["name"], row["version"], signer, row["asks"] or "nothing", may_run)
        texts = [", ".join(cell) if isinstance(cell, list) else str(cell) for cell in cells]
        table.add_row(*map(escape, texts), str(row["digest"] or "-"))
    show.print(table)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="An installed analyzer.", metavar="NAME")],
    version: Annotated[str | None, typer.Option("--version", metavar="V", help="Only this version.")] = None,
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Remove an installed analyzer, or one version of it. An older version still needs --allow-rollback afterwards."""
    from camera_edge.cli.talk import put_json, talk

    gone = open_shelf(state).remove(name, version)
    if json:
        put_json({"name": name, "removed": gone})
    talk.print(f"removed [bold]{name}[/] {_listed(gone)}")


@app.command()
def revoke(
    digest: Annotated[str, typer.Argument(help="Of a package or a module.", metavar="DIGEST")],
    state: StateOption = None,
    json: JsonOption = False,
) -> None:
    """Stop what is installed of this digest, and refuse to install it. Says what may run instead.

    An older version that is installed, signed by a trusted key and not revoked may run instead, where a camera grants
    what it asks for; without one nothing of that name may. A module that is shipped cannot be revoked. To take it back,
    delete the file that is named.
    """
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.clock import SystemClock, iso_utc
    from camera_edge.packages import TrustStore

    shelf = open_shelf(state)
    before = look(shelf)
    value = TrustStore(shelf).revoke(digest, now_utc=iso_utc(SystemClock().utc_ns()))
    after = look(shelf)
    if json:
        put_json({"revoked": f"sha256:{value}", **standing_json(before, after)})
    talk.print(f"revoked sha256:{value}")
    tell(before, after)
    talk.print(f"  to take that back, delete {shelf.trust.revoked_digests / value}")


@app.command("pull")
def pull_command(
    reference: Annotated[str, typer.Argument(help="oci://HOST/REPO:TAG or @sha256:…", metavar="REFERENCE")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.tar|DIR", help="Where to.")],
    plain_http: PlainOption = False,
    json: JsonOption = False,
) -> None:
    """Fetch a package and its signatures into a file, to be carried to a site without a network."""
    from camera_edge.cli.talk import put_json, talk
    from camera_edge.packages import read_package, write_layout

    layout = _fetched(reference, plain_http=plain_http)
    package = read_package(layout)
    write_layout(layout, out)
    if json:
        put_json({"package": str(out), "digest": package.digest, "signatures": len(package.signatures())})
    talk.print(f"fetched {package.digest} with {len(package.signatures())} signatures into {out}, not verified yet")
    talk.print(f"  camera-edge analyzer verify {out}")


@app.command("push")
def push_command(
    package: Annotated[Path, typer.Argument(help="A .tar file or a folder.", metavar="PACKAGE")],
    reference: Annotated[str, typer.Argument(help="oci://HOST/REPO:TAG", metavar="REFERENCE")],
    plain_http: PlainOption = False,
    json: JsonOption = False,
) -> None:
    """Put a package and its signatures into a registry."""
    import asyncio

    from camera_edge.cli.talk import put_json, talk
    from camera_edge.packages import Access, Reference, open_layout, push, read_package

    target = Reference.read(reference)
    read = read_package(open_layout(package))
    asyncio.run(push(read, target, Access.of(os.environ, plain_http=plain_http)))
    if json:
        put_json({"reference": str(target), "digest": read.digest})
    talk.print(f"pushed {read.digest} to {target}")
    talk.print(f"  elsewhere: camera-edge analyzer install oci://{target.host}/{target.repository}@{read.digest}")


def _layout(package: str, *, plain_http: bool) -> Layout:
    from camera_edge.packages import open_layout
    from camera_edge.packages.reference import SCHEME

    return _fetched(package, plain_http=plain_http) if package.startswith(SCHEME) else open_layout(Path(package))


def _fetched(reference: str, *, plain_http: bool) -> MemoryLayout:
    """Raises UsageError where it names no package in a registry."""
    import asyncio

    from camera_edge.packages import Access, Reference, pull

    return asyncio.run(pull(Reference.read(reference), Access.of(os.environ, plain_http=plain_http)))


def _warned_of_name(manifest: Manifest) -> bool:
    """Whether it has the name of a shipped analyzer; then it was said that it cannot be installed."""
    from camera_edge.packages import is_taken
    from camera_edge.packages.installation import OWN_NAME

    if not is_taken(manifest):
        return False
    warn([f"it cannot be installed: an analyzer {manifest.name!r} is shipped with camera-edge ({OWN_NAME})"])
    return True


def _installable_json(manifest: Manifest) -> dict[str, object]:
    from camera_edge.packages import is_taken

    return {"installable": not is_taken(manifest)}


def _built(source: Path) -> Path:
    """The module to pack: the file named, or the one that a folder's analyzer.toml names."""
    from camera_edge.errors import UsageError
    from camera_edge.sandbox.manifest import read_manifest
    from camera_edge.sandbox.module import MANIFEST_NAME, WASM_BYTES_MAX
    from camera_edge.sandbox.plainfile import read_plain

    if not source.is_dir():
        return source
    toml = source / MANIFEST_NAME
    try:
        name = read_manifest(read_plain(toml, WASM_BYTES_MAX), where=str(toml)).name
    except OSError as error:
        raise UsageError(
            f"cannot be read: {error.strerror}", where=str(toml), hint="name an analyzer's folder"
        ) from error
    path = source / f"{name}.wasm"
    if not path.exists():
        raise UsageError("the analyzer is not built", where=str(path), hint=f"camera-edge analyzer build {source}")
    return path


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"
