"""Who is connected with whom: orgs tell one another with every sync, so that each knows where connections form a ring.

In a tree of connections two changes of one field meet at one place, and the policy of that connection settles it. In a
ring they meet at several places, which must all come to the same result (CON-10, CNF-3).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from orgsync_reconcile.model.connection import Side
from orgsync_reconcile.stores.sql.database import Database
from orgsync_reconcile.stores.sql.flow.pair import Pair
from orgsync_reconcile.stores.sql.org import Org

_LIVE = (
    "SELECT c.partner_org_id FROM main.orgsync_connection AS c"
    ' JOIN main."PartnerNetworkConnection" AS p ON p."Id" = c.id'
    " WHERE p.\"ConnectionStatus\" <> 'Inactive' AND c.partner_org_id <> '' ORDER BY 1"
)
#: Org Id -> (version, the Ids of its partners, once per connection).
Network = Mapping[str, tuple[int, tuple[str, ...]]]


def has_several(org: Org) -> bool:
    """Whether the org has, or has had, more than one replication connection."""
    (count,) = org.db.execute("SELECT count(*) FROM main.orgsync_connection").fetchone()
    return bool(count > 1)


def exchange(pair: Pair) -> None:
    """Tells both orgs of a pair what either knows of the network, and the pair whether it is part of a ring.

    Writes only where something is new; two orgs without other connections need not know.
    """
    if not any(has_several(org) for org in pair.orgs.values()):
        return
    known: dict[str, tuple[int, tuple[str, ...]]] = {}
    heard = {side: _read(org.db) for side, org in pair.orgs.items()}
    for network in heard.values():
        for name, entry in network.items():
            known[name] = max(known.get(name, entry), entry)
    for org in pair.orgs.values():
        partners = tuple(row[0] for row in org.db.execute(_LIVE))
        version, told = known.get(org.org_id, (0, ()))
        if told != partners:
            known[org.org_id] = (version + 1, partners)
    for side, org in pair.orgs.items():
        if heard[side] != known:
            with org.transaction() as db:
                db.executemany(
                    "INSERT INTO main.orgsync_neighbour (org, version, partners) VALUES (?, ?, ?)"
                    " ON CONFLICT (org) DO UPDATE SET version = excluded.version, partners = excluded.partners",
                    [(name, version, json.dumps(partners)) for name, (version, partners) in known.items()],
                )
    ends = [pair.orgs[side].org_id for side in Side]
    pair.ring = in_ring(known, ends[0], ends[1])


def _read(db: Database) -> dict[str, tuple[int, tuple[str, ...]]]:
    rows = db.execute("SELECT org, version, partners FROM main.orgsync_neighbour")
    return {name: (version, tuple(json.loads(partners))) for name, version, partners in rows}


def in_ring(network: Network, one: str, other: str) -> bool:
    """Whether `one` and `other`, which have a connection, would still reach each other without it.

    A connection counts where both ends tell of it: what one of them has ended is no way any more.
    """
    between: Counter[frozenset[str]] = Counter()
    for name, (_, partners) in network.items():
        for partner, count in Counter(partners).items():
            back = network.get(partner, (0, ()))[1].count(name)
            between[frozenset((name, partner))] = min(count, back)
    between[frozenset((one, other))] -= 1
    reached, ahead = {one}, [one]
    while ahead:
        here = ahead.pop()
        for edge, count in between.items():
            if count > 0 and here in edge:
                (there,) = edge - {here}
                if there not in reached:
                    reached.add(there)
                    ahead.append(there)
    return other in reached
