"""Which posts and comments go, with which files, and what they become on the way (CHT-1, CHT-2)."""

from __future__ import annotations

import pytest
from feed_world import Feeds, P, S
from org_stores import refuse

BULK = pytest.mark.parametrize("bulk", [False, True], ids=["drain", "bulk"])


def prepared(feeds: Feeds, *, bulk: bool, limit: int | None = None) -> str:
    """Connects before or, for a bulk sync, after the records are made; returns an account of the primary."""
    if not bulk:
        feeds.connect(limit=limit)
    return feeds.account(P)


def send(feeds: Feeds, *, bulk: bool, limit: int | None = None) -> None:
    if bulk:
        feeds.connect(limit=limit)
    feeds.send(bulk=bulk)


@BULK
def test_text_link_and_file_posts_go(feeds: Feeds, bulk: bool) -> None:
    """CHT-1: these three kinds, with their comments; tracked changes, polls and posts to groups stay."""
    account = prepared(feeds, bulk=bulk)
    group = "0F9" + account[3:]
    text = feeds.post(P, account, "1 text")
    feeds.post(P, account, "2 link", Type="LinkPost", LinkUrl="https://example.com", Title="Link")
    feeds.file_post(P, account, "3 file", feeds.file(P, "plan.txt", b"the plan"))
    tracked = feeds.post(P, account, "4 tracked", Type="TrackedChange")
    feeds.post(P, account, "5 poll", Type="PollPost")
    in_group = feeds.post(P, group, "6 group")
    for post, body in ((text, "yes"), (tracked, "no"), (in_group, "no")):
        feeds.comment(P, post, body)
    feeds.comment(P, text, "with file", CommentType="ContentComment", RelatedRecordId=feeds.file(P, "note.txt", b"n"))
    send(feeds, bulk=bulk)
    assert feeds.bodies(S) == ["1 text", "2 link", "3 file"]
    assert feeds.comments(S) == ["with file", "yes"]
    assert feeds.files(S) == [("note.txt", b"n"), ("plan.txt", b"the plan")]
    sql = 'SELECT v."Title" FROM "FeedItem" AS f JOIN "ContentVersion" AS v ON v."Id" = f."RelatedRecordId"'
    assert feeds.one(S, sql) == "plan.txt"
    assert feeds.log(P) == []


@pytest.mark.pairings("sqlite-sqlite", "sqlite-postgres")
def test_feeds_go_both_ways(feeds: Feeds) -> None:
    """CHT-1: a post of the secondary with its file, and a comment on a post of the other org."""
    feeds.connect()
    account = feeds.account(P)
    feeds.post(P, account, "from primary")
    feeds.send()
    there = feeds.one(S, 'SELECT "Id" FROM "Account"')
    arrived = feeds.one(S, 'SELECT "Id" FROM "FeedItem"')
    feeds.comment(S, arrived, "answer")
    feeds.file_post(S, there, "from secondary", feeds.file(S, "s.txt", b"s"))
    feeds.send()
    assert feeds.bodies(P) == ["from primary", "from secondary"]
    assert feeds.comments(P) == ["answer"]
    assert feeds.files(P) == feeds.files(S) == [("s.txt", b"s")]
    feeds.clients[S].execute('UPDATE "FeedItem" SET "Body" = \'edited\' WHERE "Id" = ?', [arrived])
    feeds.clients[P].execute('DELETE FROM "FeedItem" WHERE "Body" = \'from secondary\'')
    feeds.send()
    assert "edited" in feeds.bodies(P)
    assert feeds.one(S, 'SELECT count(*) FROM "FeedItem" WHERE "IsDeleted" = TRUE') == 1


