"""The document Mail: the server that sends email (CON-12, SUS-2, USR-8)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from orgsync_reconcile.manifest.terms import (
    Duration,
    Email,
    SecretOnly,
    Strict,
    Text,
    WebAddress,
    problem,
)


class Mail(Strict):
    """The server that sends email."""

    version: Literal[1] = Field(description="Version of the manifest format, 1")
    kind: Literal["Mail"] = Field(description="What this document describes")
    host: str = Field(pattern=r"^[A-Za-z0-9.:_-]{1,255}$", description="Name of the mail server")
    port: int = Field(default=587, ge=1, le=65535, description="Port of the mail server")
    tls: Literal["starttls", "implicit", "none"] = Field(
        default="starttls", description="How the connection to the mail server is encrypted"
    )
    sender: Email = Field(alias="from", description="Address that email comes from")
    user: Text | None = Field(default=None, description="User name at the mail server")
    password: SecretOnly | None = Field(default=None, description="Password, as {env: NAME} or {file: PATH}")

    timeout: Duration = Field(default=30, description="How long an answer of the mail server may take")
    login_url: WebAddress | None = Field(
        default=None,
        description="Where users of a secondary log in, for password links; a Failover document's secondary_url goes first",
    )

    @model_validator(mode="after")
    def _both_or_none(self) -> Mail:
        if (self.user is None) != (self.password is None):
            raise problem("user and password go together", "name both or none")
        if self.password is not None and self.tls == "none":
            raise problem("a password without encryption", "use tls: starttls or implicit")
        return self
