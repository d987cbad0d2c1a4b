"""`orgsync org describe`."""

from __future__ import annotations

from typing import Any

import click

from orgsync_reconcile.app.orgs import describe_org
from orgsync_reconcile.cli.base import leaf
from orgsync_reconcile.cli.layout import table, visible
from orgsync_reconcile.cli.session import Session, pass_session
from orgsync_reconcile.model.wording import counted

_OBJECTS = ("OBJECT", "PREFIX", "RECORDS", "FIELDS", "CAN BE PUBLISHED")
_FIELDS = ("FIELD", "TYPE", "REQUIRED", "CAN BE PUBLISHED")


@leaf(formats=("text", "json", "markdown"))
@click.argument("org")
@click.argument("object_name", metavar="[OBJECT]", required=False)
@pass_session
def command(session: Session, org: str, object_name: str | None) -> None:
    """Show an org's objects, or one object's fields.

    ORG is a store's address, or an org of the manifests. What cannot be published says why.

    Examples:
      orgsync org describe sqlite:orgs/acme.db
      orgsync org describe acme Account
    """
    document = describe_org(session.workspace(), org, object_name)
    if session.format == "json":
        session.show_json(document)
    elif object_name is None:
        _show_org(session, document)
    else:
        _show_object(session, document)


def _yes(item: dict[str, Any]) -> str:
    return "yes" if item["publishable"] else f"no: {item['reason']}"


def _show_org(session: Session, document: dict[str, Any]) -> None:
    org = document["org"]
    session.show(
        visible(f"{org['name']} ({org['org_id']}), {org['edition']} {org['org_type']}, acts as {org['admin']}")
    )
    session.show(visible(f"features: {', '.join(org['features']) or 'none'}") + "\n")
    rows = [
        (item["name"], item["key_prefix"], item["records"], item["field_count"], _yes(item))
        for item in document["objects"]
    ]
    session.show(table(session, _OBJECTS, rows, empty="No objects."))


def _show_object(session: Session, document: dict[str, Any]) -> None:
    session.show(
        visible(f"{document['name']} ({document['key_prefix']}), {counted(document['records'], 'record')}; ")
        + f"can be published: {_yes(document)}\n"
    )
    rows = [
        (field["name"], _type(field), "yes" if field.get("required") else "", _yes(field))
        for field in document["fields"]
    ]
    session.show(table(session, _FIELDS, rows, empty="No fields."))


def _type(field: dict[str, Any]) -> str:
    if field.get("reference_to"):
        return f"{field['type']} {', '.join(field['reference_to'])}"
    if field.get("precision"):
        return f"{field['type']}({field['precision']}, {field.get('scale', 0)})"
    return f"{field['type']}({field['length']})" if field.get("length") else str(field["type"])