@pytest.mark.parametrize("missing", ["option", "comments", "posts", "tracking here", "tracking there"])
@BULK
def test_feeds_need_everything(feeds: Feeds, missing: str, bulk: bool) -> None:
    """CHT-1: the option, both feed objects and feed tracking in both orgs; without one of them nothing goes."""
    left_out = {"comments": "FeedComment", "posts": "FeedItem"}.get(missing)
    objects = [name for name in ("Account", "FeedItem", "FeedComment") if name != left_out]
    for side, word in ((P, "tracking here"), (S, "tracking there")):
        if missing == word:
            feeds.clients[side].execute("DELETE FROM orgsync_feature WHERE name = 'feed-tracking'")
    feeds.connect(option=missing != "option", objects=tuple(objects))
    account = feeds.account(P)
    feeds.comment(P, feeds.post(P, account, "post"), "comment")
    counts = feeds.send(bulk=bulk)
    assert set(counts) == {"Account"}
    assert feeds.bodies(S) == feeds.comments(S) == []
    assert feeds.log(P) == []


@BULK
def test_large_files_stay_out(feeds: Feeds, bulk: bool) -> None:
    """CHT-1: a post or comment with a file above the limit stays out with its comments, and is logged once for good."""
    account = prepared(feeds, bulk=bulk, limit=10)
    feeds.file_post(P, account, "small", feeds.file(P, "small", b"0123456789"))
    large = feeds.file_post(P, account, "large", feeds.file(P, "large", b"01234567890"))
    feeds.file_post(P, account, "said", feeds.file(P, "said", b"", ContentSize=11))
    feeds.comment(P, large, "to large")
    text = feeds.post(P, account, "text")
    feeds.comment(P, text, "with large", CommentType="ContentComment", RelatedRecordId=feeds.file(P, "c", b"x" * 11))
    send(feeds, bulk=bulk, limit=10)
    assert feeds.bodies(S) == ["small", "text"]
    assert feeds.comments(S) == []
    assert [title for title, _ in feeds.files(S)] == ["small"]
    log = feeds.log(P)
    assert sorted(item.object for item in log) == ["FeedComment", "FeedItem", "FeedItem"]
    assert {(item.status, item.error_code) for item in log} == {("Failed", "FILE_SIZE_LIMIT_EXCEEDED")}
    assert {item.description for item in log} == {"its file has 11 bytes, above the limit of 10"}
    assert feeds.one(P, "SELECT count(*) FROM orgsync_held WHERE next_retry IS NOT NULL") == 0


@BULK
def test_quite_large_files_go_with_a_warning(feeds: Feeds, bulk: bool) -> None:
    """CHT-1: above 50 MB the log has a warning, and the post arrives."""
    account = prepared(feeds, bulk=bulk)
    file = feeds.file(P, "film", b"...", ContentSize=50 * 1024**2 + 1)
    feeds.file_post(P, account, "film", file)
    feeds.file_post(P, account, "photo", feeds.file(P, "photo", b"...", ContentSize=50 * 1024**2))
    send(feeds, bulk=bulk)
    assert feeds.bodies(S) == ["film", "photo"]
    [entry] = feeds.log(P)
    assert (entry.status, entry.object, entry.record) == ("Warning", "ContentVersion", file)
    assert "52428801 bytes" in entry.description
    assert feeds.one(P, "SELECT count(*) FROM orgsync_held") == 0


@pytest.mark.pairings("sqlite-sqlite", "postgres-postgres")
def test_a_refused_file_keeps_its_post_back(feeds: Feeds) -> None:
    """CHT-1: the post waits for its next try and arrives with its file."""
    feeds.connect()
    mend = refuse(feeds.clients[S], "ContentVersion", "no files", field="Title")
    account = feeds.account(P)
    file = feeds.file(P, "f", b"f")
    feeds.file_post(P, account, "post", file)
    feeds.post(P, account, "text")
    feeds.send()
    assert feeds.bodies(S) == ["text"]
    [entry] = feeds.log(P)
    assert (entry.status, entry.object) == ("Retrying", "FeedItem")
    assert f"its file {file}" in entry.description
    mend()
    feeds.clients[P].execute("UPDATE orgsync_held SET next_retry = 0")
    feeds.send()
    assert feeds.bodies(S) == ["post", "text"]
    assert feeds.files(S) == [("f", b"f")]


