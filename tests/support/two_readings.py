"""The project's derivations and the second reading, both asked about the same histories.

A history becomes rows of the registry's tables; all histories are derived in one run. What both
readings say is brought into one form: the day and class of every assessment up to the first
progression, and the best responses. The mart of lesions lists index lesions alone, so that other
lesions are compared in the sums of their patients.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import ibis.expr.types as ir

from schemas.contract import Contract, columns, empty, rows
from schemas.settings import BaselineSettings, ResponseSettings
from schemas.tables.class_marts import CountedReaders
from schemas.tables.registry import (
    Lesions,
    Measurements,
    Patients,
    Scans,
    SubsequentTherapies,
    Treatments,
)
from tests.support.second_reading.evaluate import evaluate
from tests.support.second_reading.history import EPOCH, History
from tests.support.second_reading.settings import Settings
from tests.support.tumours import derived
from transforms.baseline import anchors as anchoring
from transforms.lesions import followed_lesions, new_lesions
from transforms.response import (
    assessed_days,
    best_response,
    lesion_assessments,
    lesion_quantities,
    subject_assessments,
)

Window = Literal["first_session", "planned_course"]
FIRST: Window = "first_session"
PLANNED: Window = "planned_course"
OURS = ResponseSettings(easl_quantity="estimated")
THEIRS = Settings(sd_min_days={"WHO": 0, "EASL": 0, "RECIST 1.1": 0, "mRECIST": 0})
"""The registry's default: stable disease from the first day on."""
Said = dict[tuple[Any, ...], Any]


class Reading(NamedTuple):
    """Unit and criterion -> assessments up to the first progression, and the best responses."""

    assessments: Said
    best: Said


def differences(
    histories: list[History], window: Window = FIRST, lesions: Window | None = None
) -> list[tuple[str, ...]]:
    """Units on which the readings differ: patient, unit and criterion.

    `lesions` derives what is known of lesions under another window: its queries are made already.

    Assessments that are not evaluable are not compared: the project lists none of a lesion without
    a row, the second reading does. Their number between a response and its confirmation is held by
    the confirmed best response. A unit of which nothing is known may be listed or left out.
    """
    ours, theirs = project(histories, window, lesions), second(histories, window)
    others = {(h.patient_id, x.id) for h in histories for x in h.lesions if not x.index_lesion}
    keys = {k for k in ours.best.keys() | theirs.best.keys() if k[:2] not in others}
    return sorted(k for k in keys if _evaluable(ours, k) != _evaluable(theirs, k))


def _evaluable(reading: Reading, key: tuple[Any, ...]) -> tuple[Any, ...]:
    days = tuple(d for d in reading.assessments.get(key, ()) if d[1] != "NE")
    return days, reading.best.get(key, ("NE", "NE"))


def project(
    histories: Iterable[History], window: Window = FIRST, lesions: Window | None = None
) -> Reading:
    """What the project's derivations say, in one run over all histories."""
    chosen, before = (OURS.model_copy(update={"patient_window": w}) for w in (window, lesions))
    return _said(_derived(_tables(list(histories)), chosen, before if lesions else chosen))


def second(histories: Iterable[History], window: Window = FIRST) -> Reading:
    """What the second reading says."""
    settings = replace(THEIRS, patient_window=window)
    assessments: Said = {}
    best: Said = {}
    for history in histories:
        result = evaluate(history, settings)
        assert result is not None
        for criterion, found in result.criteria.items():
            for lesion in found.lesions:
                if not lesion.in_denominator:
                    continue
                key = (history.patient_id, lesion.lesion_id, criterion)
                assessments[key] = _until_progression(
                    (a.day, a.response) for a in lesion.assessments
                )
                best[key] = (lesion.unconfirmed.response, lesion.confirmed.response)
            for organ, of in found.organs.items():
                key = (history.patient_id, organ, criterion)
                assessments[key] = _until_progression((a.day, a.response) for a in of.assessments)
                best[key] = (of.unconfirmed.response, of.confirmed.response)
    return Reading(assessments, best)


def _until_progression(found: Iterable[tuple[int, str]]) -> tuple[tuple[int, str], ...]:
    kept = []
    for day, response in sorted(found):
        kept.append((day, response))
        if response == "PD":
            break
    return tuple(kept)


def _derived(
    tables: Mapping[str, ir.Table], chosen: ResponseSettings, before: ResponseSettings
) -> dict[str, ir.Table]:
    """Every table between the registry's and the best responses; `before` judges lesions."""
    t = {**tables, "counted_readers": empty(CountedReaders)}
    based = BaselineSettings()
    t["sessions"] = derived(anchoring.sessions, based, t["treatments"])
    t["anchors"] = derived(anchoring.anchors, based, t["treatments"], t["sessions"])
    for function, settings in (
        (anchoring.subject_lesions, None),
        (lesion_quantities.lesion_quantities, before),
        (assessed_days.assessed_days, before),
        (new_lesions.new_lesions, None),
        (followed_lesions.followed_lesions, before),
        (lesion_assessments.lesion_assessments, before),
        (subject_assessments.subject_assessments, chosen),
        (best_response.lesion_response, chosen),
        (best_response.subject_response, chosen),
    ):
        names = function.__code__.co_varnames[: function.__code__.co_argcount]
        t[function.__name__] = derived(function, settings, *(t[n] for n in names))
    return t


