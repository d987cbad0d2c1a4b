"""Loads a manifest folder: files to documents to the desired state, with all problems at once (REC-8, REC-11)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orgsync_reconcile.errors import ManifestError
from orgsync_reconcile.manifest import codes
from orgsync_reconcile.manifest.build import (
    build_connection,
    build_metadata,
    build_org,
    build_publication,
    origins_of,
    plain,
)
from orgsync_reconcile.manifest.convert import Converter
from orgsync_reconcile.manifest.crosscheck import Names, check_directions, check_ends
from orgsync_reconcile.manifest.files import Source, read_folder, shown_path
from orgsync_reconcile.manifest.findings import Findings, TooManyFindings
from orgsync_reconcile.manifest.kind_connection import Connection
from orgsync_reconcile.manifest.kind_failover import Failover
from orgsync_reconcile.manifest.kind_mail import Mail
from orgsync_reconcile.manifest.kind_report import Report
from orgsync_reconcile.manifest.kinds import KINDS, Metadata, Org, Publication
from orgsync_reconcile.manifest.parse import documents
from orgsync_reconcile.manifest.silences import read_silences
from orgsync_reconcile.manifest.template import Templates
from orgsync_reconcile.manifest.terms import Strict
from orgsync_reconcile.manifest.validate import Document, validate
from orgsync_reconcile.manifest.values import environment_of, read_values
from orgsync_reconcile.model.desired import (
    Desired,
    DesiredConnection,
    DesiredMetadata,
    DesiredOrg,
    DesiredPublication,
)
from orgsync_reconcile.model.origin import Origin


def load(folder: Path, *, base: Path, environment: str | None = None) -> Desired:
    """The desired state that the manifests below `folder` describe (REC-8).

    Paths in places and `files` are relative to `base`. `environment` chooses `values.<environment>.yaml`, which is
    laid over `values.yaml`; both stand directly in `folder`. Secret references are never resolved, and no
    expression runs code (REC-11). Raises ManifestError with every error, ordered by place; warnings are in
    the result's `diagnostics`.
    """
    findings = Findings()
    shown = shown_path(folder, base)
    if not folder.is_dir():
        message = "there is no manifest folder here"
        findings.error(codes.NO_MANIFESTS, Origin(file=shown), message, "run orgsync init, or name it with --manifests")
        raise ManifestError(findings.sorted())
    try:
        return desired_of(read_folder(folder, base, findings), shown, environment, findings)
    except TooManyFindings:
        raise ManifestError(findings.sorted()) from None


def desired_of(sources: list[Source], folder: str, environment: str | None, findings: Findings) -> Desired:
    """The desired state of files that were read already, wherever from; `folder` is how messages name their folder.

    Raises ManifestError with every error, also those that `findings` holds before, and TooManyFindings.
    """
    environment = environment or None
    values, used = read_values(sources, environment, folder, findings)
    manifests = [source for source in sources if environment_of(source.name) is None]
    state = _State(names=Names(findings=findings))
    templates = Templates(values)
    for source in manifests:
        for document in _documents(source, templates, findings):
            state.add(document, findings)
    if not state.count and not findings.has_errors:
        message = "the manifest folder holds no documents"
        findings.error(codes.NO_MANIFESTS, Origin(file=folder), message, "run orgsync init for a starter set")
    state.check(findings)
    if findings.has_errors:
        raise ManifestError(findings.sorted())
    files = sorted((source.fingerprint() for source in [*used, *manifests]), key=lambda item: item.path)
    return Desired(
        orgs=state.orgs,
        connections=state.connections,
        publications={(item.connection, item.object): item for item in state.publications},
        metadata=state.metadata,
        others=state.others,
        other_origins=state.other_origins,
        files=tuple(files),
        environment=environment,
        diagnostics=findings.sorted(),
        silences=tuple(silence for source in manifests for silence in read_silences(source)),
    )


def _documents(source: Source, templates: Templates, findings: Findings) -> list[Document]:
    converter = Converter(file=source.shown, templates=templates, findings=findings)
    found = []
    for node in documents(source.shown, source.data, findings):
        data = converter.convert(node)
        if data is not None:
            found.append(Document(file=source.shown, node=node, data=data))
    return found


@dataclass(kw_only=True, slots=True)
class _State:
    """The documents that were read so far."""

    names: Names
    count: int = 0
    orgs: dict[str, DesiredOrg] = field(default_factory=dict)
    connections: dict[str, DesiredConnection] = field(default_factory=dict)
    publications: list[DesiredPublication] = field(default_factory=list)
    metadata: dict[str, DesiredMetadata] = field(default_factory=dict)
    others: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    other_origins: dict[tuple[str, str], dict[str, Origin]] = field(default_factory=dict)
    #: (kind, name, code of the error where there is none, place) of every name that a document refers to
    references: list[tuple[str, str, str, Origin]] = field(default_factory=list)

    def add(self, document: Document, findings: Findings) -> None:
        """Validates one document and keeps it under its name."""
        self.count += 1
        model = validate(document, findings)
        if not self._declared(document):
            return
        if model is not None:
            self._keep(document, model)
            if not isinstance(model, (Connection, Publication)):
                name = str(getattr(model, "name", "") or getattr(model, "connection", "mail"))
                self.other_origins[document.data["kind"], name] = {
                    "": document.origin,
                    **origins_of(document.file, document.node),
                }

    def _declared(self, document: Document) -> bool:
        """Registers the document's name and its connection, whether or not the rest of it is valid."""
        data = document.data
        if not isinstance(data, dict):
            return False
        kind, name, connection = data.get("kind"), data.get("name"), data.get("connection")
        if not isinstance(kind, str) or kind not in KINDS:
            return False
        references = [("connection", "Connection", codes.UNKNOWN_CONNECTION)]
        if kind == "Connection":
            references = [(side, "Org", codes.UNKNOWN_ORG) for side in ("primary", "secondary")]
        for key, of_kind, code in references:
            if isinstance(data.get(key), str):
                self.references.append((of_kind, data[key], code, document.value_origin(key)))
        if kind == "Publication":
            if not (isinstance(connection, str) and isinstance(data.get("object"), str)):
                return False
            return self.names.publish(connection, data["object"], document.value_origin("object"))
        if kind in ("Metadata", "Failover") and isinstance(connection, str):
            return self.names.declare(kind, connection, document.value_origin("connection"))
        if kind == "Mail":
            return self.names.declare(kind, "mail", document.origin)
        if isinstance(name, str):
            return self.names.declare(kind, name, document.value_origin("name"))
        return False

    def _keep(self, document: Document, model: Strict) -> None:
        match model:
            case Org():
                self.orgs[model.name] = build_org(document, model)
            case Connection():
                self.connections[model.name] = build_connection(document, model)
            case Publication():
                self.publications.append(build_publication(document, model))
            case Metadata():
                self.metadata[model.connection] = build_metadata(document, model)
            case Mail():
                self.others["Mail", "mail"] = plain(model)
            case Report():
                self.others["Report", model.name] = plain(model)
            case Failover():
                self.others["Failover", model.connection] = plain(model)

    def check(self, findings: Findings) -> None:
        """Checks across documents."""
        for reference in self.references:
            self.names.refer(*reference)
        for item in self.connections.values():
            check_ends(item, self.orgs, findings)
        check_directions(self.connections, self.publications, findings)
