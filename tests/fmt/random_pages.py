"""Random YAML as people write it: any indentation, brackets and blocks, quotes, comments everywhere."""

from __future__ import annotations

import json

from hypothesis import strategies as st

_KEYS = st.sampled_from(
    ["version", "kind", "name", "fields", "include", "exclude", "sync", "users", "notify", "a b", "no", "x-1", ""]
)
_TEXTS = st.one_of(
    st.sampled_from(
        ["yes", "no", "12:30", "0x1f", "a: b", "# no", "{{ values.x }}", "'", '"', "- a", "~", "", " x", "é"]
    ),
    st.text(alphabet="ab #:-'\"{}[],&*!|>%@\n\t\\é☃", max_size=8),
)
_PLAIN = st.sampled_from(["true", "False", "null", "~", "12", "1.50", "0o17", "abc", "90d", "yes", "a b", "x#y"])
_COMMENT = st.sampled_from(["", "", "", "# why", "#! strange", "# a: b", "#"])
_KINDS = st.sampled_from(["Publication", "Metadata", "Connection", "Mail", "Nothing"])


def _leaf(draw: st.DrawFn) -> str:
    if draw(st.booleans()):
        return draw(_PLAIN)
    text = draw(_TEXTS)
    if draw(st.booleans()) and "\n" not in text and "\t" not in text and "\\" not in text:
        return "'" + text.replace("'", "''") + "'"
    return json.dumps(text, ensure_ascii=draw(st.booleans()))


def _flow(draw: st.DrawFn, depth: int, indent: str) -> str:
    size = draw(st.integers(0, 3))
    lines = draw(st.booleans())
    pad = f"{draw(_COMMENT) and '  # in brackets'}\n{indent}      " if lines else " "
    items = []
    for _ in range(size):
        item = _flow(draw, depth - 1, indent) if depth and draw(st.integers(0, 3)) == 0 else _leaf(draw)
        items.append(item)
    if draw(st.booleans()):
        return f"[{pad if lines else ''}{f',{pad}'.join(items)}]"
    keys = draw(st.lists(_KEYS, min_size=size, max_size=size, unique=True))
    return "{" + f",{pad}".join(f"{json.dumps(k)}: {v}" for k, v in zip(keys, items, strict=True)) + "}"


def _above(draw: st.DrawFn, indent: str) -> list[str]:
    found = []
    for _ in range(draw(st.integers(0, 2))):
        deeper = " " * draw(st.sampled_from([0, 0, 0, 2]))
        comment = draw(_COMMENT)
        found.append(f"{indent}{deeper}{comment}" if comment else "")
    return found


def _behind(draw: st.DrawFn) -> str:
    comment = draw(_COMMENT)
    return " " * draw(st.integers(1, 9)) + comment if comment else ""


def _block(draw: st.DrawFn, depth: int, indent: str, mapping: bool) -> list[str]:
    step = " " * draw(st.sampled_from([1, 2, 4]))
    size = draw(st.integers(1, 4))
    keys = draw(st.lists(_KEYS, min_size=size, max_size=size, unique=True))
    lines: list[str] = []
    for key in keys:
        lines += _above(draw, indent)
        head = indent + (f"{json.dumps(key)}:" if mapping else "-")
        shape = draw(st.sampled_from(["leaf", "leaf", "flow", "block", "list", "literal", "empty"]))
        if shape == "literal":
            lines.append(f"{head} {draw(st.sampled_from(['|', '|-', '>', '|+']))}{_behind(draw)}")
            lines += [
                f"{indent}{step} {text}"
                for text in draw(st.lists(st.sampled_from(["one", "# two", "a: b"]), min_size=1, max_size=3))
            ]
        elif shape in ("block", "list") and depth:
            lines.append(head + _behind(draw))
            lines += _block(draw, depth - 1, indent + step, shape == "block")
        elif shape == "flow":
            lines.append(f"{head} {_flow(draw, 1, indent)}{_behind(draw)}")
        elif shape == "empty":
            lines.append(head + _behind(draw))
        else:
            lines.append(f"{head} {_leaf(draw)}{_behind(draw)}")
    return [*lines, *_above(draw, indent)]


@st.composite
def files(draw: st.DrawFn) -> str:
    """The text of a file with one to three documents."""
    parts = []
    for _ in range(draw(st.integers(1, 3))):
        lines = _above(draw, "")
        if draw(st.integers(0, 4)):
            lines += [f"kind: {draw(_KINDS)}"] if draw(st.booleans()) else []
            body = _block(draw, 2, "", True)
            lines += [line for line in body if not line.startswith('"kind"')] if lines[-1:] == ["kind"] else body
        parts.append("\n".join(lines))
    head = draw(st.sampled_from(["", "---\n"]))
    tail = draw(st.sampled_from(["", "\n", "\n\n\n", "\n...\n"]))
    return head + "\n---   \n".join(parts) + tail
