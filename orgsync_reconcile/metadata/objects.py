"""Objects as metadata describes them, as object definitions of an org (ORG-3, ORG-8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orgsync_reconcile.metadata.xml import is_true
from orgsync_reconcile.model.component import Component
from orgsync_reconcile.model.schema import FieldDef, FieldType, ObjectDef


def object_kind(component: Component) -> str:
    """The kind of object (`ObjectDef.kind`) that a CustomObject component describes, by suffix and settings type."""
    name = component.key.full_name
    if name.endswith("__mdt"):
        return "metadata_type"
    if name.endswith("__e"):
        return "event"
    if name.endswith("__x"):
        return "external"
    return "setting" if component.content.get("customSettingsType") else "object"


def is_standard(component: Component) -> bool:
    """Whether the component customises an object that every org has, rather than describing a new one."""
    return "__" not in component.key.full_name


def object_def(component: Component, key_prefix: str) -> ObjectDef:
    """The object that a CustomObject component describes, with the fields that come with it (ORG-8).

    These are the name field and, for ordinary objects, OwnerId (unless the object is controlled by its parent) and
    RecordTypeId. Custom fields are components of their own. `key_prefix` is what the org gave the object.
    """
    name = component.key.full_name
    kind = object_kind(component)
    # Settings, metadata types and events are in use as soon as they are there; only ordinary objects can wait.
    deployed = kind != "object" or component.content.get("deploymentStatus", "Deployed") == "Deployed"
    return ObjectDef(
        name=name,
        key_prefix=key_prefix,
        label=str(component.content.get("label", name)),
        custom=not is_standard(component),
        deployed=deployed,
        kind=kind,
        fields={field.name: field for field in _built_in_fields(component, kind)},
    )


def _built_in_fields(component: Component, kind: str) -> Iterator[FieldDef]:
    match kind:
        case "metadata_type":
            yield _text("DeveloperName", "Name", 40, required=True, unique=True)
            yield _text("MasterLabel", "Label", 40, name_field=True)
        case "event":
            yield _text("ReplayId", "Replay ID", 50, read_only=True)
        case "external":
            yield _text("ExternalId", "External ID", 1000, unique=True, name_field=True)
            yield FieldDef(name="DisplayUrl", type=FieldType.URL, label="Display URL", length=1000)
        case "setting":
            yield _text("Name", "Name", 38, name_field=True)
            yield FieldDef(
                name="SetupOwnerId",
                type=FieldType.LOOKUP,
                label="Location",
                length=18,
                reference_to=("Organization", "Profile", "User"),
                relationship_name="SetupOwner",
            )
        case _:
            yield _name_field(component.content.get("nameField"))
            if component.content.get("sharingModel") != "ControlledByParent":
                yield _lookup("OwnerId", "Owner ID", ("Group", "User"))
            yield _lookup("RecordTypeId", "Record Type ID", ("RecordType",))


def _name_field(said: Any) -> FieldDef:
    """The name: text, which nobody must fill in (the platform then takes the Id), or an auto-number."""
    content: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    label = str(content.get("label", "Name"))
    if content.get("type") == "AutoNumber":
        return FieldDef(
            name="Name",
            type=FieldType.AUTO_NUMBER,
            label=label,
            length=80,
            display_format=str(content.get("displayFormat") or "{0}"),
            name_field=True,
            read_only=True,
        )
    return _text("Name", label, 80, name_field=True, unique=is_true(content.get("unique")))


def _text(name: str, label: str, length: int, **flags: bool) -> FieldDef:
    return FieldDef(
        name=name,
        type=FieldType.TEXT,
        label=label,
        length=length,
        required=flags.get("required", False),
        unique=flags.get("unique", False),
        name_field=flags.get("name_field", False),
        read_only=flags.get("read_only", False),
    )


def _lookup(name: str, label: str, targets: tuple[str, ...]) -> FieldDef:
    return FieldDef(
        name=name,
        type=FieldType.LOOKUP,
        label=label,
        length=18,
        reference_to=targets,
        relationship_name=name.removesuffix("Id"),
    )