def _said(t: Mapping[str, ir.Table]) -> Reading:
    names = {
        (r["subject_id"], r["lesion_number"]): r["lesion_id"]
        for r in _rows(t["subject_lesions"], "subject_id", "lesion_number", "lesion_id")
    }
    place = ("subject_id", "criterion", "rel_day", "response", "in_window")
    days: dict[tuple[Any, ...], list[tuple[int, str]]] = {}
    best: Said = {}
    for r in _rows(t["lesion_response"], "subject_id", "lesion_number", "criterion", *_BEST):
        key = (r["subject_id"], names[r["subject_id"], r["lesion_number"]], r["criterion"])
        best.setdefault(key, {})[r["confirmation"]] = r["best_response"]
    for r in _rows(t["subject_response"], "subject_id", "organ", "criterion", *_BEST):
        key = (r["subject_id"], r["organ"], r["criterion"])
        best.setdefault(key, {})[r["confirmation"]] = r["best_response"]
    for r in _rows(t["lesion_assessments"], "lesion_number", *place):
        key = (r["subject_id"], names[r["subject_id"], r["lesion_number"]], r["criterion"])
        if r["in_window"]:
            days.setdefault(key, []).append((r["rel_day"], r["response"]))
    for r in _rows(t["subject_assessments"], "organ", *place):
        if r["in_window"]:
            key = (r["subject_id"], r["organ"], r["criterion"])
            days.setdefault(key, []).append((r["rel_day"], r["response"]))
    return Reading(
        {key: _until_progression(days.get(key, ())) for key in best},
        {key: (both["unconfirmed"], both["confirmed"]) for key, both in best.items()},
    )


_BEST = ("confirmation", "best_response")


def _rows(table: ir.Table, *names: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table.select(*names).to_pyarrow().to_pylist()
    return found


def _tables(histories: list[History]) -> dict[str, ir.Table]:
    return {
        "patients": _table(
            Patients,
            ({**_who(h), "extrahepatic_disease": h.extrahepatic_disease} for h in histories),
        ),
        "treatments": _table(Treatments, (row for h in histories for row in _sessions(h))),
        "lesions": _table(Lesions, (_who(h) | _lesion(x) for h in histories for x in h.lesions)),
        "scans": _table(Scans, (_who(h) | _scan(x) for h in histories for x in h.scans)),
        "measurements": _table(
            Measurements, (_who(h) | _measured(x) for h in histories for x in h.measurements)
        ),
        "subsequent_therapies": _table(
            SubsequentTherapies,
            (
                _who(h)
                | {"therapy_class": x.therapy_class, "sequence": n, "start_date": _on(x.day)}
                for h in histories
                for n, x in enumerate(h.therapies, start=1)
            ),
        ),
    }


def _table(contract: type[Contract], records: Iterable[dict[str, Any]]) -> ir.Table:
    name = contract.__name__.lower()
    known = {c.name for c in columns(contract)}
    full = [
        {"row_id": f"{name}{n:07d}", "site_id": "s1"} | {k: v for k, v in r.items() if k in known}
        for n, r in enumerate(records)
    ]
    return rows(full, contract)


def _who(history: History) -> dict[str, Any]:
    return {"patient_id": history.patient_id, "subject_id": history.patient_id}


def _on(day: int) -> dt.date:
    return EPOCH + dt.timedelta(days=day)


def _sessions(history: History) -> Iterable[dict[str, Any]]:
    for number, session in enumerate(history.sessions, start=1):
        planned = session.planned_lobes
        both = planned and ("whole" in planned or {"right", "left"} <= set(planned))
        yield _who(history) | {
            "session_id": f"S{session.day:05d}",
            "target_id": f"T{number}",
            "treatment_date": _on(session.day),
            "device": "glass",
            "lobe": session.lobe,
            "planned_lobes": None if planned is None else "both" if both else planned[0],
        }


def _lesion(lesion: Any) -> dict[str, Any]:
    names = ("organ", "lobe", "index_lesion", "recist_target", "baseline_present")
    named = {n: getattr(lesion, n) for n in (*names, "merged_into", "split_from")}
    return {"lesion_id": lesion.id, **named}


def _scan(scan: Any) -> dict[str, Any]:
    names = ("modality", "reader", "arterial_phase", "new_lesion", "non_target")
    named = {n: getattr(scan, n) for n in (*names, "non_target_liver", "non_target_elsewhere")}
    evaluable = True if scan.evaluable is None else scan.evaluable
    return {"scan_date": _on(scan.day), "evaluable": evaluable, **named}


def _measured(reading: Any) -> dict[str, Any]:
    lengths = {
        f"{n}_mm": None if (v := getattr(reading, n)) is None else Decimal(v) / 1000
        for n in ("longest", "perpendicular", "enhancing_longest", "enhancing_perpendicular")
    }
    necrosis = reading.necrosis_pct
    return {
        "lesion_id": reading.lesion_id,
        "scan_date": _on(reading.day),
        "modality": reading.modality,
        "reader": reading.reader,
        "status": reading.status,
        "necrosis_pct": None if necrosis is None else Decimal(int(necrosis)),
        **lengths,
    }
