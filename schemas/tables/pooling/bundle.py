"""What a registry tells for pooling: tables without a row of a patient."""

from schemas.contract import Bool, Contract, Float, Int, Text, column, declares

KINDS = ("landmark", "rmst", "incidence")
_AS_OF = "Night of the release that it was first told of: older where differencing holds it back."


class Bundled(Contract):
    """A table of a bundle."""

    statistic_id: Text = column("The registry's own statistic.", key=True)


class BundleDefinitions(Bundled):
    """One row per statistic of the bundle and key of its definition."""

    key: Text = column("A setting, kind of rule records, or `number`.", key=True)
    definition: Text = column("The hash that the registry publishes beside it.", required=True)
    label: Text = column("The number in words.", required=True)
    value: Text = column("As in quality.definitions.", required=True)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="definitions")


class BundleCounts(Bundled):
    """One row per proportion or level: its counts, or that they are withheld."""

    as_of: Text = column(_AS_OF, required=True)
    n: Int = column("Units with it.", minimum=0)
    total: Int = column("Units asked.", minimum=0)
    missing: Int = column("Units without an answer, where the table tells them.", minimum=0)
    suppressed: Bool = column("Withheld: few, or it would give few away.", required=True)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="counts")


class BundleMoments(Bundled):
    """One row per numeric characteristic: mean and standard deviation, three digits."""

    as_of: Text = column(_AS_OF, required=True)
    n: Int = column("Patients with a value.", required=True, minimum=0)
    mean: Float = column("Mean.", required=True)
    sd: Float = column("Standard deviation.", required=True, minimum=0)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="moments")


class BundleLevels(Bundled):
    """One row per landmark, restricted mean or incidence of a curve of all patients."""

    as_of: Text = column(_AS_OF, required=True)
    endpoint: Text = column("Endpoint.", required=True)
    cause: Text = column("Cause of an incidence; empty for curves.", required=True)
    kind: Text = column("What it is.", required=True, codes=KINDS)
    months: Int = column("Landmark or horizon.", required=True, unit="months", minimum=0)
    n: Int = column("Patients in the curve.", required=True, minimum=0)
    at_risk: Int = column("At risk then.", required=True, minimum=0)
    value: Float = column("Probability, four decimals; months, two.", required=True)
    se: Float = column("Its standard error, three digits.", required=True, minimum=0)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="levels")


class BundleSteps(Bundled):
    """One row per endpoint and bin of its curve of all patients; never by a factor."""

    from_month: Int = column("Exits after this month.", key=True, unit="months", minimum=0)
    to_month: Int = column("And up to this one.", required=True, unit="months", minimum=1)
    as_of: Text = column(_AS_OF, required=True)
    endpoint: Text = column("Endpoint.", required=True)
    at_risk: Int = column("At risk at the beginning.", required=True, minimum=0)
    events: Int = column("Events.", required=True, minimum=0)
    censored: Int = column("Censored, by a competing event too.", required=True, minimum=0)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="steps")


class BundleComparisons(Bundled):
    """One row per endpoint and factor of two levels: the bad level against the good one."""

    as_of: Text = column(_AS_OF, required=True)
    endpoint: Text = column("Endpoint.", required=True)
    factor: Text = column("Factor.", required=True)
    n: Int = column("Patients at both levels.", required=True, minimum=0)
    n_bad: Int = column("Of them at the bad level.", required=True, minimum=0)
    events: Int = column("Events at both levels.", required=True, minimum=0)
    events_bad: Int = column("Of them at the bad level.", required=True, minimum=0)
    u: Float = column("Observed less expected events of the bad level, one decimal.", required=True)
    v: Float = column("Its variance, one decimal.", required=True, minimum=0)
    b: Float = column("Log hazard ratio, two decimals.")
    se: Float = column("Its standard error, two decimals.", minimum=0)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="comparisons")


class BundleModels(Bundled):
    """One row per term of a model of all factors, and per pair of terms."""

    other: Text = column("The other term of a covariance; empty for the coefficient.", key=True)
    as_of: Text = column(_AS_OF, required=True)
    endpoint: Text = column("Endpoint.", required=True)
    term: Text = column("Term, bad level against good.", required=True)
    n: Int = column("Patients in the model.", required=True, minimum=0)
    events: Int = column("Events in the model.", required=True, minimum=0)
    value: Float = column("Log hazard ratio, or a covariance.", required=True)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="models")


class BundleLedger(Contract):
    """One row per family: the bits of who belongs to whom, and those given away by now."""

    family: Text = column("A factor, or the states of an endpoint.", key=True)
    patients: Int = column("Patients in it.", required=True, minimum=0)
    possible: Float = column("Bits of all ways to assign them.", required=True, minimum=0)
    before: Float = column("Bits that earlier bundles gave.", required=True, minimum=0)
    now: Float = column("Bits that this bundle gives.", required=True, minimum=0)
    left: Float = column("Bits that are left.", required=True)

    class Config:
        """Told."""

        metadata = declares(schema="bundle", published="ledger")
