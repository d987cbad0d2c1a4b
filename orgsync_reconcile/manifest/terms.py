"""The small types that manifest keys share: names, identifiers, usernames, durations, secrets, store URLs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import shown
from orgsync_reconcile.manifest.scalars import kind_of
from orgsync_reconcile.model.desired import guard_limit

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
DURATION_PATTERN: Final = r"^[0-9]{1,6}[smhdw]$"
NAME_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$"
IDENTIFIER_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_]{0,79}$"
ADDRESS_PATTERN: Final = r"^[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+$"
COMPONENT_PATTERN: Final = r"^[A-Za-z]+(:.+)?$"
WEB_PATTERN: Final = r"^https?://[^\s/@]+(/\S*)?$"
#: The leading word of a store's URL.
STORE_SCHEMES: Final = ("sqlite", "postgresql", "salesforce")


class Strict(BaseModel):
    """A mapping of a manifest: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, populate_by_name=False)


#: Marks a list whose order says nothing, for the canonical form and for editors.
AS_SET: Final[dict[str, Any]] = {"uniqueItems": True}


def is_set(field: FieldInfo) -> bool:
    """Whether a key takes a list whose order says nothing."""
    return field.json_schema_extra == AS_SET


def written_name(name: str, field: FieldInfo) -> str:
    """A key as manifests write it."""
    return field.alias or name


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The one model that an annotation holds, however deep (no key takes two different mappings)."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part)) is not None), None)


def problem(text: str, hint: str, code: str = codes.INVALID_VALUE) -> PydanticCustomError:
    """An error whose text, hint and code reach the diagnostic as they are."""
    return PydanticCustomError("orgsync", "{text}", {"text": text, "hint": hint, "code": code})


def _matching(pattern: str, what: str, hint: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise problem(f"{shown(value)} is no {what}", hint)
        return value

    return AfterValidator(check)


Name = Annotated[
    str,
    _matching(NAME_PATTERN, "name", "use letters, digits, dots, dashes and underscores, 80 at most"),
    WithJsonSchema({"type": "string", "pattern": NAME_PATTERN}),
]
Identifier = Annotated[
    str,
    _matching(IDENTIFIER_PATTERN, "API name", "use the API name, for example Account or Region__c"),
    WithJsonSchema({"type": "string", "pattern": IDENTIFIER_PATTERN}),
]
Username = Annotated[
    str,
    _matching(ADDRESS_PATTERN, "username", "usernames look like admin@acme.example"),
    WithJsonSchema({"type": "string", "pattern": ADDRESS_PATTERN}),
]
Email = Annotated[
    str,
    _matching(ADDRESS_PATTERN, "email address", "write an address like elise@acme.example"),
    WithJsonSchema({"type": "string", "pattern": ADDRESS_PATTERN}),
]
ComponentPattern = Annotated[
    str,
    _matching(COMPONENT_PATTERN, "component pattern", "write Type or Type:Name, for example Layout:Account-*"),
    WithJsonSchema({"type": "string", "pattern": COMPONENT_PATTERN}),
]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]


def _parse_limit(value: Any) -> Any:
    """A count where it is a whole number, a share where it is a decimal or a percentage."""
    found: float | None = None
    if isinstance(value, str):
        found = guard_limit(value)
    elif (isinstance(value, int) and not isinstance(value, bool) and value >= 0) or (
        isinstance(value, float) and 0 <= value <= 1
    ):
        found = value
    if found is None:
        given = shown(value) if isinstance(value, (str, int, float)) else kind_of(value)
        raise problem(f"{given} is no limit", "write a share such as 0.3 or 30%, or a count such as 200")
    return found


Limit = Annotated[
    int | float,
    BeforeValidator(_parse_limit),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^[0-9.]+%?$"}]}),
]


def _parse_day(value: Any) -> Any:
    try:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        found = shown(value) if isinstance(value, (str, int, float)) else kind_of(value)
        raise problem(f"{found} is no day", "write a date such as 2026-12-01") from None


Day = Annotated[date, BeforeValidator(_parse_day), WithJsonSchema({"type": "string", "format": "date"})]


def parse_duration(value: Any) -> Any:
    """Seconds of a duration such as `90d` (s, m, h, d, w)."""
    if not isinstance(value, str) or not re.fullmatch(DURATION_PATTERN, value, re.ASCII):
        found = shown(value) if isinstance(value, (str, int, float)) else kind_of(value)
        raise problem(f"{found} is no duration", "write a number and s, m, h, d or w, for example 90d")
    seconds = int(value[:-1]) * _SECONDS[value[-1]]
    if not seconds:
        raise problem(f"{shown(value)} is no time at all", "write at least 1s")
    return seconds


def duration_text(seconds: int) -> str:
    """Seconds as manifests write them, in the largest unit that goes in: 86400 is `1d`."""
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


