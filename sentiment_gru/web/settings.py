"""The environment variables of the app, read and checked in one place."""

import math
from typing import Annotated, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingError(ValueError):
    """An environment variable has a value that cannot be used; the message names the variable."""


class Settings(BaseSettings):
    """Values of the environment variables whose names are those of the fields in capitals.

    An empty variable counts as unset. The description of a field completes the sentence "NAME must be ...".
    """

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    host: Annotated[str | None, Field(description="a host name or an IP address")] = None
    port: Annotated[int | None, Field(ge=1, le=65535, description="a number from 1 to 65535")] = None
    model: Annotated[str | None, Field(description="a checkpoint folder or a Hugging Face model id")] = None
    quiz_bank: Annotated[str | None, Field(description="the path of an answer bank")] = None
    database_url: Annotated[SecretStr | None, Field(description="a SQLAlchemy URL")] = None
    quiz_secret: Annotated[SecretStr | None, Field(description="a secret that signs unfinished quizzes")] = None
    hf_token: Annotated[SecretStr | None, Field(description="a Hugging Face token")] = None
    feedback_dataset: Annotated[
        str | None, Field(pattern=r"^[\w.-]+/[\w.-]+$", description="a dataset id such as owner/name")
    ] = None
    teacher_token: Annotated[SecretStr | None, Field(min_length=16, description="at least 16 characters long")] = None
    report_url: Annotated[
        str | None, Field(pattern=r"^(https?://|mailto:)", description="an http, https or mailto address")
    ] = None
    rate_factor: Annotated[float, Field(description="a number of at least 0 (0 switches rate limits off)")] = 1.0
    log_messages: Annotated[bool, Field(description="1 or 0")] = False
    gradio_temp_dir: Annotated[str | None, Field(description="the folder of uploaded files")] = None
    space_id: Annotated[str | None, Field(description="the id that Hugging Face Spaces sets")] = None

    @classmethod
    def read(cls) -> Self:
        """Return the settings of the current environment.

        Raises:
            SettingError: A variable has a value that is not allowed. A secret value is not quoted.
        """
        try:
            return cls()
        except ValidationError as error:
            raise SettingError("; ".join(map(_describe, error.errors()))) from None

    @field_validator("rate_factor")
    @classmethod
    def _check_rate_factor(cls, value: float) -> float:
        if not 0 <= value < math.inf:
            raise ValueError
        return value

    @property
    def behind_proxy(self) -> bool:
        """True on Hugging Face Spaces, where every connection comes from its proxy."""
        return self.space_id is not None


def _describe(problem: ErrorDetails) -> str:
    """Return the sentence about one of pydantic's errors, such as "PORT must be a number ..., not 'http'"."""
    name = str(problem["loc"][0])
    field = Settings.model_fields[name]
    sentence = f"{name.upper()} must be {field.description}"
    if SecretStr.__name__ in str(field.annotation):
        return sentence
    return f"{sentence}, not {problem['input']!r}"


def reveal(secret: SecretStr | None) -> str | None:
    """Return the text of a secret, or None if it is not set."""
    return secret.get_secret_value() if secret else None
