"""Metadata XML: hostile input is refused, and what has no meaning is gone."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgsync_reconcile.errors import MetadataError
from orgsync_reconcile.metadata import normalise, parse_xml, to_component, to_components

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
NS = 'xmlns="http://soap.sforce.com/2006/04/metadata"'


def read(body: str) -> tuple[str, dict[str, Any]]:
    return parse_xml((HEAD + body).encode(), where="x.xml")


def test_org_8_malformed_xml_names_line_and_column() -> None:
    with pytest.raises(MetadataError, match=r"^x\.xml:4:5: malformed XML: .+; correct the file"):
        read(f"<CustomField {NS}>\n  <label>X</label>\n  </oops>\n</CustomField>")


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE f [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE f SYSTEM "http://example.org/f.dtd">',
    ],
)
def test_org_8_entities_and_dtds_are_refused(declaration: str) -> None:
    with pytest.raises(MetadataError, match=r"^x\.xml:2:1: document type and entity declarations are refused"):
        read(f"{declaration}\n<CustomField {NS}><label>&x;</label></CustomField>")


def test_org_8_deep_nesting_is_refused() -> None:
    with pytest.raises(MetadataError, match="nested deeper"):
        read("<a>" * 5000 + "</a>" * 5000)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe\x00", b'<?xml version="1.0" encoding="no-such"?><a/>'])
def test_org_8_unreadable_files_are_metadata_errors(text: bytes) -> None:
    with pytest.raises(MetadataError, match=r"^x\.xml:1:"):
        parse_xml(text, where="x.xml")


def test_met_5_defaults_never_make_a_difference() -> None:
    root, spelled_out = read(
        f"<CustomField {NS}><fullName>A__c</fullName><externalId>false</externalId><label> A </label>"
        "<required>false</required><trackHistory>false</trackHistory><trackTrending>false</trackTrending>"
        "<type>Checkbox</type><defaultValue>false</defaultValue><unique>false</unique><description/></CustomField>"
    )
    _, short = read(f"<CustomField {NS}><type>Checkbox</type><label>A</label></CustomField>")
    assert root == "CustomField"
    assert spelled_out == short == {"type": "Checkbox", "label": "A"}


def test_met_5_what_is_true_stays() -> None:
    _, content = read(f"<CustomField {NS}><type>Text</type><unique>true</unique><length>10</length></CustomField>")
    assert content == {"type": "Text", "unique": "true", "length": "10"}


def test_met_5_permission_order_and_empty_grants_have_no_meaning() -> None:
    def grant(field: str, readable: str) -> str:
        return (
            f"<fieldPermissions><field>{field}</field><readable>{readable}</readable>"
            "<editable>false</editable></fieldPermissions>"
        )

    first = grant("Account.B__c", "true") + grant("Account.A__c", "true")
    second = grant("Account.A__c", "true") + grant("Account.C__c", "false") + grant("Account.B__c", "true")
    one = read(f"<Profile {NS}>{first}</Profile>")
    assert one == read(f"<Profile {NS}>{second}</Profile>")
    assert [item["field"] for item in one[1]["fieldPermissions"]] == ["Account.A__c", "Account.B__c"]


def test_met_5_picklist_order_has_a_meaning() -> None:
    def field(*values: str) -> dict[str, Any]:
        items = "".join(f"<value><fullName>{v}</fullName><default>false</default></value>" for v in values)
        body = f"<valueSet><valueSetDefinition><sorted>false</sorted>{items}</valueSetDefinition></valueSet>"
        return read(f"<CustomField {NS}><type>Picklist</type>{body}</CustomField>")[1]

    assert field("b", "a") != field("a", "b")
    assert field("b")["valueSet"]["valueSetDefinition"] == {"value": [{"fullName": "b"}]}


def test_met_5_layout_sections_keep_order_and_empty_columns() -> None:
    def section(label: str) -> str:
        return (
            f"<layoutSections><label>{label}</label><layoutColumns><layoutItems><field>{label}__c</field>"
            "</layoutItems></layoutColumns><layoutColumns/></layoutSections>"
        )

    _, content = read(f"<Layout {NS}>{section('Z')}{section('A')}<showEmailCheckbox>false</showEmailCheckbox></Layout>")
    assert [item["label"] for item in content["layoutSections"]] == ["Z", "A"]
    assert content["layoutSections"][0]["layoutColumns"] == [{"layoutItems": [{"field": "Z__c"}]}, {}]
    assert "showEmailCheckbox" not in content


def test_org_8_whole_object_and_decomposed_files_give_the_same_components() -> None:
    """ORG-8, MET-1: fields, record types and list views in one .object file or in a file each."""
    field = "<fullName>Size__c</fullName><externalId>false</externalId><type>Number</type><precision>3</precision>"
    kind = "<fullName>Big</fullName><active>true</active><label>Big</label>"
    view = "<fullName>All</fullName><filterScope>Everything</filterScope><label>All</label>"
    head = "<label>Box</label><deploymentStatus>Deployed</deploymentStatus>"
    _, whole = read(
        f"<CustomObject {NS}><fields>{field}</fields>{head}<recordTypes>{kind}</recordTypes>"
        f"<listViews>{view}</listViews></CustomObject>"
    )
    parts = to_components("CustomObject", "Box__c", whole)
    apart = [
        to_component("CustomObject", "Box__c", read(f"<CustomObject {NS}>{head}</CustomObject>")[1]),
        to_component("CustomField", "Box__c.Size__c", read(f"<CustomField {NS}>{field}</CustomField>")[1]),
        to_component("ListView", "Box__c.All", read(f"<ListView {NS}>{view}</ListView>")[1]),
        to_component("RecordType", "Box__c.Big", read(f"<RecordType {NS}>{kind}</RecordType>")[1]),
    ]
    assert sorted(parts, key=lambda item: item.key) == sorted(apart, key=lambda item: item.key)


def test_org_8_an_object_part_without_a_name_is_refused() -> None:
    with pytest.raises(MetadataError, match=r"^o\.object: a part of Box__c in <fields> has no <fullName>"):
        to_components("CustomObject", "Box__c", {"fields": {"type": "Text"}}, where="o.object")


leaves = st.text("abc ", max_size=4)
contents = st.recursive(
    st.dictionaries(st.sampled_from(["label", "required", "field", "description"]), leaves, max_size=3),
    lambda inner: st.dictionaries(
        st.sampled_from(
            ["fieldPermissions", "layoutSections", "layoutColumns", "value", "nameField", "userPermissions"]
        ),
        inner | st.lists(inner, max_size=3),
        max_size=3,
    ),
    max_leaves=12,
)


@given(contents, st.sampled_from(["Profile", "Layout", "CustomField", "CustomObject"]))
def test_met_5_normalising_twice_changes_nothing(content: dict[str, Any], type_: str) -> None:
    once = normalise(content, type_=type_)
    assert normalise(once, type_=type_) == once


@given(st.lists(st.sampled_from(["A", "B", "C", "D", "E"]), unique=True), st.randoms(use_true_random=False))
def test_met_5_order_of_permissions_never_matters(fields: list[str], rng: random.Random) -> None:
    items = [{"field": name, "readable": "true"} for name in fields]
    shuffled = rng.sample(items, len(items))
    assert normalise({"fieldPermissions": items}, type_="Profile") == normalise(
        {"fieldPermissions": shuffled}, type_="Profile"
    )
