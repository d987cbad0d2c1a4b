"""Pages of HTML that need nothing but themselves: no script, no other address; everything in them is escaped."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

#: What a page may do: show its own style and nothing else.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def page(template: str, **values: Any) -> Iterator[str]:
    """The pieces of a page, as they are filled in."""
    yield from _environment().get_template(f"{template}.html.j2").generate(policy=POLICY, **values)


def _visible(value: object) -> str:
    """Text whose control characters are shown and not obeyed; line ends stay."""
    return "".join(
        item if item == "\n" or unicodedata.category(item) not in ("Cc", "Cf", "Zl", "Zp") else f"\\u{ord(item):04x}"
        for item in ("" if value is None else str(value))
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    folder = resources.files("orgsync_reconcile.operations").joinpath("templates")
    found = Environment(
        loader=FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["visible"] = _visible
    return found
