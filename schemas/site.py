"""The types of a site file, sites/<site>.toml, which maps a centre's export to our tables.

    site_id = "north"
    label = "University Hospital North"
    origin = "clinical"            # synthetic and public sites use the demonstration key
    format = "redcap"              # or "tables": one file per table
    date_format = "%Y-%m-%d"
    missing = ["UNK", "-999"]      # besides the empty cell

    [redcap]
    data = "export.csv"
    dictionary = "dictionary.csv"

    [[tables.patients]]
    instrument = "demographics"
    [tables.patients.columns]
    sex = { from = "gender", codes = { 1 = "female", 2 = "male" } }
    birth_year = "yob"

A column that is not mapped is taken from the source column of the same name, if there is one.
"""

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, model_validator

from schemas.section import Section

Origin = Literal["clinical", "synthetic", "public"]
Code = str | int | float | bool


class ColumnSource(Section):
    """Where one of our columns comes from: exactly one of `from`, `any_of` and `constant`."""

    from_: str | tuple[str, ...] | None = Field(
        None,
        alias="from",
        description="Their column; of several, the first that is filled in.",
    )
    any_of: tuple[str, ...] = Field(
        (), description="Checkbox columns: true if one is ticked, false if none is."
    )
    complete: str | None = Field(
        None,
        description="The form's _complete column: an untouched form's zeros are missing, not no.",
    )
    constant: Code | None = Field(None, description="The same value for every row.")
    codes: dict[str, Code | None] = Field(
        default_factory=dict,
        description="Their code -> ours; a code that is not listed is a finding.",
    )
    words: dict[str, str] = Field(
        default_factory=dict,
        description="Their word -> ours, without case, for terms, analytes, units and drugs; a "
        "word that is not listed stays as it is.",
    )
    unit: str | None = Field(None, description="Their unit, if it is not ours (UCUM).")
    decimal: Literal[".", ","] | None = Field(
        None, description="Their decimal sign, if it is not the site's."
    )
    date_format: str | None = Field(None, description="Their date format, if not the site's.")

    @model_validator(mode="after")
    def _one_source(self) -> "ColumnSource":
        given = [self.from_ is not None, bool(self.any_of), self.constant is not None]
        if sum(given) != 1:
            raise ValueError("give exactly one of `from`, `any_of` and `constant`")
        return self


class WideLab(Section):
    """One analyte of a table that has a column per analyte."""

    analyte: str = Field(description="Our code of the analyte.")
    value: str = Field(description="Their column with the result.")
    unit: str = Field(description="Unit of result and limits (UCUM).")
    lower_limit: str | float | None = Field(None, description="Their column, or a number.")
    upper_limit: str | float | None = Field(None, description="Their column, or a number.")


class TableSource(Section):
    """One source of one of our tables; a table may have several."""

    file: str | None = Field(None, description="File of the delivery; default <table>.csv.")
    instrument: str | None = Field(None, description="REDCap instrument.")
    events: tuple[str, ...] = Field((), description="REDCap events to take; empty for all.")
    columns: dict[str, str | ColumnSource] = Field(
        default_factory=dict, description="Our column -> theirs."
    )
    wide: tuple[WideLab, ...] = Field((), description="Labs with a column per analyte.")
    canonical_units: bool = Field(
        False,
        description="Labs: convert to the analyte's conventional unit where that is exact to six "
        "decimals for the result and its limits; otherwise the row keeps its unit.",
    )
    starts_at: Literal["T0"] | None = Field(
        None,
        description="Reported endpoints: where their times start. Without it those of a patient "
        "with a date of treatment are not used.",
    )
    where: dict[str, str] = Field(
        default_factory=dict, description="Take only rows whose columns have these values."
    )


class RedcapSource(Section):
    """A flat REDCap export."""

    data: str = Field("data.csv", description="The export.")
    dictionary: str | None = Field("dictionary.csv", description="The data dictionary.")
    record: str | None = Field(None, description="The record id column; default the first.")
    access_group: str | None = Field(
        None,
        description="Take only this data access group: rows of other groups are counted, rows of "
        "records in no group set aside.",
    )
    api_url: str | None = Field(
        None, description="Pull from this API into the inbox before each night, and on request."
    )
    token_env: str | None = Field(None, description="Environment variable that holds the token.")
    token_file: str | None = Field(None, description="File that holds the token.")


class Site(Section):
    """A centre: what it delivers and how that maps onto our tables."""

    site_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    label: str = ""
    origin: Origin = "clinical"
    format: Literal["tables", "redcap"] = "tables"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = Field(
        None, description="Default: found out per file among comma, semicolon, tab and bar."
    )
    encoding: Literal["utf-8", "cp1252", "latin-1", "utf-16"] | None = Field(
        None, description="Default: UTF-8, or cp1252 where the bytes are not UTF-8."
    )
    decimal: Literal[".", ","] = Field(".", description="Decimal sign of numbers in text.")
    grouping: Literal[".", ",", " ", "'"] | None = Field(
        None,
        description="Sign before every three digits of numbers in text. Without it a cell that "
        "holds one is not read: 1.100 may be 1100 or 1.1.",
    )
    date_format: str = "%Y-%m-%d"
    datetime_format: str = "%Y-%m-%d %H:%M"
    timezone: str | None = Field(
        None,
        description="Zone in which moments with a zone (Parquet) are read; default the registry's.",
    )
    missing: tuple[str, ...] = ()
    earliest_care: Annotated[int, Field(ge=1900, le=2100)] = Field(
        1990,
        description="No care of a patient whose year of birth is not known is believed before "
        "this year.",
    )
    redcap: RedcapSource | None = None
    tables: dict[str, tuple[TableSource, ...]] = Field(default_factory=dict)
    ignored_columns: tuple[str, ...] = Field(
        (), description="Columns of the delivery that are known and not used: they are not named."
    )
    ignored_files: tuple[str, ...] = Field(
        (),
        description="Files or sheets of the delivery that are known and not used: another one that "
        "matches no table degrades the site.",
    )
    expected_every_days: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Expected interval between deliveries, for `y90 status`."
    )
    excluded_patients_file: str | None = Field(
        None,
        description="List of patients who withdrew consent, beside registry.toml; not committed.",
    )
    max_unreadable_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5,
        description="A column of which more filled-in cells cannot be read is mapped wrongly: the "
        "delivery is refused.",
    )
    unreadable_from: Annotated[int, Field(ge=1)] = Field(
        5, description="So many unreadable cells at least make a column mapped wrongly."
    )

    _excluded: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def pulled(self) -> bool:
        """Whether its exports are pulled from REDCap's API."""
        return bool(self.redcap and self.redcap.api_url)

    @property
    def excluded(self) -> frozenset[str]:
        """Patients who withdrew consent: read from their list, never printed or written."""
        return self._excluded

    def excluding(self, patients: frozenset[str]) -> "Site":
        """The same site without some patients."""
        other = self.model_copy()
        other._excluded = patients
        return other
