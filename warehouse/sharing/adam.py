"""Write the marts in the shape of ADaM, without a date.

Names follow CDISC's Analysis Data Model (ADaM Implementation Guide 1.3). Study days count as CDISC
does: T0 is day 1, the day before it day -1. Dates are not given, so no variable ends in DT.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from schemas.errors import Failed
from schemas.records.analytes import TEST_CODES
from schemas.records.criteria import PARAMETER_CODES
from warehouse.engine.connections import connection

Mart = Callable[[str], str]
"""SQL that reads a mart, by the mart's name."""

RESPONSE_ORDER = {"CR": 1, "PR": 2, "SD": 3, "NON-CR/NON-PD": 4, "PD": 5, "NE": 6}


def study_day(column: str) -> str:
    """SQL for a CDISC study day from whole days since T0: there is no day 0."""
    return f"(CASE WHEN {column} >= 0 THEN {column} + 1 ELSE {column} END)::DOUBLE"


def _coded(column: str, codes: Mapping[str, object]) -> str:
    """SQL for a code of CDISC; a value that has none stops the export, a null stays one."""
    branches = " ".join(f"WHEN {column} = '{k}' THEN {_literal(v)}" for k, v in codes.items())
    missing = f"error('{UNMAPPED}{column.removeprefix('t.')} ' || {column})"
    return f"CASE WHEN {column} IS NULL THEN NULL {branches} ELSE {missing} END"


def _literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else f"{value}::DOUBLE"


def _flag(column: str) -> str:
    return f"CASE WHEN {column} THEN 'Y' WHEN NOT {column} THEN 'N' END"


@dataclass(frozen=True, slots=True)
class Dataset:
    """One ADaM dataset: what it is, and its variables as (name, label, SQL).

    `source` gives the SQL of its rows under the name `t`, from the SQL that reads a mart.
    """

    name: str
    label: str
    source: Callable[[Mart], str]
    order: str
    variables: tuple[tuple[str, str, str], ...]


def _responses(mart: Mart) -> str:
    """SQL for every response of a patient and, beside them, the best ones."""
    assessed = (
        "SELECT subject_id, criterion, rel_day, response, rule, 'OVR' AS kind, "
        f"'Response' AS what, reader FROM {mart('subject_assessments')} WHERE organ = 'all'"
    )
    best = (
        "SELECT subject_id, criterion, best_response_day, best_response, reason, "
        "CASE confirmation WHEN 'confirmed' THEN 'CBR' ELSE 'BOR' END, "
        f"'Best Response, ' || confirmation, NULL FROM {mart('subject_response')} "
        "WHERE organ = 'all'"
    )
    return f"({assessed} UNION ALL {best}) t"


def _worst_events(mart: Mart) -> str:
    """SQL for the worst grade of every clinical toxicity at any time after treatment."""
    worst = f"SELECT * FROM {mart('toxicity')} WHERE source = 'event' AND time_window = 'any'"
    return f"({worst}) t"


UNMAPPED = "no CDISC code for "
WHO_IT_IS = (
    ("STUDYID", "Study Identifier", "$study"),
    ("USUBJID", "Unique Subject Identifier", "t.subject_id"),
)
GRADE = ("ATOXGR", "Analysis Toxicity Grade")

