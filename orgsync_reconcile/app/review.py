"""Reviewing a pull request: two Git revisions of the manifests, and the plan of the newer one (REC-9, REC-11)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orgsync_reconcile.app.planning import Choice, org_names, plan_for
from orgsync_reconcile.app.trust import not_trusted
from orgsync_reconcile.app.workspace import Workspace, open_orgs
from orgsync_reconcile.errors import ManifestError, OrgsyncError
from orgsync_reconcile.manifest.files import Source
from orgsync_reconcile.manifest.git import Repository
from orgsync_reconcile.manifest.revisions import Manifests, read_revision, read_working_folder
from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.model.desired import Desired
from orgsync_reconcile.model.diagnostic import Diagnostic
from orgsync_reconcile.model.plan import Change, Op, Plan
from orgsync_reconcile.plan import address
from orgsync_reconcile.plan.semantic import Difference, PlanState, Review, Revision, compare

#: What the working folder is called in place of a revision.
WORKING_FOLDER = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewChoice:
    """What a review is to do besides comparing."""

    with_plan: bool = True
    #: Whether stores that only the head declares are opened.
    trust_head: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _State:
    """One revision's manifests: its files, and what they say or why they do not."""

    manifests: Manifests
    desired: Desired
    problem: str = ""


def review(workspace: Workspace, base: str, head: str, choice: ReviewChoice = ReviewChoice()) -> Review:
    """What `head` changes in the manifests since it parted from `base`, and the plan of it where that can be told.

    `head` is a revision, or WORKING_FOLDER. Files come from Git's object store and nothing is checked out. The plan is
    of head and base together. Raises GitError for a revision that is not here, and ManifestError with every error of
    the head's manifests.
    """
    repository = Repository.around(workspace.directory)
    base_commit = repository.commit(base)
    on_disk = head == WORKING_FOLDER
    head_commit = repository.commit("HEAD" if on_disk else head)
    parted = repository.merge_base(base_commit, head_commit, (base, head))
    mine = (
        read_working_folder(workspace.directory / workspace.manifests, workspace.directory)
        if on_disk
        else read_revision(repository, head_commit, workspace.manifests)
    )
    desired = mine.load(workspace.environment)
    before = _state(workspace, read_revision(repository, parted, workspace.manifests))
    tip = (
        before
        if parted == base_commit
        else _state(workspace, read_revision(repository, base_commit, workspace.manifests))
    )
    differences = () if before.problem else compare(before.desired, desired)
    found = Review(
        base=Revision(name=base, commit=base_commit),
        head=Revision(name="the working folder", commit="") if on_disk else Revision(name=head, commit=head_commit),
        parted=parted,
        behind=repository.behind(base_commit, head_commit),
        environment=workspace.environment,
        differences=differences,
        overlapping=_overlapping(differences, before, tip),
        base_problem=before.problem,
        warnings=_news(desired.diagnostics, before.desired.diagnostics),
    )
    if not choice.with_plan:
        return found
    return _with_plan(workspace, repository, found, choice, _Sides(mine=mine, desired=desired, before=before, tip=tip))


def _state(workspace: Workspace, manifests: Manifests) -> _State:
    """An older revision's manifests; without a folder they say nothing, with errors nobody knows what."""
    if not manifests.sources:
        return _State(manifests=manifests, desired=Desired())
    try:
        return _State(manifests=manifests, desired=manifests.load(workspace.environment))
    except ManifestError as error:
        return _State(manifests=manifests, desired=Desired(), problem=error.diagnostics[0].one_line())


def _overlapping(differences: tuple[Difference, ...], before: _State, tip: _State) -> tuple[str, ...]:
    if tip is before or before.problem or tip.problem:
        return ()
    theirs = {item.address for item in compare(before.desired, tip.desired)}
    return tuple(sorted({item.address for item in differences} & theirs))


def _news(warnings: tuple[Diagnostic, ...], known: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    old = {(item.code, item.message) for item in known}
    return tuple(item for item in warnings if (item.code, item.message) not in old)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Sides:
    """What goes into the plan: the head, where it parted from the base, and the base now."""

    mine: Manifests
    desired: Desired
    before: _State
    tip: _State

    @property
    def moved(self) -> bool:
        """Whether the base's manifests changed since the two parted."""
        return _bytes(self.before.manifests) != _bytes(self.tip.manifests)

    def merged(self) -> Manifests | str:
        """The head's files with those that only the base changed, or the name of one that both changed."""
        old, theirs = _bytes(self.before.manifests), _bytes(self.tip.manifests)
        sources = {source.name: source for source in self.mine.sources}
        found = {source.name: source for source in self.tip.manifests.sources}
        ours = _bytes(self.mine)
        for name in sorted(old.keys() | theirs.keys()):
            if old.get(name) == theirs.get(name):
                continue
            if ours.get(name) not in (old.get(name), theirs.get(name)):
                return name
            sources.pop(name, None)
            if name in found:
                sources[name] = found[name]
        ordered: list[Source] = sorted(sources.values(), key=lambda source: source.name.split("/"))
        return replace(self.mine, sources=tuple(ordered))


def _bytes(manifests: Manifests) -> dict[str, bytes]:
    return {source.name: source.data for source in manifests.sources}


def _with_plan(
    workspace: Workspace, repository: Repository, found: Review, choice: ReviewChoice, sides: _Sides
) -> Review:
    """The review with the plan, the counts that come from it, or why there is none."""
    desired = sides.desired
    if sides.moved:
        merged = sides.merged()
        if isinstance(merged, str):
            what = f"{found.base.name} and {found.head.name} both changed {merged}"
            return _without(found, f"{what}; merge {found.base.name} into the branch")
        try:
            desired = merged.load(workspace.environment)
        except ManifestError as error:
            first = error.diagnostics[0].one_line()
            return _without(found, f"together with {found.base.name} the manifests have errors: {first}")
    if not choice.trust_head:
        if sides.tip.problem:
            return _without(found, f"the manifests of {found.base.name} have errors, so no store of theirs is trusted")
        heads = (found.head.commit,) if found.head.commit else ()
        refused = not_trusted(
            workspace, repository, sides.tip.desired, found.base.commit, desired, found.base.name, heads
        )
        if refused:
            hint = "what is not trusted is listed; open the stores nevertheless with --trust-head"
            return replace(_without(found, hint), untrusted=refused)
    try:
        with open_orgs(workspace, desired, org_names(workspace, desired), readonly=True) as orgs:
            plan = plan_for(desired, orgs, Choice(), workspace.clock)
    except OrgsyncError as error:
        return _without(found, f"the orgs cannot be read here: {error}")
    return replace(
        found,
        differences=tuple(_counted(item, plan) for item in found.differences),
        plan=PlanState(plan=plan, merged=sides.moved),
    )


def _without(found: Review, why: str) -> Review:
    return replace(found, plan=PlanState(absent=why))


def _counted(item: Difference, plan: Plan) -> Difference:
    """The difference with how many records it disconnects, as the plan counts them."""
    if item.change is not Change.DELETE:
        return item
    effects: Mapping[str, int] = {}
    for action in plan.actions:
        ends = action.op is Op.DEACTIVATE and item.address == f"{action.connection}/connection"
        leaves = action.op is Op.UNPUBLISH_OBJECT and action.address == address.publication(
            item.group, item.object, Side.PRIMARY
        )
        if (ends or leaves) and "disconnected" in action.effects:
            effects = {"disconnected": action.effects["disconnected"]}
    return replace(item, effects=effects)
