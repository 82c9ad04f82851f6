"""Signatures in OpenSSH's format hold for one message, one key and one purpose."""

from pathlib import Path

import pytest

from schemas.errors import Refused
from warehouse.bundles import signatures

BYTES = b"what is signed\n"


def keys(folder: Path) -> tuple[Path, str]:
    path = folder / "north.signing"
    return path, signatures.new_key(path, "north")


def test_a_signature_is_of_the_message_and_the_key(tmp_path: Path) -> None:
    path, public = keys(tmp_path)
    _, other = keys(tmp_path / "other")
    signature = signatures.sign(signatures.read_key(path), BYTES)
    assert signatures.signed_by(public, BYTES, signature)
    assert not signatures.signed_by(public, BYTES + b"x", signature)
    assert not signatures.signed_by(other, BYTES, signature)


@pytest.mark.parametrize("place", [0, 40, 120, 200, 260])
def test_no_byte_of_a_signature_can_change(tmp_path: Path, place: int) -> None:
    path, public = keys(tmp_path)
    signature = signatures.sign(signatures.read_key(path), BYTES)
    changed = signature[:place] + ("A" if signature[place] != "A" else "B") + signature[place + 1 :]
    assert not signatures.signed_by(public, BYTES, changed)


@pytest.mark.parametrize(
    "text", ["", "x", signatures.BEGIN, f"{signatures.BEGIN}\n{signatures.END}"]
)
def test_what_is_no_signature_is_none(tmp_path: Path, text: str) -> None:
    assert not signatures.signed_by(keys(tmp_path)[1], BYTES, text)


def test_a_signature_for_another_purpose_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, public = keys(tmp_path)
    monkeypatch.setattr(signatures, "NAMESPACE", "file")
    signature = signatures.sign(signatures.read_key(path), BYTES)
    monkeypatch.undo()
    assert not signatures.signed_by(public, BYTES, signature)


def test_a_key_is_its_owners_and_never_overwritten(tmp_path: Path) -> None:
    path, _ = keys(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Refused, match="there is a signing key already"):
        signatures.new_key(path, "north")
    path.chmod(0o644)
    with pytest.raises(Refused, match="other users"):
        signatures.read_key(path)
    with pytest.raises(Refused, match="no signing key"):
        signatures.read_key(tmp_path / "none")
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(Refused, match="not an Ed25519 key"):
        signatures.read_key(path)


@pytest.mark.parametrize("line", ["", "ssh-rsa AAAA", "ssh-ed25519 !!", "ssh-ed25519 AAAA"])
def test_what_is_no_public_key_is_told(line: str) -> None:
    with pytest.raises(ValueError, match=r"public key|base64|padding|cut off|Only"):
        signatures.fingerprint(line)
