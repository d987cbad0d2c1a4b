"""SFDX projects: source and metadata format, precedence, and bad files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.importers import SfdxProject, read_sfdx
from orgsync_reconcile.model.component import ComponentKey

XMLNS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


class Project:
    """A project in a temporary folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def settings(self, *packages: str, namespace: str = "") -> None:
        data = {"packageDirectories": [{"path": item} for item in packages], "namespace": namespace}
        self.text("sfdx-project.json", json.dumps(data))

    def text(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def xml(self, path: str, root: str, body: str = "<label>X</label>") -> None:
        self.text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} {XMLNS}>{body}</{root}>\n')

    def read(self) -> SfdxProject:
        return read_sfdx(self.root)

    def keys(self) -> list[str]:
        found = self.read()
        assert found.problems == ()
        return [str(item.key) for item in found.components]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.settings("app")
    (tmp_path / "app").mkdir()
    return made


def test_org_8_names_types_and_order(project: Project) -> None:
    """ORG-8, MET-9: every kind of file gets its type and full name, and comes in deployment order."""
    project.xml("app/profiles/Admin.profile-meta.xml", "Profile")
    project.xml("app/layouts/Case-Case %28New%29 Layout.layout-meta.xml", "Layout")
    project.xml("app/objects/Box__c/fields/Sum__c.field-meta.xml", "CustomField", "<type>Summary</type>")
    project.xml("app/objects/Box__c/fields/Twice__c.field-meta.xml", "CustomField", "<formula>1</formula>")
    project.xml("app/objects/Box__c/fields/Wide__c.field-meta.xml", "CustomField", "<type>Checkbox</type>")
    project.xml("app/objects/Box__c/recordTypes/Big.recordType-meta.xml", "RecordType")
    project.xml("app/objects/Box__c/Box__c.object-meta.xml", "CustomObject")
    project.xml("app/roles/Clerk.role-meta.xml", "Role", "<parentRole>Owner</parentRole>")
    project.xml("app/roles/Owner.role-meta.xml", "Role", "<name>Owner</name>")
    project.xml("app/reports/Sales/All.report-meta.xml", "Report")
    project.xml("app/tabs/Box__c.tab-meta.xml", "CustomTab")
    project.xml("app/strange/Thing.novelty-meta.xml", "NoveltyOfNextYear", "<x>1</x>")
    assert project.keys() == [
        "CustomObject:Box__c",
        "CustomField:Box__c.Wide__c",
        "CustomField:Box__c.Twice__c",
        "CustomField:Box__c.Sum__c",
        "RecordType:Box__c.Big",
        "Layout:Case-Case (New) Layout",
        "Role:Owner",
        "Role:Clerk",
        "Profile:Admin",
        "CustomTab:Box__c",
        "NoveltyOfNextYear:Thing",
        "Report:Sales/All",
    ]


def test_org_8_bodies_and_bundles(project: Project) -> None:
    project.xml("app/pages/P.page-meta.xml", "ApexPage")
    (project.root / "app/pages/P.page").write_bytes(b"<apex:page>\r\n</apex:page>")
    project.xml("app/lwc/hello/hello.js-meta.xml", "LightningComponentBundle")
    project.text("app/lwc/hello/hello.js", "export default 1;")
    project.text("app/lwc/hello/__tests__/hello.test.js", "1;")
    project.xml("app/staticresources/Logo.resource-meta.xml", "StaticResource")
    (project.root / "app/staticresources/Logo.resource").write_bytes(b"\xff\x00")
    project.xml("app/staticresources/Style.resource-meta.xml", "StaticResource")
    project.text("app/staticresources/Style.css", "a {}")
    project.xml("app/staticresources/Pack.resource-meta.xml", "StaticResource")
    project.text("app/staticresources/Pack/in/a.js", "1;")
    contents = {str(item.key): item.content for item in project.read().components}
    assert contents["StaticResource:Style"]["source"] == "a {}"
    assert contents["StaticResource:Pack"]["sources"] == {"in/a.js": "1;"}
    assert contents["ApexPage:P"]["source"] == "<apex:page>\n</apex:page>"
    assert contents["LightningComponentBundle:hello"]["sources"] == {
        "__tests__/hello.test.js": "1;",
        "hello.js": "export default 1;",
    }
    assert contents["StaticResource:Logo"]["source"] == "base64:/wA="


