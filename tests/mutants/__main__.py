"""Draw mutants, run the tests that rest on each, and print which of them live.

    .venv/bin/python -m tests.mutants [--rooms transforms analytics] [--count 60] [--skip 0]
    .venv/bin/python -m tests.mutants --faults

Each mutant is written into a temporary copy of the code. A child process, forked where the foreign
libraries are imported already, runs its tests there and stops at the first that fails. A mutant
that no quick test kills is also asked the golden tests of the reference night, unless --quick.
With --faults the deliberate faults of `faults.py` are tried instead, each with its own tests only.
"""

import argparse
import compileall
import os
import py_compile
import shutil
import signal
import sys
import tempfile
import time
import tomllib
import traceback
from pathlib import Path

from tests.mutants.choice import ROOT, SEED, drawn, night_tests, quick_tests
from tests.mutants.faults import FAULTS, located
from tests.mutants.operators import Mutant, is_python

Tests = tuple[str, ...]
Task = tuple[Mutant, list[Tests]]
"""A mutant, and rounds of test files: the next round is asked where one notices nothing."""

PACKAGES = ("schemas", "transforms", "analytics", "warehouse", "flows", "report", "simulation")
COPIED = (*PACKAGES, "tests", "docs", "benchmarks", "pyproject.toml")
SECONDS = 1800
"""A mutant whose tests run longer has made a loop: it counts as killed."""
FAILED, UNREADABLE, NO_TESTS, BROKEN = 1, 2, 5, 70
PYTEST = ("-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-m", "not extra and not long")
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def main() -> int:
    """Exit with 1 where a mutant lives that is not named as equivalent."""
    arguments = _arguments()
    tasks = _faults() if arguments.faults else _mutants(arguments)
    equivalent = tomllib.loads(EQUIVALENT.read_text("utf-8"))
    ends: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory(prefix="y90-mutants-") as folder:
        copy = _copy(Path(folder))
        _import_libraries()
        if not arguments.no_control:
            _control(copy, tasks)
        for number, (mutant, rounds) in enumerate(tasks, start=arguments.skip + 1):
            started = time.monotonic()
            end = "equivalent" if mutant.name in equivalent else _tried(copy, mutant, rounds)
            ends.setdefault(end, []).append(mutant.name)
            seconds = time.monotonic() - started
            _say(f"{number:4} {end:10} {seconds:4.0f} s  {mutant.line}: {mutant.name}")
    _say(", ".join(f"{len(names)} {end}" for end, names in sorted(ends.items())))
    _say(f"{len(ends.get('killed', []))} of {sum(map(len, ends.values()))} killed")
    return 1 if set(ends) - {"killed", "equivalent"} else 0


def _faults() -> list[Task]:
    return [(located(ROOT, fault), [fault.tests]) for fault in FAULTS]


def _mutants(arguments: argparse.Namespace) -> list[Task]:
    pool = drawn(tuple(arguments.rooms), arguments.skip + arguments.count, arguments.seed)
    return [
        (m, [quick_tests(m.path), *([] if arguments.quick else [night_tests(m.path)])])
        for m in pool[arguments.skip :]
    ]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--rooms", nargs="+", default=["transforms", "analytics"])
    parser.add_argument("--count", type=int, default=60, help="how many mutants to try")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many of the draw")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--faults", action="store_true", help="try the deliberate faults")
    parser.add_argument("--no-control", action="store_true", help="trust the tests as they are")
    parser.add_argument("--quick", action="store_true", help="make no reference night")
    return parser.parse_args()


def _copy(folder: Path) -> Path:
    """Copy the code, with bytecode that is checked against the source and not against a time."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            left_out = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=left_out)
        else:
            shutil.copy(ROOT / name, folder / name)
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    for package in PACKAGES:
        compileall.compile_dir(folder / package, quiet=2, invalidation_mode=mode)
    return folder


def _import_libraries() -> None:
    """Import what is dear and not ours, once for all children; none of it starts a thread."""
    import duckdb  # noqa: F401
    import hypothesis  # noqa: F401
    import ibis  # noqa: F401
    import lifelines  # noqa: F401
    import pandera.ibis  # noqa: F401
    import pydantic  # noqa: F401
    import pytest  # noqa: F401
    import scipy.stats  # noqa: F401


def _tried(copy: Path, mutant: Mutant, rounds: list[Tests]) -> str:
    target = copy / mutant.path
    source = target.read_bytes()
    changed = mutant.applied(source)
    if not is_python(changed):
        return "no Python"
    target.write_bytes(changed)
    try:
        codes = [0]
        for tests in rounds:
            if tests and codes[-1] in (0, NO_TESTS):
                codes.append(_in_a_child(copy, tests))
        return _named(codes)
    finally:
        target.write_bytes(source)


def _named(codes: list[int]) -> str:
    if codes == [0]:
        return "untested"
    if codes[-1] in (FAILED, UNREADABLE, -signal.SIGKILL):
        return "killed"
    return "lives" if codes[-1] in (0, NO_TESTS) else "broken"


def _control(copy: Path, tasks: list[Task]) -> None:
    """The tests must pass on the code as it is, or every mutant would seem to be killed."""
    tests = dict.fromkeys(test for _, rounds in tasks for test in rounds[0])
    if _in_a_child(copy, tuple(tests)):
        raise SystemExit("the tests fail without any mutant: mend them first.")


def _in_a_child(copy: Path, tests: tuple[str, ...]) -> int:
    child = os.fork()
    if not child:
        try:
            os.setsid()
            os._exit(_run(copy, tests))
        finally:
            traceback.print_exc()
            os._exit(BROKEN)  # and never back into the parent's code
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(SECONDS)
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    return os.waitstatus_to_exitcode(status)


def _run(copy: Path, tests: tuple[str, ...]) -> int:
    import pytest

    os.chdir(copy)
    _forget_own_modules()
    sys.path[:] = [str(copy), *(p for p in sys.path if Path(p or ".").resolve() != ROOT)]
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        return int(pytest.main([*PYTEST, *tests]))


def _forget_own_modules() -> None:
    """The parent has imported its own tests; the child must take those of the copy."""
    for name in list(sys.modules):
        if name.split(".")[0] in {*PACKAGES, "tests", "docs"}:
            del sys.modules[name]


if __name__ == "__main__":
    sys.exit(main())
