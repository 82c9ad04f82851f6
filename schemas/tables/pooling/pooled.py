"""What comes of the bundles of several registries."""

from schemas.contract import Bool, Contract, Float, Int, Text, column, declares

METHODS = (
    "together",
    "random_intercept",
    "weighted",
    "common_effect",
    "varying_effects",
    "log_rank",
    "one_file",
    "second_round",
    "steps",
)


class Pooled(Contract):
    """A table of a pooled release."""

    statistic_id: Text = column("The statistic, as every registry calls it.", key=True)


class PooledEstimates(Pooled):
    """One row per pooled statistic and method."""

    method: Text = column("How it was pooled.", key=True, codes=METHODS)
    label: Text = column("The number in words.", required=True)
    unit: Text = column("Unit.", required=True)
    registries: Int = column("Registries in it.", required=True, minimum=1)
    n: Int = column("Units with it, or events.", minimum=0)
    total: Int = column("Units asked, or patients.", minimum=0)
    value: Float = column("The number.")
    lower: Float = column("Lower limit.")
    upper: Float = column("Upper limit.")
    exact: Bool = column(
        "Bit for bit what one registry of all patients would publish.", required=True
    )
    note: Text = column("How far it can be from that, or why it is null.")

    class Config:
        """Pooled."""

        metadata = declares(schema="pooled", published="estimates")


class PooledHeterogeneity(Pooled):
    """One row per pooled statistic of two registries or more: how much they differ."""

    scale: Text = column("Scale on which they are compared.", required=True)
    registries: Int = column("Registries.", required=True, minimum=2)
    q: Float = column("Statistic of equal registries.", required=True, minimum=0)
    df: Int = column("Its degrees of freedom.", required=True, minimum=1)
    p: Float = column("Its p.", required=True, minimum=0, maximum=1)
    i2_pct: Float = column("Share of the spread that is between registries.", unit="%", minimum=0)
    tau2: Float = column("Variance between registries.", required=True, minimum=0)
    tau2_lower: Float = column("Its lower limit by the Q profile.", minimum=0)
    tau2_upper: Float = column("Its upper limit.", minimum=0)
    new_lower: Float = column("What another registry might have, lower; null of fewer than three.")
    new_upper: Float = column("And upper.")

    class Config:
        """Pooled."""

        metadata = declares(schema="pooled", published="heterogeneity")


class PooledByRegistry(Pooled):
    """One row per pooled statistic and registry: what each told."""

    registry: Text = column("The registry.", key=True)
    as_of: Text = column("Night of the release it told of; null where suppressed.")
    n: Int = column("Units with it, or events.", minimum=0)
    total: Int = column("Units asked, or patients.", minimum=0)
    value: Float = column("Its number.")
    lower: Float = column("Lower limit.")
    upper: Float = column("Upper limit.")
    weight_pct: Float = column("Its share in the first method.", unit="%", minimum=0, maximum=100)
    suppressed: Bool = column("It told nothing of this statistic.", required=True)

    class Config:
        """Pooled."""

        metadata = declares(schema="pooled", published="by_registry")


class PooledLeaveOneOut(Pooled):
    """One row per pooled statistic and registry left out."""

    left_out: Text = column("The registry left out.", key=True)
    method: Text = column("How the others were pooled.", required=True, codes=METHODS)
    value: Float = column("The number without it.", required=True)
    lower: Float = column("Lower limit.")
    upper: Float = column("Upper limit.")
    tau2: Float = column("Variance between the others.", minimum=0)

    class Config:
        """Pooled."""

        metadata = declares(schema="pooled", published="leave_one_out")


class PooledRefused(Pooled):
    """One row per statistic that is not comparable and key in which two registries differ."""

    key: Text = column("The key of the definition.", key=True)
    registry: Text = column("The registry that differs from the first.", key=True)
    first: Text = column("The first registry.", required=True)
    left: Text = column("The value of the first.")
    right: Text = column("The value of the other.")

    class Config:
        """Pooled."""

        metadata = declares(schema="pooled", published="refused")


class PooledCurves(Pooled):
    """One row per endpoint and edge of a bin: what the binned counts leave open of its curve.

    Between two edges the curve lies between `greatest` of the one before and `least` of the one
    after.
    """

    months: Int = column("At the end of this month.", key=True, unit="months", minimum=0)
    endpoint: Text = column("Endpoint.", required=True)
    level: Float = column("Halfway between the limits.", required=True, minimum=0, maximum=1)
    least: Float = column("The least that it can be.", required=True, minimum=0, maximum=1)
    greatest: Float = column("The greatest.", required=True, minimum=0, maximum=1)

    class Config:
        """Pooled."""

        metadata = declares(schema="pooled", published="curves")


class PooledSources(Contract):
    """One row per registry: the bundle that was pooled."""

    registry: Text = column("The registry.", key=True)
    release: Text = column("Its release.", required=True)
    as_of: Text = column("The release's night.", required=True)
    data_cutoff: Text = column("Nothing later is in it.", required=True)
    bundle_sha256: Text = column("Hash of bundle.json.", required=True)
    key_sha256: Text = column("Fingerprint of the key that signed it.", required=True)
    code_sha256: Text = column("Hash of the code that made the release.", required=True)

    class Config:
        """Pooled."""

        metadata = declares(schema="pooled", published="sources")
