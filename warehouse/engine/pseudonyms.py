"""Keyed pseudonyms and row ids, computed inside the engine.

HMAC-SHA256 (RFC 2104) written with the engine's SHA-256, so that ten million rows never pass
through Python. The key lives outside the store; synthetic and public registries use a published
one.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.errors import Refused

if TYPE_CHECKING:
    from schemas.site import Site

DEMONSTRATION_KEY = b"y90-outcomes demonstration key: for synthetic and public data only"
DIGITS = 16
BLOCK = 64


def fingerprint(key: bytes) -> str:
    """What a manifest may say of a key: it tells keys apart and gives nothing away."""
    return hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest()[:DIGITS]


def pseudonym(key: bytes, *parts: str) -> str:
    """The id that `sql` computes, for a single value."""
    message = "\x1f".join(parts).encode()
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:DIGITS]


def excluded(key: bytes, sites: "Mapping[str, Site]") -> dict[str, str]:
    """What a manifest may say of each list of patients who withdrew: it tells lists apart."""
    return {
        name: pseudonym(key, "excluded", name, *sorted(site.excluded))
        for name, site in sorted(sites.items())
        if site.excluded
    }


def sql(key: bytes, *expressions: str) -> str:
    """The SQL expression of a pseudonym over text expressions."""
    inner, outer = _pads(key)
    message = f"encode(concat_ws(chr(31), {', '.join(expressions)}))"
    first = f"sha256(from_hex('{inner}') || {message})"
    return f"substr(sha256(from_hex('{outer}') || from_hex({first})), 1, {DIGITS})"


def new_key(path: Path) -> str:
    """Write a new key that only its owner can read, and return its fingerprint.

    Raises:
        Refused: there is a key already; it is never overwritten.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(
            f"{path}: there is a key already. A new one would give every patient a new pseudonym; "
            "move the old one away first if that is what you want."
        ) from None
    key = secrets.token_hex(32)
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
    return fingerprint(key.encode())


def read_key(path: Path) -> bytes:
    """The registry's key.

    Raises:
        Refused: it is missing, empty, or others can read it.
    """
    try:
        key = path.read_bytes().strip()
    except FileNotFoundError:
        raise Refused(
            f"{path}: no key. Make one with `y90 key new`, or set key_file in registry.toml. A "
            "lost key cannot be made again: pseudonyms change with it."
        ) from None
    except PermissionError:
        raise Refused(f"{path}: not readable. Ask the key's owner, or run as that user.") from None
    if len(key) < 32:
        raise Refused(f"{path}: shorter than 32 characters. Make one with `y90 key new`.")
    if path.stat().st_mode & 0o077:
        raise Refused(f"{path}: other users can read the key. Run `chmod 600 {path}`.")
    return key


def _pads(key: bytes) -> tuple[str, str]:
    block = (hashlib.sha256(key).digest() if len(key) > BLOCK else key).ljust(BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block).hex(), bytes(b ^ 0x5C for b in block).hex()
