"""The command y90 reproduce: print published figures beside those of the reference cohort."""

import argparse
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.command import Command, Context, table
from schemas.errors import Refused

if TYPE_CHECKING:
    from analytics.published.contradictions import Contradiction
    from analytics.published.reproduction import Compared, Computed

PRESET = "memon2012"
FORMAT = "redcap"
COMPARATOR = "comparator"
FOLLOW_UP = ("imaging", "reverse_km", "observed_all", "observed_alive")
Known = dict[str, "Computed"]


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--release",
        metavar="ID",
        help="ask this release of the store named with --store (default: its current one); "
        "without --store the cohort goes through the pipeline in a temporary store",
    )


def _answer(context: Context) -> int:
    from analytics.published.contradictions import CONTRADICTIONS
    from analytics.published.reproduction import compare

    with _release(context) as (release, made):
        known = _statistics(release)
    compared = compare(known)
    asked = [row for row in compared if row.agrees is not None]
    n_agree = sum(row.agrees is True for row in asked)
    verdict = f"{n_agree} of {len(asked)} computable figures agree ({made})"
    context.give(
        {
            "made": made,
            "computable": len(asked),
            "agree": n_agree,
            "figures": [_figure_facts(row) for row in compared],
            "follow_up": {d: _follow_up(known, d).value for d in FOLLOW_UP},
            "contradictions": [_contradiction_facts(x, known) for x in CONTRADICTIONS],
        },
        "\n".join(
            [
                *(_figures_text(compared), "", _follow_up_text(known), ""),
                *(_contradictions_text(CONTRADICTIONS, known), "", verdict),
            ]
        ),
    )
    return 0 if n_agree == len(asked) else 1


@contextmanager
def _release(context: Context) -> Iterator[tuple[Path, str]]:
    """The release to ask, and where it comes from."""
    if context.arguments.store:
        yield _published(context)
        return
    if context.arguments.release:
        raise Refused("--release: of which store? Name it with --store, or leave --release out.")
    with tempfile.TemporaryDirectory(prefix="y90-reproduce-") as folder:
        yield _run(Path(folder) / "store"), "made now, in a temporary store"


def _published(context: Context) -> tuple[Path, str]:
    """A release that the named store holds.

    Raises:
        Refused: it is not of the reference cohort, or a patient was purged from it.
    """
    from warehouse.releases import expunge, releases

    path = releases.resolve(context.store, context.arguments.release)
    content = releases.manifest(path)["content"]
    origins = {site["origin"] for site in content["sites"].values()}
    if not of_publication(content["registry"], origins):
        raise Refused(
            f"{path}: a release of {content['registry']}, not of the reference cohort. Leave "
            "--store out to build that in a temporary place, or run `make run` first."
        )
    if purged := expunge.purged_subjects(path):
        raise Refused(
            f"release {path.name}: {purged} of its patients were purged, so its rows no longer "
            "give its numbers and it cannot be reproduced. Leave --store out to build the cohort "
            "in a temporary place."
        )
    return path, f"release {path.name}"


def of_publication(registry: str, origins: Collection[str]) -> bool:
    """Whether a registry is the cohort made after the publication, and so comparable with it."""
    return registry == PRESET and set(origins) == {"synthetic"}


def _run(root: Path) -> Path:
    """Send the cohort's export through the whole pipeline."""
    from flows import steps
    from flows.settings import load_registry, registry_key
    from simulation import PRESETS, registry_folder, simulate
    from warehouse.store import Store

    store, as_of = Store.open(root), PRESETS[PRESET].default_as_of
    simulate(PRESET, FORMAT, as_of, store.site_inbox(PRESET) / as_of.isoformat())
    registry = load_registry(registry_folder(PRESET, FORMAT) / "registry.toml")
    night = steps.Job(store, registry, registry_key(registry), as_of, as_of)
    return steps.nightly(night).published.path


def _statistics(release: Path) -> Known:
    from analytics.published.reproduction import Computed
    from warehouse.releases import former_names
    from warehouse.releases.query import open_release

    with open_release(release) as con:
        name = former_names.renamed_id if former_names.used_by(release) else str
        found = con.execute(
            f"SELECT {name('statistic_id')}, value, n, total FROM outcomes.statistics UNION ALL "
            "SELECT statistic_id, value, NULL, NULL FROM outcomes.sensitivity"
        ).fetchall()
    return {name: Computed(*values) for name, *values in found}


def _figures_text(compared: "list[Compared]") -> str:
    words = {True: "agrees", False: "DIFFERS", None: COMPARATOR}
    return table(
        ("id", "published figure", "unit", "published", "computed", "answer"),
        [
            (
                *(row.figure.figure_id, row.figure.quantity, row.figure.unit),
                *(_as_published(row), row.printed, words[row.agrees]),
            )
            for row in compared
        ],
    )


def _as_published(row: "Compared") -> str:
    counts = f" ({row.figure.n}/{row.figure.total})" if row.figure.unit == "%" else ""
    return row.figure.published + (counts if row.figure.n is not None else "")


def _follow_up(known: Known, definition: str) -> "Computed":
    from analytics.published.reproduction import Computed

    return known.get(f"follow_up.all.{definition}", Computed(None))


def _follow_up_text(known: Known) -> str:
    rows = [
        (definition, own.n, _shown(own.value))
        for definition in FOLLOW_UP
        for own in [_follow_up(known, definition)]
    ]
    return table(("median follow-up", "patients", "months"), rows)


def _contradictions_text(contradictions: "tuple[Contradiction, ...]", known: Known) -> str:
    lines = []
    for x in contradictions:
        lines += [f"{x.contradiction_id}  {x.printed}", f"     Chosen: {x.chosen}"]
        lines += [f"     {name} = {_one(known, name)}" for name in x.shown_by]
    return "\n".join(lines)


def _one(known: Known, name: str) -> str:
    own = known.get(name)
    if own is None or own.value is None:
        return "not computed"
    is_share = name.startswith(("toxicity", "response", "symptom", "baseline"))
    return f"{_shown(own.value)} % ({own.n}/{own.total})" if is_share else _shown(own.value)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _figure_facts(row: "Compared") -> dict[str, Any]:
    return {
        "figure_id": row.figure.figure_id,
        "series": row.figure.series,
        "quantity": row.figure.quantity,
        "unit": row.figure.unit,
        "published": row.figure.published,
        "published_n": row.figure.n,
        "published_total": row.figure.total,
        "statistic_id": row.statistic_id,
        "value": row.own.value,
        "n": row.own.n,
        "total": row.own.total,
        "computed": row.printed,
        "agrees": row.agrees,
    }


def _contradiction_facts(x: "Contradiction", known: Known) -> dict[str, Any]:
    return {
        "contradiction_id": x.contradiction_id,
        "printed": x.printed,
        "chosen": x.chosen,
        "shown_by": {name: known[name].value if name in known else None for name in x.shown_by},
    }


COMMANDS = (
    Command(
        name="reproduce",
        help="print every published figure beside the one computed from the reference cohort",
        example="y90 reproduce --json",
        answer=_answer,
        arguments=_arguments,
    ),
)
