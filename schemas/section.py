"""The base of every part of a configuration file."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A section of registry.toml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)