@BULK
def test_versions_do_not_travel(feeds: Feeds, bulk: bool) -> None:
    """CHT-2: a post shows the latest version as it is copied; a later one stays in its org."""
    account = prepared(feeds, bulk=bulk)
    document = "069" + account[3:]
    first = feeds.file(P, "v1", b"1", ContentDocumentId=document, IsLatest=0)
    feeds.file(P, "v2", b"2", ContentDocumentId=document)
    feeds.file_post(P, account, "post", first)
    send(feeds, bulk=bulk)
    assert feeds.files(S) == [("v2", b"2")]
    feeds.clients[P].execute('UPDATE "ContentVersion" SET "IsLatest" = FALSE')
    feeds.file(P, "v3", b"3", ContentDocumentId=document)
    feeds.send()
    assert feeds.files(S) == [("v2", b"2")]


def test_one_file_in_two_posts_is_one_file(feeds: Feeds) -> None:
    """CHT-1: it is linked like a record, so a second post of it, in either org, finds it."""
    feeds.connect()
    account = feeds.account(P)
    file = feeds.file(P, "f", b"f")
    feeds.file_post(P, account, "one", file)
    feeds.file_post(P, account, "two", file)
    feeds.send()
    feeds.file_post(P, account, "three", file)
    feeds.file_post(
        S, feeds.one(S, 'SELECT "Id" FROM "Account"'), "back", feeds.one(S, 'SELECT "Id" FROM "ContentVersion"')
    )
    feeds.send()
    assert feeds.files(S) == feeds.files(P) == [("f", b"f")]
    assert feeds.one(P, 'SELECT count(DISTINCT "RelatedRecordId") FROM "FeedItem"') == 1


@BULK
def test_mentions_arrive_as_text(feeds: Feeds, bulk: bool) -> None:
    """CHT-2: the name stays, in posts and comments, when made and when edited; other links stay links."""
    account = prepared(feeds, bulk=bulk)
    ella = feeds.insert(
        P, "User", Username="e@x.example", FirstName="Ella", LastName="Roberts", Email="e@x.example",
        Alias="ella", CommunityNickname="ella", ProfileId=feeds.one(P, 'SELECT "ProfileId" FROM "User"'),
    )  # fmt: skip
    link = f'<p><a href="/{ella}">@Ella Roberts</a>, see <a href="https://example.com/005">this</a></p>'
    post = feeds.post(P, account, f"{{{ella}}} and {{{ella[:15]}}}, you may be {{interested}}")
    feeds.comment(P, post, link)
    send(feeds, bulk=bulk)
    assert feeds.bodies(S) == ["@Ella Roberts and @Ella Roberts, you may be {interested}"]
    assert feeds.comments(S) == ['<p>@Ella Roberts, see <a href="https://example.com/005">this</a></p>']
    assert ella in feeds.bodies(P)[0]
    feeds.clients[P].execute('UPDATE "FeedItem" SET "Body" = \'hello \' || "Body"')
    feeds.send()
    assert feeds.bodies(S) == ["hello @Ella Roberts and @Ella Roberts, you may be {interested}"]


@pytest.mark.pairings
def test_mentions_of_the_secondary(feeds: Feeds) -> None:
    """CHT-2: the same the other way, and both orgs count as equal."""
    feeds.connect()
    feeds.account(P)
    feeds.send()
    there = feeds.one(S, 'SELECT "Id" FROM "Account"')
    admin = feeds.orgs[S].admin_id
    feeds.post(S, there, f"ask {{{admin}}}")
    feeds.send()
    assert feeds.bodies(P) == ["ask @Administrator"]
    assert feeds.bodies(S) == [f"ask {{{admin}}}"]


def test_likes_and_topics_stay(feeds: Feeds) -> None:
    """CHT-2: what counts likes and comments is each org's own."""
    feeds.connect()
    feeds.post(P, feeds.account(P), "liked", LikeCount=7)
    feeds.send()
    assert feeds.one(S, 'SELECT "LikeCount" FROM "FeedItem"') is None
