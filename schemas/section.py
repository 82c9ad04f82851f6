"""The base of every part of a configuration file."""

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Section(BaseModel):
    """A section of registry.toml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def any_spelling(codes: tuple[str, ...]) -> BeforeValidator:
    """Read a code in any case and punctuation: `recist11` and `recist_1_1` are RECIST 1.1."""
    by_letters = {_letters(code): code for code in codes}
    return BeforeValidator(lambda text: by_letters.get(_letters(text), text))


def _letters(text: object) -> str:
    return "".join(c for c in str(text).lower() if c.isalnum())
