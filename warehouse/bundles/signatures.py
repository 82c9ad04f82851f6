"""Sign a file and check a signature in OpenSSH's format, which `ssh-keygen -Y verify` reads too.

Keys are Ed25519. A signature is of a namespace, so that one made for another purpose is none here.

Source: PROTOCOL.sshsig of OpenSSH 8.1; RFC 8709 (ssh-ed25519).
"""

from __future__ import annotations

import base64
import hashlib
import os
import struct
import textwrap
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from schemas.errors import Refused

MAGIC = b"SSHSIG"
KIND = b"ssh-ed25519"
NAMESPACE = "y90-pool"
BEGIN, END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"


def new_key(path: Path, owner: str) -> str:
    """Write a new signing key that only its owner can read, and its public half beside it.

    Returns:
        The public key, one line as in `pool.toml`.

    Raises:
        Refused: there is a key already; it is never overwritten.
    """
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(
            f"{path}: there is a signing key already. Whoever pools knows its public half; move "
            "it away first if you want another, and send them the new one."
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(private)
    public = f"{public_line(key)} {owner}"
    path.with_name(path.name + ".pub").write_text(public + "\n", "utf-8")
    return public


def public_line(key: Ed25519PrivateKey) -> str:
    """The public half as OpenSSH writes it, without a comment."""
    encoded = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return encoded.decode()


def read_key(path: Path) -> Ed25519PrivateKey:
    """A signing key.

    Raises:
        Refused: it is missing, readable by others, or no Ed25519 key.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise Refused(
            f"{path}: no signing key. Make one with `y90 key new --signing`, and send its public "
            "half to whoever pools."
        ) from None
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path}: other users can read the key. Run `chmod 600 {path}`.")
    try:
        key = serialization.load_ssh_private_key(data, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Refused(f"{path}: not an Ed25519 key of OpenSSH. Make one with `y90 key new`.")
    return key


def fingerprint(public: str) -> str:
    """What OpenSSH calls a key: SHA256 and its hash.

    Raises:
        ValueError: it is no public key of this kind.
    """
    digest = hashlib.sha256(_blob(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def sign(key: Ed25519PrivateKey, message: bytes) -> str:
    """The armoured signature of a message."""
    public = _blob(public_line(key))
    signature = _text(KIND) + _text(key.sign(_signed(message)))
    body = MAGIC + struct.pack(">I", 1) + _text(public) + _text(NAMESPACE.encode())
    body += _text(b"") + _text(b"sha512") + _text(signature)
    lines = textwrap.wrap(base64.b64encode(body).decode(), 70)
    return "\n".join([BEGIN, *lines, END]) + "\n"


def signed_by(public: str, message: bytes, armoured: str) -> bool:
    """Whether a key signed a message for this namespace."""
    try:
        parts = _read(armoured)
        own = _blob(public)
        kind, signature = _fields(parts[4], 2)
        if parts[:2] != (own, NAMESPACE.encode()) or parts[3] != b"sha512" or kind != KIND:
            return False
        _, raw = _fields(own, 2)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, _signed(message))
    except (ValueError, struct.error, InvalidSignature):
        return False
    return True


def _signed(message: bytes) -> bytes:
    digest = hashlib.sha512(message).digest()
    return MAGIC + _text(NAMESPACE.encode()) + _text(b"") + _text(b"sha512") + _text(digest)


def _read(armoured: str) -> tuple[bytes, ...]:
    """Public key, namespace, reserved, hash algorithm and signature."""
    lines = armoured.split()
    if armoured.count(BEGIN) != 1 or not armoured.rstrip().endswith(END):
        raise ValueError("not a signature of OpenSSH")
    inner = "".join(lines).removeprefix("".join(BEGIN.split())).removesuffix("".join(END.split()))
    body = base64.b64decode(inner, validate=True)
    if body[:6] != MAGIC or body[6:10] != struct.pack(">I", 1):
        raise ValueError("not a signature of OpenSSH")
    return _fields(body[10:], 5)


def _blob(public: str) -> bytes:
    """The binary form of a public key in one line."""
    words = public.split()
    if len(words) < 2 or words[0].encode() != KIND:
        raise ValueError("not an ssh-ed25519 public key")
    blob = base64.b64decode(words[1], validate=True)
    kind, raw = _fields(blob, 2)
    if kind != KIND or len(raw) != 32:
        raise ValueError("not an ssh-ed25519 public key")
    return blob


def _text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _fields(data: bytes, number: int) -> tuple[bytes, ...]:
    """So many length-prefixed fields, and nothing after them."""
    found = []
    for _ in range(number):
        length = struct.unpack(">I", data[:4])[0] if len(data) >= 4 else len(data)
        if len(data) < 4 + length:
            raise ValueError("cut off")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    if data:
        raise ValueError("more than was said")
    return tuple(found)
