"""y90 paper: what a manuscript takes from a release, and its numbers written again."""

import argparse
import shutil
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.commands.answers.accounting import NAMED, as_facts, explanation_text
from flows.commands.command import Command, Context, table
from schemas.errors import Held, Refused
from schemas.records.field.journals import JOURNALS

if TYPE_CHECKING:
    from schemas.number_lock import Number


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--release", metavar="ID", help=f"{NAMED} (default: current)")
    parser.add_argument("--to", type=Path, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--refresh", type=Path, metavar="FILE", help="instead: write a document's numbers again"
    )
    parser.add_argument(
        "--lock", type=Path, metavar="FILE", help="default: numbers.lock beside the document"
    )
    parser.add_argument(
        "--style",
        default="plain",
        metavar="JOURNAL",
        help=f"print numbers and figures as a journal does: {', '.join(JOURNALS)}",
    )
    parser.add_argument("--by", default="", metavar="FACTOR", help="split Table 1 by a factor too")
    parser.add_argument(
        "--only", default="", metavar="F4,T1", help="these figures and tables alone"
    )
    parser.add_argument(
        "--patient-level", action="store_true", help="also figures that show single patients"
    )
    parser.add_argument("--no-explain", action="store_true", help="do not explain what changed")


def _paper(context: Context) -> int:
    given = context.arguments
    if (given.to is None) == (given.refresh is None):
        raise Refused("y90 paper: name a new folder with --to, or a document with --refresh.")
    release = context.release(given.release)
    _readable(context, release)
    return _refresh(context, release) if given.refresh else _write(context, release)


def _readable(context: Context, release: Path) -> None:
    """A held or withdrawn release gives no manuscript; of a degraded one is told.

    Raises:
        Held: it waits for approval, or was withdrawn.
    """
    from warehouse.releases import releases

    facts = releases.manifest(release)
    status = releases.status(facts, releases.decisions(release))
    if status != "published":
        raise Held(
            f"release {release.name} is {status}: no manuscript is written from it. See "
            f"`y90 release show {release.name}`, or name another with --release."
        )
    context.note_purged(release)
    for site, why in facts["content"]["degraded"].items():
        context.warn(f"note: release {release.name} is degraded: {site}: {why}")


def _write(context: Context, release: Path) -> int:
    import duckdb

    from flows.telling import progress
    from report.figures.source import printed_for
    from report.paper import bundle
    from warehouse.releases import query, releases
    from warehouse.store import new_folder

    given = context.arguments
    if given.style not in JOURNALS:
        raise Refused(f"--style {given.style}: there is none. There are {', '.join(JOURNALS)}.")
    if given.to.exists():
        raise Refused(f"{given.to}: there is something already. Name a folder that is not there.")
    content = releases.manifest(release)["content"]
    said = context.registry_of(release).file.paper.model_dump()
    origin = _origin(content, release.name, said)
    only = tuple(part.strip() for part in given.only.split(",") if part.strip())
    wanted = bundle.Wanted(given.by, only, given.patient_level)
    night = date.fromisoformat(content["as_of"])
    with progress.doing("paper"), query.open_release(release) as con:
        try:
            with printed_for(JOURNALS[given.style]):
                made = bundle.files(con, origin, night, wanted)
        except (duckdb.CatalogException, duckdb.BinderException, KeyError):
            raise Refused(
                f"release {release.name} was made by another version of y90 and lacks a table or "
                "column that the manuscript reads. Name a newer one with --release."
            ) from None
        given.to.parent.mkdir(parents=True, exist_ok=True)
        with new_folder(given.to.absolute()) as folder:
            bundle.write(folder, made)
    given.to.chmod(0o700)
    facts = {"release": release.name, "to": given.to, "files": sorted(made)}
    context.report(facts, f"{len(made)} files of {release.name} in {given.to}: see README.md there")
    return 0


def _origin(content: dict[str, Any], release_id: str, said: dict[str, Any]) -> Any:
    from report.paper.manuscript import Origin
    from warehouse.releases import releases

    return Origin(
        registry=content["registry"],
        release=release_id,
        data_cutoff=content["data_cutoff"],
        synthetic=releases.is_synthetic(content),
        settings=content["settings"],
        said=said,
    )


def _refresh(context: Context, release: Path) -> int:
    from schemas import number_lock
    from warehouse.account import numbers
    from warehouse.store import write_atomically

    given = context.arguments
    place = given.lock or given.refresh.parent / "numbers.lock"
    before = numbers.read(place)
    document, after = numbers.refreshed(given.refresh, before, release)
    changed = [(before[n.label], n) for n in after if before[n.label].text != n.text]
    if changed:
        shutil.copy2(given.refresh, given.refresh.with_suffix(".before.docx"))
    write_atomically(given.refresh, document)
    write_atomically(place, number_lock.written(after).encode())
    why = {} if given.no_explain else _explained(context, changed, release)
    facts = {
        "release": release.name,
        "numbers": len(after),
        "changed": [
            {"label": new.label, "statistic_id": new.statistic_id, "old": old.text, "new": new.text}
            for old, new in changed
        ],
        "explanations": {name: as_facts(found) for name, found in why.items()},
    }
    changed.sort(key=lambda pair: (pair[1].statistic_id or "", pair[1].field or ""))
    rows = [(new.statistic_id, new.field or "", old.text, new.text) for old, new in changed]
    head = f"{len(changed)} of {len(after)} numbers changed to {release.name}. "
    head += "Words and pictures are as they were: `y90 paper --to` draws new ones."
    text = [head]
    if changed:
        text += ["", table(("statistic", "field", "old", "new"), rows)]
    text += [part for found in why.values() for part in ("", explanation_text(found))]
    context.report(facts, "\n".join(text))
    return 0


def _explained(
    context: Context, changed: "list[tuple[Number, Number]]", release: Path
) -> dict[str, Any]:
    """Why those among them that head the report have moved; each statistic once."""
    from warehouse.account import explain
    from warehouse.releases import releases

    heading = _heading(release)
    found: dict[str, Any] = {}
    for old, new in changed:
        name = new.statistic_id
        if name is None or name in found or name not in heading:
            continue
        left = releases.resolve(context.store, old.release)
        if left != release:
            found[name] = explain.explain(
                context.store,
                context.registry_of(release),
                context.key_of(release),
                name,
                left,
                release,
            )
    return found


def _heading(release: Path) -> set[str]:
    """The statistics at the top of the report."""
    from report.headline import headlines
    from warehouse.releases import query, releases

    lesions = releases.manifest(release)["content"]["settings"]["response"]["headline_lesions"]
    with query.open_release(release) as con:
        return {n.statistic_id for h in headlines(con, lesions) for n in h.numbers}


COMMANDS = (
    Command(
        name="paper",
        help="write figures, Word tables and a manuscript of a release, or its numbers again",
        example="y90 paper --to paper",
        answer=_paper,
        arguments=_arguments,
    ),
)
