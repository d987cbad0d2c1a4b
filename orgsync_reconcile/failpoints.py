"""Named moments at which a process can be made to die, so that tests can show that nothing is lost there (QUE-3)."""

from __future__ import annotations

import os
import signal
from enum import StrEnum

from orgsync_reconcile.errors import UsageError

#: `NAME` or `NAME:COUNT`: the process ends by SIGKILL when it reaches the point for the COUNTth time. For tests alone.
VARIABLE = "ORGSYNC_FAILPOINT"


class FailPoint(StrEnum):
    """Every point, each at a boundary between two commits. Tests go through all of them."""

    #: A batch is written in the target, and nothing of it is committed.
    DRAIN_BEFORE_TARGET_COMMIT = "drain:before-target-commit"
    #: The target has the batch, and the source does not know.
    DRAIN_AFTER_TARGET_COMMIT = "drain:after-target-commit"
    #: Both know of the batch; the next one has not begun.
    DRAIN_AFTER_SOURCE_MIRROR = "drain:after-source-mirror"
    #: A lane of a round is claimed, and nothing of it is written.
    ROUND_BEFORE_LANE = "round:before-lane"
    #: The target has a lane of a round; others are open.
    ROUND_AFTER_LANE = "round:after-lane"
    #: An object's checkpoint stands, and none of its records were copied.
    BULK_AFTER_CHECKPOINT = "bulk:after-checkpoint"
    #: A range is written in the target, and nothing of it is committed.
    BULK_BEFORE_TARGET_COMMIT = "bulk:before-target-commit"
    #: The target has the range and the new position, and the source does not know.
    BULK_AFTER_TARGET_COMMIT = "bulk:after-target-commit"
    #: Both know of the range; the next one has not begun, or is not committed.
    BULK_AFTER_SOURCE_MIRROR = "bulk:after-source-mirror"
    #: The target has forwarded records and live links, and the source does not know.
    FORWARD_AFTER_TARGET_COMMIT = "forward:after-target-commit"
    #: The source's links live again; outcomes and new links are not mirrored.
    FORWARD_AFTER_LINKS_RESTORED = "forward:after-links-restored"
    #: Both know of the forwarded records.
    FORWARD_AFTER_SOURCE_MIRROR = "forward:after-source-mirror"
    #: Users are written in the target, and nothing of them is committed.
    USERS_BEFORE_TARGET_COMMIT = "users:before-target-commit"
    #: The target has the users with their links, and the source does not know.
    USERS_AFTER_TARGET_COMMIT = "users:after-target-commit"
    #: Both know of these users; the next ones have not begun.
    USERS_AFTER_SOURCE_MIRROR = "users:after-source-mirror"
    #: Users who were in both orgs are linked in the secondary only.
    USERS_AFTER_FIRST_LINKS = "users:after-first-links"
    #: The secondary has the components, and the primary's log and memory of failures do not know.
    METADATA_AFTER_DEPLOY = "metadata:after-deploy"
    #: Both know of the components; subscriptions have not followed them.
    METADATA_AFTER_SOURCE_TOLD = "metadata:after-source-told"
    #: Control events are carried out in the target, and nothing of it is committed.
    CONTROL_BEFORE_TARGET_COMMIT = "control:before-target-commit"
    #: The target has carried out control events, and the source does not know.
    CONTROL_AFTER_TARGET_COMMIT = "control:after-target-commit"
    #: The source has forgotten the control events that were carried out.
    CONTROL_AFTER_SOURCE_TOLD = "control:after-source-told"
    #: The restored org gives no known Id again; its partner's links and positions are as they were.
    RESYNC_AFTER_KEPT_APART = "resync:after-kept-apart"
    #: The partner has ended links and moved its position; the restored org has nothing back yet.
    RESYNC_AFTER_PARTNER_COMMIT = "resync:after-partner-commit"
    #: Both orgs are joined again; what differs is not queued.
    RESYNC_AFTER_RESTORED_COMMIT = "resync:after-restored-commit"
    #: What the primary sends again is queued, what the secondary sends is not.
    RESYNC_AFTER_FIRST_REPAIR = "resync:after-first-repair"
    #: What differs is queued in both orgs; the mark of the resync still stands.
    RESYNC_AFTER_REPAIR = "resync:after-repair"
    #: The secondary has the connection; neither log is joined.
    CONNECTION_AFTER_SECONDARY_CREATED = "connection:after-secondary-created"
    #: The secondary's log is joined, the primary's is not.
    CONNECTION_AFTER_FIRST_JOIN = "connection:after-first-join"
    #: The secondary has moved on to the next status, the primary has not.
    CONNECTION_AFTER_FIRST_STATUS = "connection:after-first-status"
    #: Actions are journaled as started, and nothing of them was done.
    APPLY_AFTER_JOURNAL_START = "apply:after-journal-start"
    #: Actions are carried out, and the journal calls them started.
    APPLY_AFTER_EXECUTOR = "apply:after-executor"
    #: The journal has the end of these actions; the next ones have not begun.
    APPLY_AFTER_JOURNAL_FINISH = "apply:after-journal-finish"


_reached = 0


def reach(point: FailPoint) -> None:
    """Does nothing, unless ORGSYNC_FAILPOINT names this point: then the process dies here, as by `kill -9`.

    Raises UsageError for a name that is no point, so that a test with a misspelt one cannot pass.
    """
    wanted = os.environ.get(VARIABLE)
    if wanted:
        _die_if_due(point, wanted)


def _die_if_due(point: FailPoint, wanted: str) -> None:
    global _reached
    name, _, count = wanted.rpartition(":") if wanted.rpartition(":")[2].isdigit() else (wanted, "", "1")
    if name not in set(FailPoint):
        raise UsageError(f"{VARIABLE} names no fail point: {wanted!r}", hint="leave it unset: it is for tests alone")
    if point == name:
        _reached += 1
        if _reached >= int(count):
            os.kill(os.getpid(), signal.SIGKILL)
