"""What flows over a connection in one direction: per object, the columns that one org offers and the other accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orgsync_reconcile.model.graph import parents_first
from orgsync_reconcile.model.schema import SCALED, FieldDef, FieldType
from orgsync_reconcile.stores.sql.check import matching_keys
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.features import features
from orgsync_reconcile.stores.sql.flow import feeds
from orgsync_reconcile.stores.sql.layout import WORD
from orgsync_reconcile.stores.sql.org import Org
from orgsync_reconcile.stores.sql.schema import Objects, field_numbers
from orgsync_reconcile.stores.sql.text import quote

#: Records that never go, on any path (PUB-12): object -> what must hold of the source's record `s`. Case-team members
#: that are contacts, email drafts, and the inline images of emails stay where they are.
_NEVER = {
    "CaseTeamMember": "substr(s.\"MemberId\", 1, 3) = '005'",
    "EmailMessage": 's."Status" <> \'5\' AND s."IsPrivateDraft" = FALSE',
    "Attachment": "NOT (substr(s.\"ParentId\", 1, 3) = '02s' AND lower(s.\"ContentType\") LIKE 'image/%' AND EXISTS"
    ' (SELECT 1 FROM partner."EmailMessage" AS e WHERE e."Id" = s."ParentId" AND lower(e."HtmlBody") LIKE \'%cid:%\'))',
}

#: The feature of an org that refuses duplicates (CON-8).
DUPLICATES = "duplicate-management"
#: References that fall back to the connection's user where the true one is not there (USR-5).
_PEOPLE = frozenset({"User", "Group"})


@dataclass(frozen=True, kw_only=True)
class PathColumn:
    """One column that flows. `number` is its place in the source's change masks, `target_number` in the target's."""

    name: str
    number: int
    target_number: int = 0
    #: The field's type, as messages name it.
    kind: str = ""
    reference: bool = False
    #: A user or queue: never blank in the target, the connection's user stands in (USR-5).
    person: bool = False
    required: bool = False
    unique: bool = False
    #: Text whose mentions become plain (CHT-2).
    mentions: bool = False

    @property
    def word(self) -> int:
        """The mask word that holds this column's bit."""
        return self.number // WORD

    @property
    def bit(self) -> int:
        """The column's bit within its word."""
        return 1 << (self.number % WORD)


@dataclass(frozen=True, kw_only=True)
class Match:
    """The field by which a new record finds its like in the target (BLK-6)."""

    field: FieldDef

    @property
    def name(self) -> str:
        """The field's name."""
        return self.field.name

    def same(self, one: str, other: str, dialect: Dialect) -> str:
        """The condition that two records have one value of the field."""
        return f"{self.compared(f'{one}.{quote(self.name)}', dialect)} = {self.compared(f'{other}.{quote(self.name)}', dialect)}"

    def compared(self, value: str, dialect: Dialect) -> str:
        """A value as it is compared."""
        exact = self.field.case_sensitive or self.field.type in SCALED
        return value if exact else dialect.fold(value)


@dataclass(frozen=True, kw_only=True)
class FilePath:
    """The way of the files of a feed. `limit` is the size in bytes above which they stay out (CHT-1)."""

    path: Path
    limit: int


@dataclass(frozen=True, kw_only=True)
class Path:
    """One object's way from the source to the target."""

    object: str
    #: The object's permanent number in each org.
    source: int
    target: int
    #: In the target.
    key_prefix: str
    columns: tuple[PathColumn, ...]
    auto_numbers: tuple[FieldDef, ...]
    #: The source's log position when the target subscribed, and the moment: inserts before wait for a bulk sync.
    since_seq: int
    since: str
    #: The condition on the source's record `s` that lets it go at all.
    allowed: str = "1 = 1"
    #: Of posts and comments: their files go along.
    files: FilePath | None = None
    #: None: nothing is matched, new records are inserted.
    match: Match | None = None
    #: Where the target manages duplicates: the rules by which it refuses new records (CON-8).
    unlike: tuple[tuple[FieldDef, ...], ...] = ()

    @property
    def references(self) -> tuple[PathColumn, ...]:
        """The columns whose Ids are translated."""
        return tuple(column for column in self.columns if column.reference)

    @property
    def narrows(self) -> bool:
        """Whether records whose values changed can be written from these values alone."""
        return self.files is None and not any(column.mentions for column in self.columns)

    def changed(self, masks: Iterable[Sequence[int]]) -> set[str]:
        """The fields with a bit in any of the masks, and those that name the parent of a refused record."""
        union = [0] * (max(column.word for column in self.columns) + 1) if self.columns else []
        for mask in masks:
            union = [ours | theirs for ours, theirs in zip(union, mask, strict=False)]
        return {
            column.name
            for column in self.columns
            if union[column.word] & column.bit or (column.reference and column.required)
        }

    def full_mask(self, width: int) -> list[int]:
        """The mask words with every column's bit set; `width` words."""
        words = [0] * width
        for column in self.columns:
            words[column.word] |= column.bit
        return words


