"""Nodes to plain data in one walk: scalars resolved, expressions evaluated, double keys and tags refused (REC-8)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.findings import Findings, shown
from orgsync_reconcile.manifest.parse import OURS, PLAIN, MappingNode, Node, ScalarNode, SequenceNode, place
from orgsync_reconcile.manifest.scalars import resolve_plain
from orgsync_reconcile.manifest.template import TemplateProblem, Templates, is_template

_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

#: Keys below which expressions may look up what is known only later: the facts of an alert (LOG-3).
_LATER: Final = {"notify": "alert"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Converter:
    """Converts the nodes of one file. Without `templates`, expressions are refused (values files)."""

    file: str
    templates: Templates | None
    findings: Findings

    def convert(self, node: Node, *, later: str = "") -> Any:
        """A node as None, bool, int, float, str, list or dict; problems go to the findings, in place of None.

        What looks up `later` stays an expression.
        """
        if node.tag not in OURS:
            self._error(codes.TAG, node, f"the tag {shown(node.tag)} is not accepted", "write plain YAML")
            return None
        if isinstance(node, ScalarNode):
            return self._scalar(node, later)
        if isinstance(node, SequenceNode):
            return [self.convert(item, later=later) for item in node.value]
        return self._mapping(node, later)

    def _mapping(self, node: Node, later: str) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if isinstance(key_node, MappingNode) and len(node.value) == 1:
                # What `key: {{ values.x }}` is without quotes.
                self._error(
                    codes.KEY_NOT_TEXT, node, "a mapping as a key", 'put quotes around an expression: "{{ … }}"'
                )
                continue
            if not isinstance(key_node, ScalarNode) or key_node.tag not in OURS:
                self._error(codes.KEY_NOT_TEXT, key_node, "a key that is no text", "keys are plain text")
                continue
            key = key_node.value
            if key in result:
                first = next(place(self.file, other) for other, _ in node.value if other.value == key)
                message = f"the key {shown(key)} stands here twice, first at line {first.line}"
                self._error(codes.DUPLICATE_KEY, key_node, message, "remove one")
                continue
            result[key] = self.convert(value_node, later=_LATER.get(key, later))
        return result

    def _scalar(self, node: ScalarNode, later: str) -> Any:
        text: str = node.value
        if is_template(text):
            return self._expression(node, text, later)
        if node.tag == PLAIN:
            return resolve_plain(text)
        if _CONTROL.search(text):
            self._control_character(node)
        return text

    def _expression(self, node: ScalarNode, text: str, later: str) -> Any:
        if self.templates is None:
            self._error(codes.BAD_VALUES_FILE, node, "an expression in a values file", "values are written out")
            return None
        try:
            result = self.templates.evaluate(text, later=later)
        except TemplateProblem as problem:
            self._error(problem.code, node, problem.message, problem.hint)
            return None
        if isinstance(result, str) and _CONTROL.search(result):
            self._control_character(node)
        return result

    def _control_character(self, node: Node) -> None:
        self._error(codes.CONTROL_CHARACTER, node, "a control character in a text", "remove it")

    def _error(self, code: str, node: Node, message: str, hint: str) -> None:
        origin = place(self.file, node)
        self.findings.unread.add(origin)
        self.findings.error(code, origin, message, hint)
