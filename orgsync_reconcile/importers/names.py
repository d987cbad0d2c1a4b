"""What a file of a project is called as a component: type by root element and suffix, full name by its path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from types import MappingProxyType
from urllib.parse import unquote

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata.components import OBJECT_CHILDREN

META = "-meta.xml"

#: File suffix -> root element. Other suffixes may hold any type; the root element names it.
_ROOTS: Mapping[str, str] = MappingProxyType(
    {
        "cls": "ApexClass",
        "component": "ApexComponent",
        "field": "CustomField",
        "layout": "Layout",
        "object": "CustomObject",
        "page": "ApexPage",
        "permissionset": "PermissionSet",
        "profile": "Profile",
        "recordType": "RecordType",
        "role": "Role",
        "trigger": "ApexTrigger",
    }
)

#: Folders of files in metadata format -> the suffix of their files, without `-meta.xml`.
_METADATA_FORMAT: Mapping[str, str] = MappingProxyType(
    {
        "applications": "app",
        "customMetadata": "md",
        "flexipages": "flexipage",
        "flows": "flow",
        "globalValueSets": "globalValueSet",
        "groups": "group",
        "labels": "labels",
        "layouts": "layout",
        "objects": "object",
        "permissionsets": "permissionset",
        "profiles": "profile",
        "queues": "queue",
        "quickActions": "quickAction",
        "reportTypes": "reportType",
        "roles": "role",
        "settings": "settings",
        "sharingRules": "sharingRules",
        "standardValueSets": "standardValueSet",
        "tabs": "tab",
        "workflows": "workflow",
    }
)

#: Folders whose components are named by their path below it.
_FOLDERED = frozenset({"dashboards", "documents", "email", "reports"})
#: Folders whose components are folders themselves, of several files, at this depth below it.
_BUNDLES: Mapping[str, int] = MappingProxyType({"aura": 1, "digitalExperiences": 2, "lwc": 1})
_CHILD_TYPES = frozenset(OBJECT_CHILDREN.values())


def is_metadata(path: PurePosixPath) -> bool:
    """Whether a file holds a component: `*.suffix-meta.xml`, or `*.suffix` in the folder of its type."""
    if path.name.endswith(META):
        return "." in path.name.removesuffix(META)
    return _METADATA_FORMAT.get(path.parent.name) == path.suffix[1:] and bool(path.suffix)


def check_root(path: PurePosixPath, root: str) -> None:
    """Raise MetadataError where the root element is another than the file's suffix calls for."""
    expected = _ROOTS.get(_split(path)[1])
    if expected is not None and root != expected:
        raise MetadataError(
            f"the root element is <{root}>, a file of this name holds <{expected}>", hint="rename or correct the file"
        )


def full_name(path: PurePosixPath, type_: str) -> str:
    """The component's full name by the file's path: `Account.Region__c`, `Folder/Report`, `Account-Account Layout`."""
    name = _split(path)[0]
    folders = path.parts[:-1]
    for index in range(len(folders) - 1, -1, -1):
        folder = folders[index]
        if folder in _BUNDLES and len(folders) > index + 1:
            return "/".join(folders[index + 1 : index + 1 + _BUNDLES[folder]])
        if folder in _FOLDERED:
            return "/".join((*folders[index + 1 :], name))
        if folder == "objects" and type_ in _CHILD_TYPES and len(folders) > index + 1:
            return f"{folders[index + 1]}.{name}"
    return name


def is_bundle(path: PurePosixPath) -> bool:
    """Whether the file describes a bundle, whose other files lie beside it."""
    return any(folder in _BUNDLES for folder in path.parts[:-1])


def _split(path: PurePosixPath) -> tuple[str, str]:
    """The name and the suffix of a metadata file; names are percent-encoded where a file system needs it."""
    stem, _, suffix = path.name.removesuffix(META).rpartition(".")
    return unquote(stem), suffix