DATASETS = (
    Dataset(
        "ADSL",
        "Subject-Level Analysis Dataset",
        lambda mart: f"{mart('subjects')} t",
        "USUBJID",
        (
            *WHO_IT_IS,
            ("SITEID", "Study Site Identifier", "t.site_id"),
            ("AGE", "Age", "t.age_years::DOUBLE"),
            ("AGEU", "Age Units", "CASE WHEN t.age_years IS NOT NULL THEN 'YEARS' END"),
            ("SEX", "Sex", _coded("t.sex", {"female": "F", "male": "M", "unknown": "U"})),
            ("TRT01A", "Actual Treatment for Period 01", "'90Y ' || t.device"),
            ("SAFFL", "Safety Population Flag", _flag("t.treated")),
            ("PPROTFL", "Per-Protocol Population Flag", _flag("t.per_criteria")),
            ("ECOGBL", "Baseline ECOG", "t.ecog::DOUBLE"),
            ("ALBIBL", "Baseline ALBI Grade", "t.albi_grade::DOUBLE"),
            ("CPCLASS", "Baseline Child-Pugh Class", "t.child_pugh_class"),
            ("BURDENBL", "Baseline Tumour Burden (%)", "t.tumour_burden_pct::DOUBLE"),
            ("PRIMSITE", "Primary Tumour Site", "t.primary_site"),
            ("NSESS", "Number of 90Y Sessions", "t.n_sessions::DOUBLE"),
        ),
    ),
    Dataset(
        "ADRS",
        "Response Analysis Dataset",
        _responses,
        "USUBJID, PARAMCD, ADY, READER",
        (
            *WHO_IT_IS,
            ("PARAMCD", "Parameter Code", f"t.kind || {_coded('t.criterion', PARAMETER_CODES)}"),
            ("PARAM", "Parameter", "t.what || ' by ' || t.criterion"),
            ("ADY", "Analysis Relative Day", study_day("t.rel_day")),
            ("AVAL", "Analysis Value", _coded("t.response", RESPONSE_ORDER)),
            ("AVALC", "Analysis Value (C)", "t.response"),
            ("READER", "Reader of the Scans", "t.reader"),
            ("RULE", "Rule That Decided, or Why Not Evaluable", "t.rule"),
        ),
    ),
    Dataset(
        "ADTTE",
        "Time-to-Event Analysis Dataset",
        lambda mart: f"{mart('time_to_event')} t",
        "USUBJID, PARAMCD, LESIONNO",
        (
            *WHO_IT_IS,
            ("PARAMCD", "Parameter Code", "t.endpoint"),
            ("PARAM", "Parameter", "t.endpoint || ' (days)'"),
            ("LESIONNO", "Lesion Number, 0 for the Subject", "t.lesion_number::DOUBLE"),
            ("STARTDY", "Study Day of Time-to-Event Origin", study_day("t.start_day")),
            ("ADY", "Analysis Relative Day", study_day("(t.start_day + floor(t.time_days))")),
            ("AVAL", "Analysis Value", "t.time_days::DOUBLE"),
            ("CNSR", "Censor", "CASE WHEN t.event THEN 0 ELSE 1 END::DOUBLE"),
            ("EVNTDESC", "Event or Censoring Description", "t.cause"),
            ("SRCDOM", "Source Data", "t.source_table"),
            ("SRCVAR", "Source Variable", "t.source_column"),
        ),
    ),
    Dataset(
        "ADAE",
        "Adverse Events Analysis Dataset",
        _worst_events,
        "USUBJID, AEDECOD, CTCVER",
        (
            *WHO_IT_IS,
            ("AEDECOD", "Dictionary-Derived Term", "t.term"),
            ("CTCVER", "CTCAE Version", "t.ctcae_version"),
            ("ADY", "Analysis Relative Day", study_day("t.worst_day")),
            (*GRADE, "t.worst_grade::VARCHAR"),
            ("AVAL", "Analysis Value", "t.worst_grade::DOUBLE"),
            ("TRTEMFL", "Treatment Emergent Analysis Flag", _flag("t.emergent")),
            ("AREL", "Analysis Causality", _flag("t.related")),
        ),
    ),
    Dataset(
        "ADLB",
        "Laboratory Analysis Dataset",
        lambda mart: f"{mart('lab_grades')} t",
        "USUBJID, PARAMCD, CTCVER, ADY, ASEQ",
        (
            *WHO_IT_IS,
            ("PARAMCD", "Parameter Code", _coded("t.analyte", TEST_CODES)),
            ("PARAM", "Parameter", "t.analyte || ' (' || t.unit || ')'"),
            ("ADY", "Analysis Relative Day", study_day("t.rel_day")),
            ("ASEQ", "Number Among the Draws of the Day", "t.sequence::DOUBLE"),
            ("AVAL", "Analysis Value", "t.value::DOUBLE"),
            ("AVALC", "Analysis Value (C)", "t.value_comparator || t.value::VARCHAR"),
            ("BASE", "Baseline Value", "t.baseline_value::DOUBLE"),
            ("ABLFL", "Baseline Record Flag", "CASE WHEN t.is_baseline THEN 'Y' END"),
            ("ANRLO", "Analysis Normal Range Lower Limit", "t.lower_limit::DOUBLE"),
            ("ANRHI", "Analysis Normal Range Upper Limit", "t.upper_limit::DOUBLE"),
            (*GRADE, "t.grade::VARCHAR"),
            ("CTCVER", "CTCAE Version", "t.ctcae_version"),
        ),
    ),
)


def write(release: Path, study: str, to: Path) -> list[Path]:
    """Write every dataset as Parquet and as a SAS transport file (XPT version 5).

    Args:
        release: the release's folder.
        study: what STUDYID says: the registry's name.
        to: a folder that exists.

    Raises:
        Failed: a value of the release has no code of CDISC.
    """
    import pyreadstat

    paths: list[Path] = []
    with connection() as con:
        for dataset in DATASETS:
            _collect(con, dataset, release, study)
            path = to / f"{dataset.name.lower()}.parquet"
            con.execute(f"COPY made TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
            table = con.execute("SELECT * FROM made").to_arrow_table()
            for number, field in enumerate(table.schema):
                if pa.types.is_string(field.type):  # a transport file knows no missing text
                    table = table.set_column(number, field, table[field.name].fill_null(""))
            frame = table.to_pandas()
            transport = to / f"{dataset.name.lower()}.xpt"
            pyreadstat.write_xport(
                frame,
                str(transport),
                file_label=dataset.label,
                column_labels=[label for _, label, _ in dataset.variables],
                table_name=dataset.name,
                file_format_version=5,
            )
            paths += [path, transport]
    return paths


def _collect(con: duckdb.DuckDBPyConnection, dataset: Dataset, release: Path, study: str) -> None:
    """Keep a dataset's rows as the table `made`."""
    columns = ", ".join(f'{sql} AS "{name}"' for name, _, sql in dataset.variables)

    def mart(name: str) -> str:
        path = str(release / "parquet" / "marts" / f"{name}.parquet")
        return "'" + path.replace("'", "''") + "'"

    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE made AS SELECT {columns} FROM {dataset.source(mart)} "
            f"ORDER BY {dataset.order}",
            {"study": study},
        )
    except duckdb.InvalidInputException as error:
        _, found, unmapped = str(error).partition(UNMAPPED)
        if not found:
            raise
        raise Failed(
            f"{dataset.name}: {UNMAPPED}{unmapped.strip()}. Give its record in schemas/records a "
            "code and run `y90 export` again."
        ) from None
