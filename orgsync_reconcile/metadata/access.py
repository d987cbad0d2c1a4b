"""Record types, roles, profiles and permission sets as metadata describes them (MET-1, CON-11, LKP-6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orgsync_reconcile.metadata.xml import as_dicts, is_true
from orgsync_reconcile.model.component import Component

#: Standard profiles have other names in files than users see.
_PROFILE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "Admin": "System Administrator",
        "ContractManager": "Contract Manager",
        "MarketingProfile": "Marketing User",
        "ReadOnly": "Read Only",
        "SolutionManager": "Solution Manager",
        "Standard": "Standard User",
        "StandardAul": "Standard Platform User",
    }
)

#: Element of an object permission -> verb in a permission's name, for example CreateContact.
_VERBS: Mapping[str, str] = MappingProxyType(
    {"allowCreate": "Create", "allowDelete": "Delete", "allowEdit": "Edit", "allowRead": "Read"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordTypeInfo:
    """A record type: of which object, under which developer name."""

    object: str
    developer_name: str
    label: str
    description: str = ""
    active: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class RoleInfo:
    """A role; `parent` is the developer name of the role above, empty at the top."""

    developer_name: str
    name: str
    parent: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessInfo:
    """A profile or permission set. `name` is the file's, `label` what users see; `permissions` are granted."""

    name: str
    label: str
    #: Name of the user licence, empty where the file leaves it out.
    license: str = ""
    description: str = ""
    #: System permissions, and object permissions as verb + object, for example ManageUsers, CreateContact.
    permissions: frozenset[str] = frozenset()


def record_type(component: Component) -> RecordTypeInfo:
    """What a RecordType component describes; record types are active unless the file says otherwise."""
    owner, _, name = component.key.full_name.partition(".")
    content = component.content
    return RecordTypeInfo(
        object=owner,
        developer_name=name,
        label=str(content.get("label", name)),
        description=str(content.get("description", "")),
        active=is_true(content.get("active", "true")),
    )


def role(component: Component) -> RoleInfo:
    """What a Role component describes."""
    content = component.content
    return RoleInfo(
        developer_name=component.key.full_name,
        name=str(content.get("name", component.key.full_name)),
        parent=str(content.get("parentRole", "")),
        description=str(content.get("description", "")),
    )


def profile(component: Component) -> AccessInfo:
    """What a Profile component describes; standard profiles get the label that users see."""
    name = component.key.full_name
    return AccessInfo(
        name=name,
        label=_PROFILE_NAMES.get(name, name),
        license=str(component.content.get("userLicense", "")),
        description=str(component.content.get("description", "")),
        permissions=_permissions(component),
    )


def permission_set(component: Component) -> AccessInfo:
    """What a PermissionSet component describes."""
    name = component.key.full_name
    return AccessInfo(
        name=name,
        label=str(component.content.get("label", name)),
        license=str(component.content.get("license", "")),
        description=str(component.content.get("description", "")),
        permissions=_permissions(component),
    )


def _permissions(component: Component) -> frozenset[str]:
    system = {
        str(item["name"])
        for item in as_dicts(component.content.get("userPermissions"))
        if is_true(item.get("enabled")) and "name" in item
    }
    objects = {
        f"{verb}{item['object']}"
        for item in as_dicts(component.content.get("objectPermissions"))
        for element, verb in _VERBS.items()
        if is_true(item.get(element)) and "object" in item
    }
    return frozenset(system | objects)
