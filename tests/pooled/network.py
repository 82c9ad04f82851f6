"""Five registries of `survival::pbc`, each telling what the policy lets it, and literal bundles."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from schemas.house_settings import Member, PoolFile
from warehouse.bundles import bundle, comparisons, curves, signatures
from warehouse.bundles.draft import Unit
from warehouse.bundles.sources import Curve, Factor
from warehouse.concordance.answers import column, rows

NAMES = ("north", "south", "east", "west", "isle")
REGISTRIES = dict(zip(NAMES, "ABCDE", strict=True))
CHOSEN = curves.Chosen((12, 24, 36, 60), (12, 24, 36, 60), True)
TERMS = ("edema", "bilirubin", "albumin", "age")
NIGHT = "2024-05-31"


@cache
def patients(name: str) -> Any:
    """A registry as the source of one endpoint and four factors."""
    own = rows("pbc5", registry=REGISTRIES[name])
    subjects = tuple(f"p{n:03d}" for n in range(len(own)))
    curve = Curve(subjects, column(own, "days"), column(own, "cause") == 2)
    factors = [
        Factor(t, "yes", dict(zip(subjects, (column(own, t) == 1).tolist(), strict=True)))
        for t in TERMS
    ]
    return SimpleNamespace(curves={"OS": curve}, factors=factors)


@cache
def units(name: str) -> dict[str, Unit]:
    """The curve and the comparisons of a registry."""
    source = patients(name)
    found = dict(curves.units(source, CHOSEN, lambda _: None))
    return found | dict(comparisons.units(source, {}))


def told(name: str, counts: dict[str, tuple[int, int] | None]) -> dict[str, list[dict[str, Any]]]:
    """The tables of a registry's bundle: its curve and comparisons, and literal counts."""
    tables: dict[str, list[dict[str, Any]]] = {table: [] for table in bundle.BY_NAME}
    for unit in units(name).values():
        for table, listed in unit.rows.items():
            tables[table] += [r | {"as_of": NIGHT} for r in listed]
    for statistic, pair in counts.items():
        n, total = pair or (None, None)
        row = {"statistic_id": statistic, "as_of": NIGHT, "n": n, "total": total, "missing": None}
        tables["counts"].append(row | {"suppressed": pair is None})
    return tables


def defined(tables: dict[str, list[dict[str, Any]]], **settings: str) -> None:
    """Let every statistic rest on the same settings; OS on none of response's."""
    shown = sorted(
        {r["statistic_id"] for own in tables.values() for r in own if "statistic_id" in r}
    )
    tables["definitions"] = [
        {"statistic_id": s, "key": key, "definition": "d", "label": f"label of {s}", "value": value}
        for s in shown
        for key, value in ({"number": s} | settings).items()
        if not (key.startswith("response.") and ".os." in s)
    ]


def write(
    folder: Path, name: str, tables: dict[str, list[dict[str, Any]]], key: Any, **facts: Any
) -> Path:
    """Write and sign a bundle; `facts` replaces what bundle.json says."""
    said = {
        "format": bundle.FORMAT,
        "registry": name,
        "release": "2024.05.31",
        "as_of": NIGHT,
        "data_cutoff": NIGHT,
        "origin": "synthetic",
        "ctcae_version": "3.0",
        "deliveries": [f"delivery of {name}"],
        "engines": {"numpy": "2"},
        "code_sha256": "c",
        "rules_sha256": "r",
        "small_cell": 5,
        "homogeneous_bins": True,
        "number": 1,
        "before": None,
    }
    folder.mkdir(parents=True)
    bundle._write(folder, tables, said | facts, key)
    return folder


class Network:
    """Registries with keys and bundles below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = {}
        public = {}
        for name in NAMES:
            path = folder / "keys" / f"{name}.signing"
            public[name] = signatures.new_key(path, name)
            self.keys[name] = signatures.read_key(path)
        self.pool = PoolFile(name="five", registries={n: Member(key=k) for n, k in public.items()})
        self.made = 0

    def bundle(
        self,
        name: str,
        counts: dict[str, tuple[int, int] | None] | None = None,
        settings: dict[str, str] | None = None,
        **facts: Any,
    ) -> Path:
        """One registry's bundle."""
        tables = told(name, COUNTS[name] if counts is None else counts)
        defined(tables, **({"response.lesion_start": '"T0"'} | (settings or {})))
        self.made += 1
        key = self.keys[facts.pop("signed_by", name)]
        return write(self.folder / f"{self.made}-{name}", name, tables, key, **facts)

    def bundles(self) -> list[Path]:
        """One of each registry."""
        return [self.bundle(name) for name in NAMES]


ORR = "response_summary.all.who.subject.all.all.unconfirmed.orr"
RARE = "toxicity_summary.all.event.nausea.3_0.primary.3"
HIDDEN = "toxicity_summary.all.event.fatigue.3_0.primary.3"
ORRS = dict(zip(NAMES, [(25, 40), (11, 22), (40, 61), (3, 9), (18, 55)], strict=True))
NONE = dict(zip(NAMES, [(0, 40), (0, 61), (0, 31), (0, 9), (0, 11)], strict=True))
COUNTS: dict[str, dict[str, tuple[int, int] | None]] = {
    name: {ORR: ORRS[name], RARE: NONE[name], HIDDEN: (7, 40) if name != "isle" else None}
    for name in NAMES
}


def days_and_deaths() -> tuple[np.ndarray, np.ndarray]:
    """Every patient of every registry."""
    own = rows("pbc5")
    return column(own, "days"), column(own, "cause") == 2


def sheet(folder: Path) -> dict[str, Any]:
    """What bundle.json says."""
    found: dict[str, Any] = json.loads((folder / "bundle.json").read_text("utf-8"))
    return found


def configured(network: Network) -> Path:
    """The pool's file."""
    lines = ['name = "five"']
    for name, member in network.pool.registries.items():
        lines += [f"[registries.{name}]", f'key = "{member.key}"']
    path = network.folder / "pool.toml"
    path.write_text("\n".join(lines) + "\n")
    return path
