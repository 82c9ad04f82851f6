"""The command y90 certificate: show how near this machine's estimators come to R."""

import argparse
from collections.abc import Mapping
from typing import Any

from flows.commands.command import Command, Context, table
from schemas.errors import Failed


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--again", action="store_true", help="make it again where there is one for this code"
    )


def _answer(context: Context) -> int:
    from warehouse.concordance import certificate

    found = None if context.arguments.again else certificate.read()
    facts = found or certificate.make()
    context.report(facts, _text(facts))
    wrong = [f["estimator"] for f in facts["estimators"] if not f["passed"]]
    if wrong and not context.json:
        raise Failed(
            f"certificate: farther from R or the second implementation than allowed: "
            f"{', '.join(wrong)}. Install the locked packages with `make setup`, and report it."
        )
    return 1 if wrong else 0


def _text(facts: Mapping[str, Any]) -> str:
    names = (
        *("estimator", "numbers", "in R", "difference", "allowed"),
        *("second", "difference", "allowed", "answer"),
    )
    rows = [
        (
            *(f["estimator"], f["numbers"], f["of_r"]),
            *(_short(f["largest_difference_to_r"]), _short(f["tolerance"])),
            *(f["second"], _short(f["largest_difference_to_second"])),
            _short(f["second_tolerance"]),
            "agrees" if f["passed"] else "DIFFERS",
        )
        for f in facts["estimators"]
    ]
    conventions = [f"{f['estimator']}: {f['conventions']}" for f in facts["estimators"]]
    versions = ", ".join(f"{n} {v}" for n, v in facts["versions"].items())
    of_r = ", ".join(f"{n} {v}" for n, v in facts["of_r"].items())
    made = f"made {facts['made_at']} with {versions}; R's answers: {of_r}"
    return "\n".join([table(names, rows), "", *conventions, "", made])


def _short(value: Any) -> str:
    return f"{value:.1e}" if isinstance(value, float) else str(value or "")


COMMANDS = (
    Command(
        name="certificate",
        help=(
            "compare every estimator with R's answers and a second implementation, once for each "
            "version of the code; exits 1 if one differs"
        ),
        example="y90 certificate",
        answer=_answer,
        arguments=_arguments,
    ),
)
