"""Which posts and comments go over a connection, and what is to be known of their files (CHT-1, CHT-2)."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.features import features
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.text import commas, literal, quote

POST, COMMENT, FILE = "FeedItem", "FeedComment", "ContentVersion"
#: The objects of a feed: they flow together or not at all.
FEEDS = frozenset({POST, COMMENT})
#: The column that names the file of a post or comment. It goes along though files are not published by themselves.
FILE_FIELD = "RelatedRecordId"
#: Columns with mentions, which arrive as plain text (CHT-2).
TEXTS = frozenset({(POST, "Body"), (COMMENT, "CommentBody")})
#: Text, link and file posts; all others are each org's own.
_KINDS = ("TextPost", "LinkPost", "ContentPost")
#: The key prefix of Chatter groups, which do not sync (CHT-2).
_GROUP = "0F9"
_FEED_TRACKING = "feed-tracking"
#: Files above this many bytes stay out, unless the manifest says otherwise.
DEFAULT_LIMIT = 2 * 1024**3
#: Files above this many bytes go, with a warning in the log.
LARGE = 50 * 1024**2
#: Refused for good: a file does not shrink by itself.
TOO_LARGE = "FILE_SIZE_LIMIT_EXCEEDED"
#: The code of a log entry that is only a warning.
LARGE_FILE = "LARGE_FILE"
#: What belongs to the file's history and place in its own org.
_OWN_FIELDS = frozenset({"ContentDocumentId", "FirstPublishLocationId", "ReasonForChange", "VersionNumber"})


@dataclass(frozen=True, kw_only=True)
class FeedRules:
    """The rules of one connection. `limit` is the size in bytes above which files stay out, `dialect` the source's."""

    limit: int
    dialect: Dialect

    def allowed(self, name: str) -> str:
        """What must hold of the source's record `s`, a post or a comment, for it to go."""
        if name == POST:
            return _post("s")
        post = f"{_post('f')} AND {file_size('f', self.dialect)} <= {self.limit}"
        return f'EXISTS (SELECT 1 FROM partner.{quote(POST)} AS f WHERE f."Id" = s."FeedItemId" AND {post})'


def feed_rules(source: Org, target: Org, numbers: tuple[int, int], names: Collection[str]) -> FeedRules | None:
    """The rules, or None where feeds do not flow: they need the option, both objects in `names`, and feed tracking.

    `numbers` are the connection's in source and target.
    """
    if not set(names) >= FEEDS:
        return None
    limit = DEFAULT_LIMIT
    for org, number in zip((source, target), numbers, strict=True):
        switched_on, side, settings = org.db.execute(
            'SELECT p."IsSyncAuditFields", c.side, c.settings FROM main.orgsync_connection AS c'
            ' JOIN main."PartnerNetworkConnection" AS p ON p."Id" = c.id WHERE c.number = ?',
            [number],
        ).fetchone()
        if _FEED_TRACKING not in features(org):
            return None
        if side == "primary":
            # The option is the primary's; the secondary holds a copy (CON-6).
            if not switched_on:
                return None
            limits = dict(part.split("=", 1) for part in json.loads(settings).get("limits", "").split(",") if part)
            limit = int(limits.get("feed_file_bytes", limit))
    return FeedRules(limit=limit, dialect=source.db.dialect)


def file_fields(names: Collection[str]) -> set[str]:
    """The fields of a file that go with it, of `names`."""
    return {name for name in names if name not in _OWN_FIELDS and not name.endswith("__c")}


def _post(row: str) -> str:
    kinds = commas(literal(kind) for kind in _KINDS)
    return f'{row}."Type" IN ({kinds}) AND substr({row}."ParentId", 1, 3) <> \'{_GROUP}\''


def latest_version(row: str) -> str:
    """The Id of the latest version of the file of a post or comment; versions do not sync (CHT-2)."""
    table, given = f"partner.{quote(FILE)}", f"{row}.{quote(FILE_FIELD)}"
    newer = (
        f'SELECT n."Id" FROM {table} AS o CROSS JOIN {table} AS n ON n."ContentDocumentId" = o."ContentDocumentId"'
        f' AND n."IsLatest" = TRUE AND n."IsDeleted" = FALSE WHERE o."Id" = {given} AND o."IsLatest" = FALSE LIMIT 1'
    )
    return f"coalesce(({newer}), {given})"


def file_size(row: str, dialect: Dialect) -> str:
    """The size in bytes of the file of a post or comment, 0 where it has none; `dialect` is the source's."""
    size = dialect.greater('coalesce(v."ContentSize", 0)', 'coalesce(length(v."VersionData"), 0)')
    return f'coalesce((SELECT {size} FROM partner.{quote(FILE)} AS v WHERE v."Id" = {latest_version(row)}), 0)'
