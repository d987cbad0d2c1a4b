"""Normal form of metadata: what has no meaning (order, defaults, empty elements) is gone, so equal is equal (MET-5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from orgsync_reconcile.metadata.xml import as_list, is_true
from orgsync_reconcile.model.component import canonical

#: Repeated elements without an order of their own: element -> the elements that identify one of them.
_UNORDERED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "actionOverrides": ("actionName", "formFactor", "recordType", "pageOrSobjectType"),
        "agentAccesses": ("agentName",),
        "applicationVisibilities": ("application",),
        "categoryGroupVisibilities": ("dataCategoryGroup",),
        "classAccesses": ("apexClass",),
        "controllingFieldValue": (),
        "customMetadataTypeAccesses": ("name",),
        "customPermissions": ("name",),
        "customSettingAccesses": ("name",),
        "excludeButtons": (),
        "externalDataSourceAccesses": ("externalDataSource",),
        "fieldPermissions": ("field",),
        "flowAccesses": ("flow",),
        "labels": ("fullName",),
        "layoutAssignments": ("layout", "recordType"),
        "loginIpRanges": ("startAddress", "endAddress"),
        "objectPermissions": ("object",),
        "pageAccesses": ("apexPage",),
        "picklistValues": ("picklist",),
        "profileActionOverrides": ("actionName", "pageOrSobjectType", "formFactor", "recordType"),
        "recordTypeVisibilities": ("recordType",),
        "tabSettings": ("tab",),
        "tabVisibilities": ("tab",),
        "userPermissions": ("name",),
        "values": ("fullName",),
        "valueSettings": ("valueName",),
    }
)

#: Elements whose absence means false, wherever they stand.
_FALSE_BY_DEFAULT = frozenset(
    {
        "allowInChatterGroups",
        "caseSensitive",
        "customLabel",
        "default",
        "deprecated",
        "detailHeading",
        "displayLocationInDecimal",
        "editHeading",
        "emailDefault",
        "emptySpace",
        "enableActivities",
        "enableChangeDataCapture",
        "enableEnhancedLookup",
        "enableFeeds",
        "enableHistory",
        "enableLicensing",
        "enableReports",
        "encrypted",
        "externalId",
        "hasActivationRequired",
        "hidden",
        "isFilteringDisabled",
        "isNameField",
        "isSortingDisabled",
        "recordTypeTrackFeedHistory",
        "recordTypeTrackHistory",
        "reparentableMasterDetail",
        "required",
        "restricted",
        "runAssignmentRulesDefault",
        "showEmailCheckbox",
        "showHighlightsPanel",
        "showInteractionLogPanel",
        "showKnowledgeComponent",
        "showRunAssignmentRulesCheckbox",
        "showSolutionSection",
        "showSubmitAndAttachButton",
        "sorted",
        "stripMarkup",
        "trackFeedHistory",
        "trackHistory",
        "trackTrending",
        "unique",
        "writeRequiresMasterRead",
    }
)

#: Other values that mean the same as leaving the element out.
_DEFAULTS: Mapping[str, str] = MappingProxyType(
    {"compactLayoutAssignment": "SYSTEM", "deleteConstraint": "SetNull", "isActive": "true", "visibility": "Public"}
)


def _grants(*elements: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda item: any(is_true(item.get(element)) for element in elements)


#: Entries that grant nothing are the same as no entry: element -> whether an entry says something.
_SAYS_SOMETHING: Mapping[str, Callable[[Mapping[str, Any]], bool]] = MappingProxyType(
    {
        "actionOverrides": lambda item: item.get("type", "Default") != "Default",
        "classAccesses": _grants("enabled"),
        "customMetadataTypeAccesses": _grants("enabled"),
        "customPermissions": _grants("enabled"),
        "customSettingAccesses": _grants("enabled"),
        "externalDataSourceAccesses": _grants("enabled"),
        "fieldPermissions": _grants("editable", "readable"),
        "flowAccesses": _grants("enabled"),
        "objectPermissions": _grants(
            "allowCreate",
            "allowDelete",
            "allowEdit",
            "allowRead",
            "modifyAllRecords",
            "viewAllFields",
            "viewAllRecords",
        ),
        "pageAccesses": _grants("enabled"),
        "recordTypeVisibilities": _grants("default", "personAccountDefault", "visible"),
        "userPermissions": _grants("enabled"),
    }
)

#: Elements that are lists even where there is one of them, so that a diff shows an addition as an addition.
_ALWAYS_LISTS = frozenset(_UNORDERED) | {
    "customValue",
    "layoutColumns",
    "layoutItems",
    "layoutSections",
    "relatedLists",
    "value",
}


def normalise(content: Mapping[str, Any], *, type_: str = "") -> dict[str, Any]:
    """The normal form of a component's content; `type_` is its component type.

    Lists keep their order where it has a meaning (picklist values, layout sections and their items) and are sorted
    where it has none. What the platform writes or leaves out at will is gone. Normalising twice changes nothing.
    Types that nobody here interprets (flows, pages of apps, …) only lose empty elements and the order of keys.
    """
    if type_ not in _INTERPRETED:
        return _without_name(content)
    result = _mapping(content)
    if type_ == "CustomField" and result.get("type") == "Checkbox" and result.get("defaultValue") == "false":
        del result["defaultValue"]
    return _without_name(result)


_INTERPRETED = frozenset(
    {
        "CustomField",
        "CustomLabels",
        "CustomObject",
        "GlobalValueSet",
        "Layout",
        "PermissionSet",
        "Profile",
        "RecordType",
        "Role",
    }
)


def _without_name(content: Mapping[str, Any]) -> dict[str, Any]:
    """The name is the component's key; some file formats repeat it inside."""
    return {name: value for name, value in content.items() if name != "fullName"}


def _mapping(content: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name in content:
        value = _value(name, content[name])
        if value is not None:
            result[name] = value
    return result


def _value(name: str, value: Any) -> Any:
    """The normal form of one element, None where it says nothing."""
    # A filter's `value` is plain text and stays so; only a picklist's values are many.
    if name in _ALWAYS_LISTS and not (name == "value" and isinstance(value, str)):
        items = [_value("", item) for item in as_list(value)]
        says = _SAYS_SOMETHING.get(name)
        if says is not None:
            items = [item for item in items if not isinstance(item, Mapping) or says(item)]
        if name in _UNORDERED:
            items.sort(key=lambda item: _sort_key(item, _UNORDERED[name]))
        return items or None
    if isinstance(value, list):
        return [_value("", item) for item in value]
    if isinstance(value, Mapping):
        return _mapping(value) or (None if name else {})
    if _is_default(name, value):
        return None
    return value


def _is_default(name: str, value: Any) -> bool:
    if name in _FALSE_BY_DEFAULT:
        return str(value).lower() == "false"
    return isinstance(value, str) and _DEFAULTS.get(name) == value


def _sort_key(item: Any, keys: tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(item, Mapping):
        return (*(str(item.get(key, "")) for key in keys), canonical(item))
    return (str(item),)
