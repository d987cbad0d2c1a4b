"""QUE-3: several `drain --follow` of one connection share the work, and one that dies leaves its part to the others."""

from __future__ import annotations

import re
import signal

import pytest
from lane_world import World, until

COUNT = 3_000


def moved(output: str) -> int:
    """How many records a drain says that it has sent."""
    return sum(int(number.replace(",", "")) for number in re.findall(r"^\s*Account\s+([\d,]+)", output, re.MULTILINE))


def test_processes_share_a_backlog(world: World) -> None:
    """QUE-3, LKP-2: each sends a part; all lookups to records of other lanes are filled in; nothing is refused."""
    with world.followers({}, {}) as processes:
        with world.all_at_once(2):
            world.add(COUNT)
        until(world.settled)
        until(world.idle)
        for process in processes:
            process.send_signal(signal.SIGTERM)
        outputs = [process.communicate(timeout=30) for process in processes]
    sent = [moved(output) for output, _ in outputs]
    assert all(number > COUNT // 5 for number in sent), outputs
    assert world.one("dr", 'SELECT count(*), count("ParentId") FROM "Account"') == (COUNT, COUNT - 1)
    world.assert_equal()


@pytest.mark.parametrize(
    "point", ["round:before-lane", "round:after-lane", "drain:after-target-commit", "drain:after-source-mirror"]
)
def test_the_lane_of_a_dead_process_is_taken_over(world: World, point: str) -> None:
    """QUE-3: killed with a lane in hand, or just done; the other process ends the round at once, and doubles nothing."""
    with world.followers({"ORGSYNC_FAILPOINT": point}, {}) as (mortal, other):
        count = 0
        # The other one may be the quicker one and leave nothing to it, now and then.
        while mortal.poll() is None and count < 20 * COUNT:
            with world.pair() as pair, pair.lease():
                world.add(COUNT)
                count += COUNT
                until(lambda: pair.workers() == 2 or mortal.poll() is not None)
            until(world.settled)
            # One alone never opens a round: it dies in a batch of its own where nothing was shared.
            until(lambda: mortal.poll() is not None or world.idle())
        assert mortal.wait(10) == -signal.SIGKILL
        until(world.settled, seconds=30)
        assert other.poll() is None
    assert world.one("dr", 'SELECT count(*) FROM "Account"') == count
    assert world.one("dr", 'SELECT count("ParentId") FROM "Account"') == count - 1
    world.assert_equal()


def test_changes_of_one_record_stay_in_order(world: World) -> None:
    """QUE-3: while two processes share what is written all the time, no record ever goes back to an older value."""
    world.add(COUNT)
    world.run("drain")
    secondary = world.clients["dr"]
    secondary.execute("CREATE TABLE public.seen (n bigserial, record text, phone bigint)")
    secondary.execute(
        "CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        ' INSERT INTO public.seen (record, phone) VALUES (new."Id", new."Phone"::bigint); RETURN NULL; END $$'
    )
    secondary.execute(
        'CREATE TRIGGER zz_seen AFTER UPDATE OF "Phone" ON "Account" FOR EACH ROW EXECUTE FUNCTION public.see()'
    )
    with world.followers({}, {}):
        with world.all_at_once(2):
            for number in range(1, 4):
                world.clients["acme"].execute('UPDATE "Account" SET "Phone" = %s WHERE "Phone" IS NOT NULL', [number])
        for number in range(4, 9):
            world.clients["acme"].execute('UPDATE "Account" SET "Phone" = %s WHERE "Phone" IS NOT NULL', [number])
        until(world.settled)
    back = "SELECT count(*) FROM (SELECT phone - lag(phone, 1, 0::bigint) OVER (PARTITION BY record ORDER BY n) AS step FROM public.seen) AS s WHERE step < 0"
    assert world.one("dr", back) == 0
    assert world.one("dr", 'SELECT min("Phone"), max("Phone") FROM "Account" WHERE "Phone" IS NOT NULL') == ("8", "8")
    world.assert_equal()