def _path_columns(
    owner: str,
    source: Mapping[str, FieldDef],
    target: Mapping[str, FieldDef],
    names: set[str],
    numbers: tuple[Mapping[str, int], Mapping[str, int]],
) -> tuple[PathColumn, ...]:
    columns: list[PathColumn] = []
    for name, field in source.items():
        other = target.get(name)
        if name not in names or other is None or other.shape != field.shape or field.type is FieldType.GEOLOCATION:
            continue
        person = bool(field.reference_to) and set(field.reference_to) <= _PEOPLE
        columns.append(
            PathColumn(
                name=name,
                number=numbers[0][name],
                target_number=numbers[1][name],
                kind=field.type.value,
                reference=field.is_reference,
                person=field.is_reference and person,
                required=other.required,
                unique=other.unique,
                mentions=(owner, name) in feeds.TEXTS,
            )
        )
    return tuple(columns)


def _match(name: str | None, columns: Sequence[PathColumn], target: Mapping[str, FieldDef]) -> Match | None:
    """What the publication matches on, as far as that field flows."""
    if name is None or not any(column.name == name and not column.reference for column in columns):
        return None
    return Match(field=target[name])


def _file_path(
    theirs: Objects, ours: Objects, numbers: tuple[Mapping[str, int], Mapping[str, int]], limit: int
) -> FilePath:
    """The way of the files, which are nobody's publication: all of a file's own fields that both orgs have."""
    obj, other = theirs[feeds.FILE], ours[feeds.FILE]
    return FilePath(
        path=Path(
            object=obj.name,
            source=theirs.number(obj.name),
            target=ours.number(obj.name),
            key_prefix=other.key_prefix,
            columns=_path_columns(obj.name, obj.fields, other.fields, feeds.file_fields(obj.fields), numbers),
            auto_numbers=(),
            since_seq=0,
            since="",
        ),
        limit=limit,
    )


def read_paths(source: Org, target: Org, source_connection: int, target_connection: int) -> dict[str, Path]:
    """The active paths from source to target, parents first.

    A field flows where it is published in the source, subscribed in the target, not dropped, and of one shape in both
    (PUB-5, PUB-8).
    """
    published: dict[str, set[str]] = {}
    match_on: dict[str, str | None] = {}
    for name, field, key in source.db.execute(
        "SELECT p.object, f.field, p.match_on FROM orgsync_published AS p LEFT JOIN orgsync_published_field AS f USING (connection, object)"
        " WHERE p.connection = ?",
        [source_connection],
    ):
        published.setdefault(name, set()).add(field)
        match_on[name] = key
    subscribed: dict[str, set[str]] = {}
    for name, field in target.db.execute(
        "SELECT object, field FROM orgsync_subscribed_field WHERE connection = ? AND dropped IS NULL",
        [target_connection],
    ):
        subscribed.setdefault(name, set()).add(field)
    since = {
        name: (position, moment)
        for name, position, moment in target.db.execute(
            "SELECT object, since_seq, since FROM orgsync_subscribed WHERE connection = ?", [target_connection]
        )
    }
    theirs, ours = Objects(source), Objects(target)
    watchful = DUPLICATES in features(target)
    names = [name for name in published if name in since and name in theirs and name in ours]
    rules = feeds.feed_rules(source, target, (source_connection, target_connection), names)
    files = None
    if rules:
        file_numbers = field_numbers(source, theirs.number(feeds.FILE)), field_numbers(target, ours.number(feeds.FILE))
        files = _file_path(theirs, ours, file_numbers, rules.limit)
    names = [name for name in names if rules or name not in feeds.FEEDS]
    paths: dict[str, Path] = {}
    for name in parents_first({name: theirs[name] for name in names}, names):
        obj, other = theirs[name], ours[name]
        numbers = field_numbers(source, theirs.number(name)), field_numbers(target, ours.number(name))
        common = published[name] & subscribed.get(name, set())
        if name in feeds.FEEDS:
            common = common | {feeds.FILE_FIELD}
        columns = _path_columns(name, obj.fields, other.fields, common, numbers)
        paths[name] = Path(
            object=name,
            source=theirs.number(name),
            target=ours.number(name),
            key_prefix=other.key_prefix,
            columns=columns,
            auto_numbers=tuple(f for f in other.fields.values() if f.type is FieldType.AUTO_NUMBER),
            since_seq=since[name][0],
            since=since[name][1],
            allowed=rules.allowed(name) if rules and name in feeds.FEEDS else _NEVER.get(name, "1 = 1"),
            files=files if name in feeds.FEEDS else None,
            match=_match(match_on[name], columns, other.fields),
            unlike=matching_keys(other) if watchful else (),
        )
    return paths
