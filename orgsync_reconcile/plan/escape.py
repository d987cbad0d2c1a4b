"""Names and values from orgs and manifests, made harmless for the place where they are shown (REC-11)."""

from __future__ import annotations

import html
import re

#: Control characters, line and paragraph separators, and marks that reorder or hide text.
UNSAFE = r"[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
_UNSAFE = re.compile(UNSAFE)
_SPECIAL = re.compile(r"([\\`*_\[\]|~])")
#: What the Markdown of code hosts turns into mentions, references and links without being asked.
_LINKING = re.compile(r"(@|#|\bGH-|://|\bwww\.)", re.IGNORECASE)
_BREAK = "\u200b"


def for_terminal(text: str) -> str:
    """One line without anything that a terminal would obey: such characters are shown by their number."""

    def visible(match: re.Match[str]) -> str:
        code = ord(match.group())
        return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"

    return _UNSAFE.sub(visible, text)


def for_markdown(text: str) -> str:
    """Text that shows as it is: no formatting, no HTML, no mention, no reference, no link."""
    harmless = html.escape(_SPECIAL.sub(r"\\\1", for_terminal(text)), quote=False)
    return _LINKING.sub(rf"\1{_BREAK}", harmless)


def as_code(text: str) -> str:
    """Text as a Markdown code span that its own backticks cannot leave and that holds no HTML comment."""
    harmless = for_terminal(text).replace("<!--", f"<{_BREAK}!--").replace("-->", f"--{_BREAK}>")
    longest = max((len(run) for run in re.findall(r"`+", harmless)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or not harmless.strip() else ""
    return f"{fence}{pad}{harmless}{pad}{fence}"
