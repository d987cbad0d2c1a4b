"""The manifests of a run: orgs, connections and what is published, written anew and applied whenever that changes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from orgsync_reconcile.app import apply
from orgsync_reconcile.app.planning import Choice, plan
from orgsync_reconcile.app.workspace import Workspace

#: How many connections an org is away from the first one: so many suffixes its usernames have (USR-2).
DEPTH = {
    "pair": {"a": 0, "b": 1},
    "chain": {"a": 0, "b": 1, "c": 2},
    "hub": {"a": 0, "b": 1, "c": 1},
    "ring": {"a": 0, "b": 1, "c": 2},
    "diamond": {"a": 0, "b": 1, "c": 1, "d": 2},
}


def admin(shape: str, org: str) -> str:
    """The username of an org's administrator."""
    return "admin@acme.example" + ".dr" * DEPTH[shape][org]


def write_orgs(folder: Path, shape: str, address: Callable[[str], str]) -> None:
    """The orgs of a shape, at the addresses of their names."""
    (folder / "manifests").mkdir(exist_ok=True)
    orgs = [
        f"version: 1\nkind: Org\nname: {org}\nstore: {address(org)}\nadmin: {admin(shape, org)}\n"
        for org in DEPTH[shape]
    ]
    (folder / "manifests" / "orgs.yaml").write_text("---\n".join(orgs))


def write_way(folder: Path, shape: str, way: str, policy: str, published: Mapping[str, Collection[str]]) -> None:
    """One connection with its publications: object -> the fields that are left out."""
    documents = [
        f"version: 1\nkind: Connection\nname: {way}\nprimary: {way[0]}\nsecondary: {way[1]}\n"
        f"owner: {admin(shape, way[0])}\ncontact: {{first_name: Elise, last_name: of {way},"
        f" email: elise@acme.example, account: Acme}}\ndirection: two-way\nconflicts: {policy}\nsync: {{metadata: false}}\n"
    ]
    documents += [
        f"version: 1\nkind: Publication\nconnection: {way}\nobject: {name}\nfields: "
        + (f"{{exclude: [{', '.join(sorted(left_out))}]}}\n" if left_out else "all\n")
        for name, left_out in published.items()
    ]
    (folder / "manifests" / f"{way}.yaml").write_text("---\n".join(documents))


def apply_all(folder: Path) -> None:
    """Applies the manifests, however much that disconnects; planning again finds nothing left (REC-2)."""
    workspace = Workspace(directory=folder)
    choice = Choice(allow={"disconnect": None})
    while (made := plan(workspace, choice)).actions:
        apply.check(made)
        report = apply.carry_out(workspace, made, choice)
        assert report.failure is None, report.summary
