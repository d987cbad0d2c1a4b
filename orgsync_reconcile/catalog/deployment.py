"""Which metadata syncs, in which order it is deployed, and what a person does about the rest (MET-1, -6, -9, -11)."""

from __future__ import annotations

from types import MappingProxyType

from orgsync_reconcile.model.component import ComponentKey

#: Component types that sync (MET-1). External objects are of type CustomObject, with names that end in __x.
SUPPORTED_METADATA: frozenset[str] = frozenset(
    {
        "ApexClass",
        "ApexComponent",
        "ApexPage",
        "CustomField",
        "CustomObject",
        "Layout",
        "PermissionSet",
        "Profile",
        "RecordType",
        "Role",
    }
)

#: Lower is deployed earlier; a component may only name components of lower or equal rank (MET-9).
_RANKS = MappingProxyType(
    {
        "GlobalValueSet": 10,
        "CustomObject": 20,
        "CustomField": 30,
        "StandardValueSet": 35,
        "RecordType": 40,
        "ApexClass": 50,
        "ApexTrigger": 55,
        "ApexComponent": 60,
        "ApexPage": 70,
        "Layout": 80,
        "Role": 90,
        "PermissionSet": 100,
        "Profile": 110,
    }
)
_LAST_RANK = 1000

#: Component type -> feature area that never syncs (MET-11).
UNSUPPORTED_AREAS = MappingProxyType(
    {
        "LiveChatAgentConfig": "Live Agent",
        "LiveChatButton": "Live Agent",
        "LiveChatDeployment": "Live Agent",
        "LiveChatSensitiveDataRule": "Live Agent",
        "LiveAgentSettings": "Live Agent",
        "Skill": "Live Agent",
        "ArticleType": "Knowledge",
        "DataCategoryGroup": "Knowledge",
        "KnowledgeSettings": "Knowledge",
        "Portal": "Portals",
        "PortalDelegablePermissionSet": "Portals",
        "Audience": "Communities",
        "CommunitiesSettings": "Communities",
        "Community": "Communities",
        "CommunityTemplateDefinition": "Communities",
        "CommunityThemeDefinition": "Communities",
        "CustomSite": "Communities",
        "DigitalExperienceBundle": "Communities",
        "DigitalExperienceConfig": "Communities",
        "ExperienceBundle": "Communities",
        "NavigationMenu": "Communities",
        "Network": "Communities",
        "NetworkBranding": "Communities",
        "SiteDotCom": "Communities",
    }
)

_ADVICE = MappingProxyType(
    {
        "ApexTrigger": "deploy it by hand if the secondary needs it; adapt it to replicated records first",
        "AssignmentRules": "recreate the rules in the secondary; keep notifications off there until failover",
        "Flow": "deploy the flow by hand; leave it inactive in the secondary if it writes records that sync",
        "Workflow": "recreate the workflow by hand; leave rules inactive that write fields or send mail twice",
        "WorkflowRule": "recreate the rule by hand; leave it inactive if it writes fields or sends mail twice",
        "Report": "create an identical report in the secondary; Apex pages that name it are then rewritten",
        "ReportFolder": "create the folder in the secondary before its reports",
        "ReportType": "create the report type in the secondary before the reports that use it",
        "Dashboard": "create an identical dashboard in the secondary, over its own reports",
        "Queue": "create the queue in the secondary under the same developer name; owners are matched by it",
        "GlobalValueSet": "add the same values in the secondary before fields that use the set are deployed",
        "StandardValueSet": "add the same picklist values in the secondary before records that use them are synced",
        "CustomTab": "deploy the tab by hand, then set its visibility in the secondary's profiles",
        "CustomApplication": "deploy the app by hand, then set its visibility in the secondary's profiles",
        "CustomLabels": "deploy the labels by hand before Apex and pages that read them",
        "StaticResource": "deploy the resource by hand before pages that load it",
        "ValidationRule": "deploy the rule by hand; let it pass replicated records, or they fail in the secondary",
        "EmailTemplate": "deploy the template by hand",
        "InstalledPackage": "install the same version of the package in the secondary",
    }
)


def deploy_rank(component_type: str) -> int:
    """The place of a component type in a deployment, lower first; types without an own place are last (MET-9)."""
    return _RANKS.get(component_type, _LAST_RANK)


def manual_advice(component_type: str) -> str:
    """What a person does in the secondary about a component that differs and does not sync (MET-6)."""
    area = UNSUPPORTED_AREAS.get(component_type)
    if area is not None:
        return f"{area} is not part of the sync: set it up in the secondary by hand if users need it there"
    return _ADVICE.get(
        component_type, "make the same change in the secondary by hand, or deploy it with your own tools"
    )


def never_synced(key: ComponentKey, namespace: str, *, owned_namespace: str = "") -> str | None:
    """Why a component never syncs whatever the manifest says, or None (MET-11).

    `namespace` is the component's own, `owned_namespace` the org's. A component of a foreign namespace belongs to a
    managed package, which is installed in each org.
    """
    if namespace and namespace != owned_namespace:
        return f"belongs to the managed package {namespace}; install the package in the secondary"
    area = UNSUPPORTED_AREAS.get(key.type)
    if area is None and key.full_name.split(".")[0].endswith("__kav"):
        area = "Knowledge"
    return f"belongs to {area}, which is not part of the sync" if area else None
