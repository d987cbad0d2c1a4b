"""REC-7: nothing is overwritten, nothing half-written, no secret is written, and every refusal says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from export_world import ADMINS, ORG, STORES, plan, run
from two_orgs import sql

from orgsync_reconcile.errors import UsageError
from orgsync_reconcile.manifest.stores import written_store
from orgsync_reconcile.model.desired import SecretRef


def test_files_that_are_there_stay(connected: Path) -> None:
    """REC-7: only --force overwrites, and then only its own files."""
    before = (connected / "manifests" / "all.yaml").read_bytes()
    result = run(connected, "export", *STORES, code=64)
    assert "manifests: there are manifests already, such as all.yaml; choose another --out" in result.stderr
    run(connected, "export", *STORES, "--out", "out")
    (connected / "out" / "case.yaml").write_text("mine", encoding="utf-8")
    again = run(connected, "export", *STORES, "--out", "out", code=64)
    assert "out: account.yaml, case.yaml, case_comment.yaml and 3 more would be overwritten" in again.stderr
    assert (connected / "out" / "case.yaml").read_text(encoding="utf-8") == "mine"
    run(connected, "export", *STORES, "--out", "out", "--force")
    assert plan(connected, "out") == ([], [])
    assert (connected / "manifests" / "all.yaml").read_bytes() == before


def test_nothing_is_written_where_the_result_would_not_load(connected: Path) -> None:
    """REC-7: --force into a folder of other manifests is refused as a whole, with the places."""
    result = run(connected, "export", *STORES, "--force", code=1)
    assert "E130" in result.stderr
    assert [path.name for path in (connected / "manifests").iterdir()] == ["all.yaml"]


def test_from_the_orgs_of_the_manifests(connected: Path) -> None:
    """REC-7: with the orgs written down, what connects them is added beside them; what is there already stays."""
    known = run(connected, "export", code=1)
    assert "there is no connection to export; dr is in the manifests already and was left as it is" in known.stderr
    orgs = [ORG.format(name=name, admin=ADMINS[name]) for name in ("acme", "spare")]
    (connected / "manifests" / "all.yaml").write_text("---\n".join(orgs), encoding="utf-8")
    written = run(connected, "export").stdout.split()
    assert "manifests/orgs.yaml" not in written
    assert "manifests/connection.yaml" in written
    assert plan(connected, "manifests") == ([], [])


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--primary", "sqlite:orgs/acme.db"), 64, "--primary and --secondary go together"),
        (("--org", "sqlite:orgs/acme.db"), 64, "--primary and --secondary go together"),
        ((*STORES, "--connection", "nope"), 1, "there is no connection nope"),
        (("--primary", "sqlite:orgs/acme.db", "--secondary", "sqlite:orgs/acme.db"), 64, "one and the same org"),
        (("--primary", "sqlite:no.db", "--secondary", "sqlite:orgs/spare.db"), 1, "there is no org at no.db"),
        (("--primary", "acme", "--secondary", "spare"), 64, "not a store's address: 'acme'"),
    ],
)
def test_bad_command_lines(connected: Path, args: tuple[str, ...], code: int, message: str) -> None:
    """REC-7: one line each, and no file."""
    result = run(connected, "export", *args, "--out", "out", code=code)
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (connected / "out").exists()


def test_orgs_that_are_not_connected(fresh: Path) -> None:
    """REC-7: nothing to adopt is an error."""
    result = run(fresh, "export", *STORES, code=1)
    assert "acme, spare: there is no connection to export; connect the orgs first" in result.stderr


def test_a_connection_without_contact(connected: Path) -> None:
    """REC-7, CON-2: what a manifest needs and the org lacks is named."""
    sql(connected, "acme", 'UPDATE "PartnerNetworkConnection" SET "ContactId" = NULL')
    result = run(connected, "export", *STORES, "--out", "out", code=1)
    assert "acme: the connection dr has no contact; give it one" in result.stderr


def test_stores_are_written_without_secrets() -> None:
    """REC-7, REC-11: a password in an address becomes the name of a variable."""
    assert written_store("sqlite:///srv/a.db", "acme") == "sqlite:/srv/a.db"
    assert written_store("postgresql://host/acme", "acme") == "postgresql://host/acme"
    found = written_store("postgresql://me:hunter2@host/acme", "acme-dr")
    assert found == SecretRef(source="env", name="ACME_DR_STORE")
    with pytest.raises(UsageError, match="is no store"):
        written_store("mysql:x", "acme")