def test_org_8_metadata_format_gives_the_same_components(project: Project, tmp_path: Path) -> None:
    field = "<fullName>Wide__c</fullName><type>Checkbox</type><externalId>false</externalId>"
    project.xml("app/objects/Box__c/Box__c.object-meta.xml", "CustomObject")
    project.xml("app/objects/Box__c/fields/Wide__c.field-meta.xml", "CustomField", field)
    other = Project(tmp_path / "other")
    other.xml("objects/Box__c.object", "CustomObject", f"<fields>{field}</fields><label>X</label>")
    assert other.read().components == project.read().components


def test_org_8_a_folder_in_metadata_format_is_read_whole(tmp_path: Path) -> None:
    """ORG-8: without a project file, whatever begins like metadata is a component; nothing is dropped in silence."""
    made = Project(tmp_path)
    made.xml("src/package.xml", "Package", "<types><members>*</members></types>")
    made.xml("src/remoteSiteSettings/Bank.remoteSite", "RemoteSiteSetting", "<url>https://bank.example</url>")
    made.xml("src/reports/Sales-meta.xml", "ReportFolder", "<name>Sales</name>")
    made.xml("src/reports/Sales/All.report", "Report")
    made.xml("src/documents/Logos/logo.png-meta.xml", "Document", "<public>true</public>")
    made.text("src/documents/Logos/logo.png", "PNG")
    made.xml("src/classes/Help.cls-meta.xml", "ApexClass", "<status>Active</status>")
    made.text("src/classes/Help.cls", f"public class Help {{ /* {XMLNS} */ }}")
    made.text("src/readme.txt", "no metadata")
    assert made.keys() == [
        "ApexClass:Help",
        "Document:Logos/logo.png",
        "RemoteSiteSetting:Bank",
        "Report:Sales/All",
        "ReportFolder:Sales",
    ]


def test_org_8_parts_of_opaque_components_keep_their_owner(project: Project) -> None:
    for owner in ("Account-de", "Contact-de"):
        project.xml(f"app/objectTranslations/{owner}/Name.fieldTranslation-meta.xml", "CustomFieldTranslation")
    project.xml("app/territory2Models/M/territories/North.territory2-meta.xml", "Territory2")
    assert project.keys() == [
        "CustomFieldTranslation:Account-de.Name",
        "CustomFieldTranslation:Contact-de.Name",
        "Territory2:M.North",
    ]


def test_met_11_foreign_namespaces_are_told_from_the_projects_own(project: Project) -> None:
    project.settings("app", namespace="mine")
    for name in ("mine__A__c", "theirs__B__c", "C__c"):
        project.xml(f"app/objects/{name}/{name}.object-meta.xml", "CustomObject")
    found = {item.key.full_name: item.namespace for item in project.read().components}
    assert found == {"mine__A__c": "", "theirs__B__c": "theirs", "C__c": ""}


def test_org_8_package_directories_win_over_configuration_folders(project: Project) -> None:
    project.xml("app/profiles/Admin.profile-meta.xml", "Profile", "<custom>true</custom>")
    project.xml("config/trial/profiles/Admin.profile", "Profile", "<custom>false</custom>")
    project.xml("config/trial/profiles/Other.profile", "Profile")
    found = project.read()
    assert found.problems == ()
    assert [str(item) for item in found.shadowed] == [
        "config/trial/profiles/Admin.profile: Profile:Admin is already described by "
        "app/profiles/Admin.profile-meta.xml, which is used instead"
    ]
    assert found.components[0].content == {"custom": "true"}
    assert found.sources[ComponentKey("Profile", "Other")] == "config/trial/profiles/Other.profile"


def test_org_8_later_package_directories_win_over_earlier_ones(project: Project) -> None:
    project.settings("app", "more")
    project.xml("app/tabs/A.tab-meta.xml", "CustomTab", "<motif>1</motif>")
    project.xml("more/tabs/A.tab-meta.xml", "CustomTab", "<motif>2</motif>")
    project.xml("app/tabs/B.tab-meta.xml", "CustomTab")
    project.xml("more/tabs/B.tab-meta.xml", "CustomTab")
    found = project.read()
    assert found.problems == ()
    assert [str(item) for item in found.shadowed] == [
        "app/tabs/A.tab-meta.xml: CustomTab:A is described by more/tabs/A.tab-meta.xml too,"
        " of a later package directory, which is used instead"
    ]
    assert found.components[0].content == {"motif": "2"}
    assert found.sources[ComponentKey("CustomTab", "A")] == "more/tabs/A.tab-meta.xml"


