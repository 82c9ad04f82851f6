"""OpenSSH reads our signatures and we read those that it makes."""

import subprocess
from pathlib import Path

import pytest

from warehouse.bundles import signatures

pytestmark = pytest.mark.extra
MESSAGE = b'{"registry": "north"}\n'


def _verified(folder: Path, message: bytes) -> bool:
    """What `ssh-keygen -Y verify` says of bundle.json.sig and a message."""
    command = ["ssh-keygen", "-Y", "verify", "-f", str(folder / "allowed"), "-I", "north"]
    command += ["-n", signatures.NAMESPACE, "-s", str(folder / "bundle.json.sig")]
    told = subprocess.run(command, input=message, capture_output=True, check=False)
    return told.returncode == 0


def test_openssh_verifies_what_we_sign(tmp_path: Path) -> None:
    public = signatures.new_key(tmp_path / "north.signing", "north")
    (tmp_path / "allowed").write_text(f"north {public}\n")
    armoured = signatures.sign(signatures.read_key(tmp_path / "north.signing"), MESSAGE)
    (tmp_path / "bundle.json.sig").write_text(armoured)
    assert _verified(tmp_path, MESSAGE)
    assert not _verified(tmp_path, MESSAGE.replace(b"north", b"south"))


def test_we_verify_what_openssh_signs(tmp_path: Path) -> None:
    key, message = tmp_path / "key", tmp_path / "bundle.json"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    message.write_bytes(MESSAGE)
    sign = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", signatures.NAMESPACE]
    subprocess.run([*sign, str(message)], check=True, capture_output=True)
    armoured = message.with_suffix(".json.sig").read_text()
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    assert signatures.signed_by(public, MESSAGE, armoured)
    assert not signatures.signed_by(public, MESSAGE + b" ", armoured)
