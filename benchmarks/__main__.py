"""Every claim about speed, measured: both sides in one run, medians, a ratio.

    python -m benchmarks [NAME] [--size N ...]

Without a name all run at their default sizes, each in a process of its own.
"""

import subprocess
import sys
from pathlib import Path

NAMES = sorted(
    p.stem
    for p in Path(__file__).parent.glob("*.py")
    if p.stem not in ("__main__", "measure", "invented")
)


def main() -> int:
    """Run one benchmark with its flags, or all of them."""
    chosen, flags = sys.argv[1:2], sys.argv[2:]
    if chosen and chosen[0] not in NAMES:
        sys.stderr.write(f"{chosen[0]}: no such benchmark. There are: {', '.join(NAMES)}\n")
        return 2
    codes = []
    for name in chosen or NAMES:
        sys.stdout.write(f"== {name}\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", f"benchmarks.{name}", *flags]
        codes.append(subprocess.run(command, check=False).returncode)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
