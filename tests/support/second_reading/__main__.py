"""Print, for N generated histories, how often each situation and each class occurs."""

import argparse
from collections import Counter

from .evaluate import evaluate
from .generate import histories
from .history import CRITERIA
from .settings import Settings


def main() -> None:
    """Read the number of histories and the seed, and print the counts."""
    parser = argparse.ArgumentParser(prog="second_reading", description=__doc__)
    parser.add_argument("n", type=int, nargs="?", default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    report(histories(arguments.n, arguments.seed))


def report(items: list) -> None:
    """Print situations, classes and findings."""
    situations = Counter(name for item in items for name in item.situations)
    results = [evaluate(item, Settings()) for item in items]
    _table("situations", situations)
    for criterion in CRITERIA:
        _table(
            f"{criterion}: lesion best response, unconfirmed",
            Counter(
                lesion.unconfirmed.response
                for result in results
                for lesion in result.criteria[criterion].lesions
                if lesion.in_denominator
            ),
        )
        _table(
            f"{criterion}: patient best response, unconfirmed",
            Counter(
                result.criteria[criterion].organs["all"].unconfirmed.response for result in results
            ),
        )
        _table(
            f"{criterion}: rules of patient assessments",
            Counter(
                item.rule
                for result in results
                for item in result.criteria[criterion].organs["all"].assessments
            ),
        )
    _table("findings", Counter(finding.kind for result in results for finding in result.findings))


def _table(title: str, counts: Counter) -> None:
    """Print one table of counts."""
    print(f"\n{title}")
    for name, n in sorted(counts.items()):
        print(f"  {n:6d}  {name}")


if __name__ == "__main__":
    main()
