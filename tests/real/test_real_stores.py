"""Published projects in every pairing of stores: the whole main job, from import to equal after edits in both orgs."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from org_stores import Client, client_of, update
from real_world import ABSENT, ADMINS, REAL, World, fill, make_orgs

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=ABSENT)
#: Types of what is edited.
TEXTS = ("text", "text_area", "long_text_area", "phone", "email")
#: One project for each pairing that is not of files alone.
PROJECTS = {"sqlite-postgres": "easy-spaces", "postgres-sqlite": "dreamhouse", "postgres-postgres": "ebikes"}


@pytest.mark.pairings(*PROJECTS)
def test_blk_7_cnf_3_ver_1_the_whole_way_in_every_store(
    pairing: str, place: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    """ORG-2, ORG-8, REC-2, BLK-7, ORG-7, CNF-1, CNF-3, LKP-1, QUE-4, VER-1: imported, loaded, copied, edited, equal."""
    project = PROJECTS.get(pairing, "dreamhouse")
    world = World(folder=tmp_path, stores=place(make_orgs, *ADMINS))
    fill(world, project)
    objects = world.publishable()
    world.connect(objects)
    world.apply()
    first, second = (client_of(world.store(name)) for name in ADMINS)
    with closing(first), closing(second):
        here = {name: first.execute(f'SELECT "Id" FROM "{name}" ORDER BY 1').fetchall() for name in objects}
        assert world.bulk_sync() == {name: (len(rows), 0, 0) for name, rows in here.items()}
        assert world.bulk_sync() == world.drain() == {}
        links = dict(first.execute("SELECT local, partner FROM orgsync_link WHERE status = 1").fetchall())
        label = {name: field for name in objects if (field := _text_of(first, name))}
        assert label
        for name, rows in ((name, here[name]) for name in label):
            for place_of, (record,) in enumerate(rows):
                theirs = links[record]
                if place_of % 3 == 0:
                    update(first, name, record, {label[name]: f"here {place_of}"})
                if place_of % 4 == 0:
                    update(second, name, theirs, {label[name]: f"there {place_of}"})
                if place_of == len(rows) - 1:
                    second.execute(f'DELETE FROM "{name}" WHERE "Id" = ?', [theirs])
        assert world.drain() != {}
        assert world.drain() == {}
        for name, rows in ((name, here[name]) for name in label):
            found = [
                dict(db.execute(f'SELECT "Id", "{label[name]}" FROM "{name}" WHERE "IsDeleted" = FALSE').fetchall())
                for db in (first, second)
            ]
            assert {links[record]: value for record, value in found[0].items()} == found[1], name
            assert sum(str(value).startswith("here") for value in found[0].values()) >= len(rows) // 4
    for way in ((), ("--hashes",)):
        report = world.json("verify", "--detailed-exitcode", *way)
        assert report["differences"] == []
        assert {item["object"] for item in report["objects"]} >= set(objects)
    assert world.plan()["actions"] == []
    assert world.json("queue", "list")["items"] == []


def _text_of(db: Client, name: str) -> str:
    """A published text field of an object that is not unique, the longest one; "" where there is none."""
    found = db.execute(
        "SELECT f.definition FROM orgsync_published_field AS p JOIN orgsync_object AS o ON o.name = p.object"
        " JOIN orgsync_field AS f ON f.object = o.number AND f.name = p.field WHERE p.object = ?",
        [name],
    )
    fields = [json.loads(row[0]) for row in found]
    texts = {
        item["name"]: item.get("length") or 255 for item in fields if item["type"] in TEXTS and not item.get("unique")
    }
    return max(texts, key=lambda item: (texts[item], item), default="")
