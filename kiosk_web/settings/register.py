"""The settings of the register (`[register_service]`) and of the registered verifier (`[verifier]`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

Role = Annotated[str, Field(max_length=100)]


class VerifierSettings(BaseModel):
    """The two roles of the JPKI act: registered for user authentication (art. 36) and for signatures (art. 17). Each is
    the name under which the operator is registered; "": not registered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    user_authentication: Role = ""
    signature: Role = ""

    @property
    def has_both_roles(self) -> bool:
        """Only who is both may learn of the signature certificate of an authentication certificate (art. 18)."""
        return bool(self.user_authentication.strip() and self.signature.strip())


class RegisterSettings(BaseModel):
    """Where J-LIS's services for verifiers are asked. Their interface is not public: `docs/linking.md`.

    Without a `url` nothing is known of renewals, signature certificates and changes. `budget_seconds`: one question in
    all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    url: str | None = None
    budget_seconds: Annotated[float, Field(gt=0, le=10)] = 2

    @field_validator("url")
    @classmethod
    def _judge_url(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value