def test_org_8_one_package_directory_with_a_component_twice_is_a_problem(project: Project) -> None:
    project.settings("app")
    project.xml("app/one/tabs/A.tab-meta.xml", "CustomTab", "<motif>1</motif>")
    project.xml("app/two/tabs/A.tab-meta.xml", "CustomTab", "<motif>2</motif>")
    found = project.read()
    assert [str(item) for item in found.problems] == [
        "app/two/tabs/A.tab-meta.xml: CustomTab:A is also in app/one/tabs/A.tab-meta.xml, with other content;"
        " keep one of them"
    ]
    assert found.components[0].content == {"motif": "1"}


def test_org_8_bad_files_are_problems_and_the_rest_is_read(project: Project) -> None:
    project.text("app/layouts/A-B.layout-meta.xml", f"<Layout {XMLNS}>\n<oops>\n</Layout>")
    project.text(
        "app/tabs/T.tab-meta.xml", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n<CustomTab>&e;</CustomTab>'
    )
    project.xml("app/roles/R.role-meta.xml", "Profile")
    project.xml("app/objects/O__c.object", "CustomObject", "<fields><type>Text</type></fields>")
    project.xml("app/roles/Good.role-meta.xml", "Role")
    found = project.read()
    assert [str(item.key) for item in found.components] == ["Role:Good"]
    problems = [str(item) for item in found.problems]
    assert len(problems) == 4
    assert problems[0].startswith("app/layouts/A-B.layout-meta.xml:3: malformed XML: ")
    assert problems[1].startswith("app/objects/O__c.object: a part of O__c in <fields> has no <fullName>")
    assert problems[2].startswith("app/roles/R.role-meta.xml: the root element is <Profile>")
    assert problems[3].startswith("app/tabs/T.tab-meta.xml:1: document type and entity declarations are refused")


def test_org_8_links_out_of_the_project_are_problems(project: Project, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "S.role-meta.xml").write_text(f"<Role {XMLNS}><name>secret</name></Role>")
    project.xml("app/roles/Good.role-meta.xml", "Role")
    (project.root / "app/roles/S.role-meta.xml").symlink_to(outside / "S.role-meta.xml")
    (project.root / "app/linked").symlink_to(outside, target_is_directory=True)
    (project.root / "app/pages").mkdir()
    project.xml("app/pages/P.page-meta.xml", "ApexPage")
    (project.root / "app/pages/P.page").symlink_to(outside / "S.role-meta.xml")
    found = project.read()
    assert [item.path for item in found.problems] == ["app/linked", "app/pages/P.page", "app/roles/S.role-meta.xml"]
    assert "secret" not in "".join(item.text for item in found.components)


def test_org_8_bad_project_files_are_problems(project: Project) -> None:
    project.text("sfdx-project.json", '{"packageDirectories": [\n')
    project.xml("app/roles/Good.role-meta.xml", "Role")
    found = project.read()
    assert str(found.problems[0]).startswith("sfdx-project.json:2: no JSON")
    assert len(found.components) == 1
    project.settings("gone", "../elsewhere", "app")
    messages = [item.message for item in project.read().problems]
    assert any("gone is missing" in item for item in messages)
    assert any("../elsewhere is outside" in item for item in messages)


def test_org_8_a_folder_without_source_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        read_sfdx(tmp_path / "gone")
    with pytest.raises(UsageError, match="no metadata in"):
        read_sfdx(tmp_path)


def test_org_8_namespace_tokens_of_build_tools_stand_for_nothing(project: Project) -> None:
    body = "<layoutAssignments><layout>Account-%%%NAMESPACE%%%Org Layout</layout></layoutAssignments>"
    project.xml("config/profiles/Admin.profile", "Profile", body)
    assert project.read().components[0].content["layoutAssignments"] == [{"layout": "Account-Org Layout"}]


def test_org_8_hidden_folders_and_modules_are_passed_over(project: Project) -> None:
    project.xml("node_modules/x/roles/A.role-meta.xml", "Role")
    project.xml(".sfdx/roles/A.role-meta.xml", "Role")
    project.xml("app/roles/Good.role-meta.xml", "Role")
    assert project.keys() == ["Role:Good"]