Duration = Annotated[
    int, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN})
]
#: A duration, or `none`, which lifts the limit.
DurationOrNone = Annotated[
    int | None,
    BeforeValidator(lambda value: None if value == "none" else parse_duration(value)),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": DURATION_PATTERN}, {"const": "none"}]}),
]


class Secret(Strict):
    """A secret by reference: where it stands, never what it is."""

    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", description="Name of an environment variable")] = ""
    file: Annotated[str, Field(min_length=1, description="Path of a file, relative to the working folder")] = ""

    @model_validator(mode="after")
    def _one_source(self) -> Secret:
        if len(self.model_fields_set) != 1:
            raise problem("a secret reference names either env or file", "write {env: NAME} or {file: PATH}")
        return self


def _only_reference(value: Any) -> Any:
    if not isinstance(value, dict):
        raise problem("a secret in plain text", "write {env: NAME} or {file: PATH} instead", codes.PLAIN_SECRET)
    return value


#: A key that takes a secret and nothing else; what stands there instead is never repeated in a message.
SecretOnly = Annotated[Secret, BeforeValidator(_only_reference, json_schema_input_type=Secret)]


#: Characters of a store's URL: patterns that look for a password in it would take long over a longer one.
_LONGEST_URL: Final = 2_000


def _check_store(url: str) -> str:
    if len(url) > _LONGEST_URL:
        raise problem(f"a store's URL of more than {_LONGEST_URL} characters", "write sqlite:PATH")
    scheme, _, rest = url.partition(":")
    if scheme not in STORE_SCHEMES or not rest.strip("/ "):
        # A mistyped URL may hold a password, so only its beginning is shown.
        start = scheme if re.fullmatch(r"[A-Za-z0-9+.-]{1,20}", scheme) else "this"
        raise problem(f"{start} is no store", "write sqlite:PATH, postgresql://HOST/DATABASE or salesforce:ALIAS")
    if scheme == "sqlite" and rest.startswith("//"):
        raise problem("a SQLite store is named by its path alone", "write sqlite:PATH, for example sqlite:orgs/acme.db")
    if scheme == "postgresql" and re.match(r"//[^/@]*:[^/@]*@|.*[?&]password=", rest):
        raise problem("a password in a store's URL", "write store: {env: NAME} instead", codes.PLAIN_SECRET)
    return url


StoreUrl = Annotated[
    str,
    AfterValidator(_check_store),
    WithJsonSchema({"type": "string", "pattern": "^(sqlite:[^/]|sqlite:/[^/]|postgresql:|salesforce:).*$"}),
]


def by_shape(**shapes: type | tuple[type, ...]) -> Discriminator:
    """Chooses a union's member by the Python type of the input, so that only that member's errors are reported.

    Keys are tags without their brackets; the last one takes what no other one took.
    """
    last = f"[{list(shapes)[-1]}]"

    def choose(value: Any) -> str:
        for tag, types in shapes.items():
            if isinstance(value, types):
                return f"[{tag}]"
        return last

    return Discriminator(choose)


Store = Annotated[
    Annotated[Secret, Tag("[reference]")] | Annotated[StoreUrl, Tag("[url]")],
    by_shape(reference=(dict, Secret), url=str),
]


def _check_web_address(url: str) -> str:
    # A web address may hold a password or a token, so none is repeated.
    if re.match(r"[^/]*//[^/]*@", url):
        raise problem("a password in a web address", "write {env: NAME} or leave it out", codes.PLAIN_SECRET)
    if not re.fullmatch(WEB_PATTERN, url):
        raise problem("this is no web address", "write https://HOST/PATH")
    return url


WebAddress = Annotated[
    str, AfterValidator(_check_web_address), WithJsonSchema({"type": "string", "pattern": WEB_PATTERN})
]
WebAddressOrSecret = Annotated[
    Annotated[Secret, Tag("[reference]")] | Annotated[WebAddress, Tag("[url]")],
    by_shape(reference=(dict, Secret), url=str),
]
SideName = Literal["primary", "secondary"]
DirectionName = Literal["one-way", "two-way"]


def is_duration(field: FieldInfo) -> bool:
    """Whether a key takes a duration."""
    return _holds_duration((field.annotation, *field.metadata))


def _holds_duration(parts: Iterable[Any]) -> bool:
    return any(
        (isinstance(part, BeforeValidator) and part.func is parse_duration) or _holds_duration(_inside(part))
        for part in parts
    )


def _inside(part: Any) -> tuple[Any, ...]:
    return (*get_args(part), *getattr(part, "__metadata__", ()))


def without_repetition(items: Iterable[str], what: str) -> None:
    """Raises where a list names one thing twice, ignoring case."""
    seen: set[str] = set()
    for item in items:
        if item.casefold() in seen:
            raise problem(f"{what} names {shown(item)} twice", "remove one")
        seen.add(item.casefold())
