"""Settings of a house that decide no number: what is held, shared, kept and written.

They are sections of registry.toml beside those of `schemas.settings`, and no part of the run key.
pool.toml is a file of its own: it names the registries of a pool and the keys they sign with.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.section import Section


class AuditSettings(Section):
    """How far a night may move the numbers before it is held for approval.

    They decide whether a release is held, never a number, so they are no part of the run key.
    """

    pct_points: Annotated[float, Field(ge=0)] = Field(
        10, description="A percentage may move by so many points."
    )
    probability: Annotated[float, Field(ge=0, le=1)] = Field(
        0.10, description="A survival probability may move by so much."
    )
    months: Annotated[float, Field(ge=0)] = Field(
        3, description="A time in months may move by so many."
    )
    relative_pct: Annotated[float, Field(ge=0)] = Field(
        25, description="Any other quantity may move by so many percent of itself."
    )
    patients: Annotated[int, Field(ge=0)] = Field(
        3, description="What so few patients explain is never outside, however small the series."
    )
    fall_pct: Annotated[float, Field(ge=0, le=100)] = Field(
        20,
        description="Counts of patients and of events, and a site's accepted rows, may fall by so "
        "many percent; growth is not judged.",
    )
    rows_from: Annotated[int, Field(ge=0)] = Field(
        20, description="The accepted rows of a site's table are judged from so many on."
    )
    units_from: Annotated[int, Field(ge=0)] = Field(
        20,
        description="A median, a hazard ratio or another value that is no share is judged where it "
        "is of so many patients or units before and after: of fewer, any patient moves it far.",
    )
    hold_redefined: bool = Field(
        True, description="Hold where a number moves because a setting that defines it changed."
    )
    statistics: dict[str, Annotated[float, Field(ge=0)]] = Field(
        {},
        description="Statistic (with * for any text) -> how far its value may move, exactly; it "
        "beats the rules above, and inf lets it go.",
    )


class ExportSettings(Section):
    """What a public bundle may show, and a bundle for pooling.

    They decide what is shared, never a number, so they are no part of the run key.
    """

    small_cell: Annotated[int, Field(ge=2, le=100)] = Field(
        5, description="Counts of fewer patients than this are withheld from a public bundle."
    )
    homogeneous_bins: bool = Field(
        True,
        description="A bin of a curve in a bundle for pooling may hold events alone, or censorings "
        "alone: whoever knows that somebody left in its months then knows how.",
    )


class StoreSettings(Section):
    """Where the store is, and who may read what it publishes. `store = "DIR"` names the path alone.

    They decide no number, so they are no part of the run key.
    """

    path: str | None = Field(None, description="Where the store is; default ./store.")
    group: str | None = Field(
        None,
        description="Unix group of the analysts, who read releases and channels; default the "
        "group of the user that runs y90. Nobody else reads anything in the store but the inbox.",
    )


class PaperSettings(Section):
    """What a manuscript says that no table holds. What is missing is marked TODO, never invented.

    They decide no number, so they are no part of the run key.
    """

    title: str = Field("", description="Title of the manuscript.")
    centres: tuple[str, ...] = Field((), description="The centres' names, as they are printed.")
    ethics: str = Field("", description="The ethics committee and its reference.")
    consent: str = Field("", description="How consent was given, or why it was waived.")
    registration: str = Field("", description="Where the registry is registered.")
    funding: str = Field("", description="Who paid.")


class Member(Section):
    """A registry of the pool."""

    key: str = Field(
        description="The public half of its signing key: `ssh-ed25519 AAAA...`, one line."
    )


class PoolFile(Section):
    """pool.toml: who pools, of whom bundles are taken, and where pooled releases are kept."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")] = Field(
        description="Name of the pool."
    )
    registries: dict[str, Member] = Field(
        min_length=1, description="Registry -> its member entry, as [registries.NAME]."
    )
    min_registries: Annotated[int, Field(ge=2, le=100)] = Field(
        3,
        description="Fewer bundles are not pooled; of two, each registry learns the other's by "
        "subtraction.",
    )
    weights: Literal["n"] = Field(
        "n", description="Levels of curves are averaged by each registry's patients."
    )
    left: tuple[str, ...] = Field(
        (),
        description="Registries that have left the pool: pooled before, and no bundle is asked of "
        "them.",
    )
    releases: str = Field(
        "pooled", description="Folder of the pooled releases, relative to pool.toml."
    )
