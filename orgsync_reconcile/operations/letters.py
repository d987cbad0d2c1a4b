"""Letters: what is written to one person, from a template to a message of plain text and HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from orgsync_reconcile.errors import OrgsyncError

if TYPE_CHECKING:
    from jinja2 import Environment

_ADDRESS = re.compile(r"[^@\s,;:<>()\[\]\\\"]+@[^@\s,;:<>()\[\]\\\"]+")
#: The longest subject that mail programs show whole, give or take.
_SUBJECT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """A template's name, who gets it, and the values that it shows. `values` may hold secrets: they are never shown."""

    template: str
    to: str
    values: Mapping[str, Any] = field(repr=False)
    #: Of a letter that may be sent once more after a crash: then it has the same Message-ID.
    key: str = ""

    @property
    def subject(self) -> str:
        """The first line of the template, filled in: one line without control characters."""
        return " ".join(_filled(f"{self.template}.subject.j2", self.values).split())[:_SUBJECT]

    def message(self, sender: str, moment: datetime) -> EmailMessage:
        """The message as it goes to the mail server. Raises OrgsyncError where an address is none."""
        message = EmailMessage(policy=SMTP)
        message["From"] = _address(sender)
        message["To"] = _address(self.to)
        message["Subject"] = self.subject
        message["Date"] = format_datetime(moment)
        domain = sender.rpartition("@")[2]
        message["Message-ID"] = f"<{self.key}@{domain}>" if self.key else make_msgid(domain=domain)
        # So that holiday notices and lists do not answer.
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_filled(f"{self.template}.txt.j2", self.values))
        message.add_alternative(_filled(f"{self.template}.html.j2", self.values), subtype="html")
        return message


def _address(text: str) -> Address:
    """An address and nothing else: no second recipient, no header. Raises OrgsyncError."""
    try:
        if not _ADDRESS.fullmatch(text):
            raise ValueError
        return Address(addr_spec=text)
    except (ValueError, LookupError, MessageError):
        raise OrgsyncError(f"{cleaned(text)!r} is no email address", hint="write one like elise@acme.example") from None


def cleaned(value: Any) -> Any:
    """A value whose texts are one line each, without control characters."""
    if isinstance(value, str):
        return "".join(" " if unicodedata.category(item) in ("Cc", "Cf", "Zl", "Zp") else item for item in value)
    if isinstance(value, Mapping):
        return {key: cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [cleaned(item) for item in value]
    return value


def _filled(template: str, values: Mapping[str, Any]) -> str:
    return _environment().get_template(template).render(cleaned(values))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = resources.files("orgsync_reconcile.operations").joinpath("templates")
    return Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=lambda name: bool(name and name.endswith(".html.j2")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
