"""The shapes of fields, read straight from the registry: what PUB-8 compares without building any definition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orgsync_reconcile.stores.sql.connections import get_connection
from orgsync_reconcile.stores.sql.dialect import Dialect
from orgsync_reconcile.stores.sql.org import Org


def _shape(dialect: Dialect) -> str:
    """The same text as FieldDef.shape; `f` is a row of orgsync_field."""

    def part(key: str) -> str:
        return dialect.json_value("f.definition", key)

    return (
        f"{part('type')} || ':' || coalesce(nullif({part('length')}, '0'), '')"
        f" || ':' || coalesce(nullif({part('precision')}, '0'), '') || ':' || coalesce({part('scale')}, '')"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscribedShape:
    """A subscribed field: its shape in the partner at subscription, and its shape here now, None once it is gone."""

    object: str
    field: str
    stored: str
    here: str | None


def subscribed_shapes(org: Org, connection: str, object_name: str | None = None) -> tuple[SubscribedShape, ...]:
    """Every field, or those of one object, that this org accepts over the connection and has not dropped."""
    with org.translated():
        rows = org.db.execute(
            f"SELECT s.object, s.field, s.shape, {_shape(org.db.dialect)} FROM main.orgsync_subscribed_field AS s"
            " LEFT JOIN main.orgsync_object AS o ON o.name = s.object"
            " LEFT JOIN main.orgsync_field AS f ON f.object = o.number AND f.name = s.field"
            " WHERE s.connection = ?1 AND s.dropped IS NULL AND (?2 = '' OR s.object = ?2) ORDER BY s.object, s.field",
            [get_connection(org, connection).number, object_name or ""],
        ).fetchall()
    return tuple(SubscribedShape(object=row[0], field=row[1], stored=row[2], here=row[3]) for row in rows)


def published_shapes(org: Org, connection: str, object_name: str | None = None) -> dict[tuple[str, str], str | None]:
    """(object, field) -> shape of what this org offers, all or one object's; None once the field is gone."""
    with org.translated():
        rows = org.db.execute(
            f"SELECT p.object, p.field, {_shape(org.db.dialect)} FROM main.orgsync_published_field AS p"
            " LEFT JOIN main.orgsync_object AS o ON o.name = p.object"
            " LEFT JOIN main.orgsync_field AS f ON f.object = o.number AND f.name = p.field"
            " WHERE p.connection = ?1 AND (?2 = '' OR p.object = ?2)",
            [get_connection(org, connection).number, object_name or ""],
        ).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


def shapes_of(org: Org, object_name: str, fields: Iterable[str]) -> Mapping[str, str]:
    """Field -> shape in this org, of those fields that exist."""
    wanted = set(fields)
    with org.translated():
        rows = org.db.execute(
            f"SELECT f.name, {_shape(org.db.dialect)} FROM main.orgsync_field AS f"
            " JOIN main.orgsync_object AS o ON o.number = f.object WHERE o.name = ? AND f.definition IS NOT NULL",
            [object_name],
        ).fetchall()
    return {name: shape for name, shape in rows if name in wanted}
