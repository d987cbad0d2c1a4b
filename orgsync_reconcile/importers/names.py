"""What a file of a project is called as a component: type by root element and suffix, full name by its path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
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

#: Types whose components lie in folders of their own -> the folder that holds these folders.
_FOLDERED: Mapping[str, str] = MappingProxyType(
    {
        "Dashboard": "dashboards",
        "DashboardFolder": "dashboards",
        "Document": "documents",
        "DocumentFolder": "documents",
        "EmailFolder": "email",
        "EmailTemplate": "email",
        "Report": "reports",
        "ReportFolder": "reports",
    }
)
#: Types whose components are folders of several files -> (the folder that holds them, how deep below it they lie).
_BUNDLES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "AuraDefinitionBundle": ("aura", 1),
        "DigitalExperienceBundle": ("digitalExperiences", 2),
        "LightningComponentBundle": ("lwc", 1),
    }
)
#: Other types that are parts of a component -> how many folders up the folder of that name is.
_PARTS: Mapping[str, int] = MappingProxyType(
    {"BotVersion": 1, "CustomFieldTranslation": 1, "Territory2": 2, "Territory2Rule": 2}
)
_CHILD_TYPES = frozenset(OBJECT_CHILDREN.values())

#: Every metadata file names this in its first element.
_XML_NAMESPACE = b"http://soap.sforce.com/2006/04/metadata"
_HEAD_BYTES = 1024


def is_metadata(path: Path, place: PurePosixPath) -> bool:
    """Whether a file holds a component; `place` is its path in the project.

    `*.suffix-meta.xml` does, and in metadata format `*.suffix` in the folder of its type, or whatever begins like
    metadata. Package lists do not, nor does a body that its description lies beside.
    """
    if place.name.endswith(META):
        return True
    if place.suffix and _METADATA_FORMAT.get(place.parent.name) == place.suffix[1:]:
        return True
    with path.open("rb") as stream:
        head = stream.read(_HEAD_BYTES)
    return _XML_NAMESPACE in head and b"<Package" not in head and not path.with_name(place.name + META).exists()


def check_root(place: PurePosixPath, root: str) -> None:
    """Raise MetadataError where the root element is another than the file's suffix calls for."""
    expected = _ROOTS.get(_split(place)[1])
    if expected is not None and root != expected:
        raise MetadataError(
            f"the root element is <{root}>, a file of this name holds <{expected}>", hint="rename or correct the file"
        )


def full_name(place: PurePosixPath, type_: str) -> str:
    """The component's full name by the file's path: `Account.Region__c`, `Folder/Report`, `Account-Account Layout`."""
    name, suffix = _split(place)
    folders = place.parts[:-1]
    if type_ in _BUNDLES:
        container, depth = _BUNDLES[type_]
        return "/".join(_below(folders, container)[:depth]) or name
    if type_ in _FOLDERED:
        # In metadata format a document keeps the suffix of what it is.
        last = name if type_ != "Document" or suffix == "document" else f"{name}.{suffix}"
        return "/".join((*_below(folders, _FOLDERED[type_]), last))
    if type_ in _CHILD_TYPES:
        owner = _below(folders, "objects")[:1]
    else:
        up = _PARTS.get(type_, 0)
        owner = folders[-up : len(folders) - up + 1] if 0 < up <= len(folders) else ()
    return ".".join((*owner, name))


def is_bundle(type_: str) -> bool:
    """Whether the components of a type are bundles, whose other files lie beside their description."""
    return type_ in _BUNDLES


def _below(folders: tuple[str, ...], container: str) -> tuple[str, ...]:
    """The folders below the innermost one called `container`, none where there is no such folder."""
    if container not in folders:
        return ()
    innermost = len(folders) - 1 - folders[::-1].index(container)
    return folders[innermost + 1 :]


def _split(place: PurePosixPath) -> tuple[str, str]:
    """The name and the suffix of a metadata file; names are percent-encoded where a file system needs it."""
    stem, dot, suffix = place.name.removesuffix(META).rpartition(".")
    return unquote(stem if dot else suffix), suffix if dot else ""
