"""What the files of one release call themselves and each other."""

from dataclasses import dataclass

MAKER = "y90-outcomes"


@dataclass(frozen=True, slots=True)
class Study:
    """A registry's release as CDISC's files name it.

    Attributes:
        name: the registry's name, STUDYID.
        release: the release's id.
        made_at: when the release was made, as ISO 8601 with its zone.
        version: of the code that made it.
    """

    name: str
    release: str
    made_at: str
    version: str

    @property
    def oid(self) -> str:
        """The study in ODM."""
        return f"ST.{self.name}"

    @property
    def metadata_oid(self) -> str:
        """The version of its metadata: that of the release."""
        return f"MDV.{self.name}.{self.release}"

    def file_oid(self, name: str) -> str:
        """A file of the release."""
        return f"{self.name}.{self.release}.{name}"


def dataset_oid(dataset: str) -> str:
    """A dataset in define.xml."""
    return f"IG.{dataset}"


def variable_oid(dataset: str, variable: str) -> str:
    """A variable of a dataset in define.xml."""
    return f"IT.{dataset}.{variable}"
