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


class Condition(Section):
    """What a cell must be for its row to be taken: all that is given."""

    in_: tuple[Code, ...] = Field((), alias="in", description="One of these values.")
    not_in: tuple[Code, ...] = Field((), description="Filled in, and none of these values.")
    filled: bool | None = Field(None, description="Filled in, or if false not.")
    above: float | None = Field(None, description="A number greater than this.")
    at_least: float | None = Field(None, description="A number not less than this.")
    below: float | None = Field(None, description="A number less than this.")
    at_most: float | None = Field(None, description="A number not greater than this.")

    @model_validator(mode="after")
    def _asks(self) -> "Condition":
        if not self.model_dump(exclude_defaults=True):
            raise ValueError(
                "asks nothing: give one of `in`, `not_in`, `filled`, `above`, `at_least`, `below` "
                "and `at_most`"
            )
        return self


Where = dict[str, Code | Condition]


class Case(Section):
    """A value for the rows whose columns are as asked."""

    where: Where = Field(min_length=1, description="Their column -> a value, or a condition.")
    constant: Code = Field(description="The value of such rows.")


class ColumnSource(Section):
    """Where one of our columns comes from: one of the first seven keys, or `when`.

    `{n}` in a name stands for any number: the source is read once for every number that the export
    has, from the rows in which one of the columns so named is filled in.
    """

    from_: str | tuple[str, ...] | None = Field(
        None,
        alias="from",
        description="Their column; of several, the first that is filled in.",
    )
    earliest: tuple[str, ...] = Field((), description="The earliest of several dates.")
    latest: tuple[str, ...] = Field((), description="The latest of several dates.")
    year_of: str | None = Field(None, description="Years: the year of this date.")
    age: str | None = Field(
        None, description="Years: the year of `at` less this age; it may be a year late."
    )
    at: str | None = Field(None, description="The date on which somebody had the age.")
    any_of: tuple[str, ...] = Field(
        (), description="Checkbox columns: true if one is ticked, false if none is."
    )
    complete: str | None = Field(
        None,
        description="The form's _complete column: an untouched form's zeros are missing, not no.",
    )
    constant: Code | None = Field(
        None, description="The same value for every row; beside `when` for every other row."
    )
    when: tuple[Case, ...] = Field(
        (),
        description="Values by condition, the first that holds; other rows have `constant`, or "
        "what the other key gives.",
    )
    instrument: str | None = Field(
        None, description="REDCap: the column stands on this instrument of the record and event."
    )
    file: str | None = Field(None, description="The column stands in this other file.")
    sheet: str | None = Field(None, description="The column stands on this other sheet.")
    on: tuple[str, ...] = Field(
        (), description="Their columns, in both files, that say which row belongs to which."
    )
    among: dict[str, Code | tuple[Code, ...]] = Field(
        default_factory=dict,
        description="Their column of the other file -> a value, or several: only rows there that "
        "have it are looked at.",
    )
    missing: tuple[str, ...] = Field(
        (), description="Words for missing in this column, besides the site's."
    )
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
        keys = ("from_", "any_of", "earliest", "latest", "year_of", "age", "constant")
        given = sum(getattr(self, key) not in (None, ()) for key in keys)
        if given != 1 and not (self.when and given == 0):
            raise ValueError(
                "give exactly one of `from`, `any_of`, `earliest`, `latest`, `year_of`, `age` and "
                "`constant`, or `when`"
            )
        if (self.age is None) != (self.at is None):
            raise ValueError("`age` and `at` belong together: an age, and when it was that")
        if self.among and not (self.file or self.sheet or self.instrument):
            raise ValueError("`among` picks rows of another file: add `file`, or remove it")
        return self

    @property
    def firsts(self) -> tuple[str, ...]:
        """The columns of `from`, the first of which that is filled in is taken."""
        return (self.from_,) if isinstance(self.from_, str) else self.from_ or ()

    @property
    def read(self) -> tuple[str, ...]:
        """Every column of theirs that it is read from."""
        dated = (*self.earliest, *self.latest)
        one = (n for n in (self.year_of, self.age, self.at) if n)
        return (*self.firsts, *self.any_of, *dated, *one)

    @property
    def asked(self) -> tuple[str, ...]:
        """Every column of theirs that decides which value is taken."""
        return tuple(n for case in self.when for n in case.where)

    @property
    def borrowed(self) -> str | None:
        """The name of the raw table in which the column stands, if it is another one's."""
        return self.instrument or _stem(self.sheet or self.file)


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
    sheet: str | None = Field(None, description="Sheet of the workbook that is the file.")
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
    where: Where = Field(
        default_factory=dict,
        description="Take only rows whose columns have these values, or meet these conditions.",
    )
    if_filled: tuple[str, ...] = Field(
        (), description="Take only rows in which one of these columns is filled in."
    )
    merge: bool = Field(
        False,
        description="Rows of one key, in all sources of the table, are one row: each column has "
        "the value that one of them gives. Rows that contradict each other stay apart, and break "
        "the rule of the key.",
    )


class Limits(Section):
    """Limits of normal of an analyte, for rows that give none."""

    unit: str = Field(description="The unit of the limits (UCUM).")
    lower: float | None = Field(None, description="Lower limit of normal.")
    upper: float | None = Field(None, description="Upper limit of normal.")
    sex: Literal["female", "male"] | None = Field(
        None, description="Only of these patients; those without a sex have no limits by sex."
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


def _stem(name: str | None) -> str | None:
    return name and name.rsplit("/", 1)[-1].split(".", maxsplit=1)[0]


class Site(Section):
    """A centre: what it delivers and how that maps onto our tables."""

    site_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
    label: str = ""
    extends: str | None = Field(
        None,
        description="Another file beside this one, whose keys hold where this file has none of "
        "its own: tables by table, limits by analyte.",
    )
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
    zero_mm: Literal["absent", "too_small"] | None = Field(
        None,
        description="What a measured diameter of 0 says of a lesion. Without it 0 is a diameter.",
    )
    limits: dict[str, Limits | tuple[Limits, ...]] = Field(
        default_factory=dict,
        description="Our code of an analyte -> its limits of normal, for rows that give none.",
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
