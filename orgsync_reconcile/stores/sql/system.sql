-- Our own tables in an org's file. Everything here begins with orgsync_; the org's objects stand beside them.

-- Who this org is. One row.
CREATE TABLE orgsync_org (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  store_version INTEGER NOT NULL,
  org_id TEXT NOT NULL,
  code TEXT NOT NULL,
  name TEXT NOT NULL,
  org_type TEXT NOT NULL,
  edition TEXT NOT NULL,
  namespace TEXT NOT NULL DEFAULT '',
  admin_id TEXT NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE orgsync_feature (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE orgsync_limit (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE orgsync_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- System permissions of a profile or permission set.
CREATE TABLE orgsync_grant (holder TEXT, permission TEXT, PRIMARY KEY (holder, permission)) WITHOUT ROWID;

-- The schema: objects and fields by permanent number. A field's number is its place in a change's column mask.
CREATE TABLE orgsync_object (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  key_prefix TEXT NOT NULL UNIQUE,
  definition TEXT NOT NULL
);
CREATE TABLE orgsync_field (
  object INTEGER NOT NULL,
  number INTEGER NOT NULL,
  name TEXT NOT NULL,
  definition TEXT,              -- NULL: the field is gone, its number is never given again
  PRIMARY KEY (object, number)
) WITHOUT ROWID;
CREATE UNIQUE INDEX orgsync_field_name ON orgsync_field (object, name);
CREATE TABLE orgsync_autonumber (
  object TEXT, field TEXT, next INTEGER NOT NULL, PRIMARY KEY (object, field)
) WITHOUT ROWID;

-- Text fields that mirror an auto-number, as the connections declare them: the object's triggers fill them (AUT-1).
CREATE TABLE orgsync_mirror (
  connection INTEGER, object TEXT, mirror TEXT, field TEXT NOT NULL, PRIMARY KEY (connection, object, mirror)
) WITHOUT ROWID;

-- Metadata components with normalised content.
CREATE TABLE orgsync_component (
  type TEXT NOT NULL,
  full_name TEXT NOT NULL,
  namespace TEXT NOT NULL DEFAULT '',
  id TEXT NOT NULL DEFAULT '',
  hash TEXT NOT NULL,
  synced_hash TEXT NOT NULL DEFAULT '',
  content TEXT NOT NULL,
  PRIMARY KEY (type, full_name)
);
CREATE INDEX orgsync_component_summary ON orgsync_component (type, full_name, namespace, id, hash, synced_hash);

-- The mark of an engine write. One row; the columns are NULL or 0 but inside a transaction of the engine.
CREATE TABLE orgsync_guard (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  connection INTEGER,           -- the connection whose changes are being written
  object INTEGER,               -- the object that the engine itself writes at the moment
  cascading INTEGER NOT NULL DEFAULT 0,
  hops INTEGER NOT NULL DEFAULT 0
);
INSERT INTO orgsync_guard (one) VALUES (1);

-- The change log: every committed change of a published object, by any client.
CREATE TABLE orgsync_change (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  object INTEGER NOT NULL,      -- orgsync_object.number
  record TEXT NOT NULL,
  op TEXT NOT NULL,             -- I insert, U update, D delete, R undelete
  at INTEGER NOT NULL,          -- milliseconds since 1970, by the org's own clock
  origin INTEGER,               -- the connection that it arrived over; NULL: made in this org
  hops INTEGER,                 -- how many engine writes led to it
  m0 INTEGER, m1 INTEGER, m2 INTEGER, m3 INTEGER   -- changed columns: bit n % 62 of word n / 62
);

-- Replication connections, beside PartnerNetworkConnection.
CREATE TABLE orgsync_connection (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  id TEXT NOT NULL UNIQUE,      -- PartnerNetworkConnection.Id
  side TEXT NOT NULL,
  partner_org_id TEXT NOT NULL DEFAULT '',
  partner_name TEXT NOT NULL DEFAULT '',
  suspended_by TEXT NOT NULL DEFAULT '',      -- who suspended it by command
  suspended_reason TEXT NOT NULL DEFAULT '',  -- why it suspended itself: the other org cannot be reached (SUS-3)
  settings TEXT NOT NULL DEFAULT '{}'
);
CREATE TABLE orgsync_published (
  connection INTEGER, object TEXT, match_on TEXT, record_types TEXT NOT NULL DEFAULT '[]',
  partner_sub INTEGER NOT NULL DEFAULT 0,  -- 1: the partner has told that it subscribed
  PRIMARY KEY (connection, object)
) WITHOUT ROWID;
CREATE TABLE orgsync_published_field (
  connection INTEGER, object TEXT, field TEXT, PRIMARY KEY (connection, object, field)
) WITHOUT ROWID;
-- `since_seq`: the partner's log position when the object was subscribed; earlier inserts wait for a bulk sync (QUE-4).
CREATE TABLE orgsync_subscribed (
  connection INTEGER, object TEXT, since_seq INTEGER NOT NULL, since TEXT NOT NULL, PRIMARY KEY (connection, object)
) WITHOUT ROWID;
-- `shape`: the partner's field shape at subscription; `dropped`: why the field unsubscribed itself (PUB-8).
CREATE TABLE orgsync_subscribed_field (
  connection INTEGER, object TEXT, field TEXT, shape TEXT NOT NULL, dropped TEXT,
  PRIMARY KEY (connection, object, field)
) WITHOUT ROWID;

-- Links: one record's Id in each org. Written in the target together with the row, then mirrored in the source.
CREATE TABLE orgsync_link (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  connection INTEGER NOT NULL,
  object INTEGER NOT NULL,
  local TEXT NOT NULL,
  partner TEXT NOT NULL,
  -- 1 active, 2 disconnected, 3 reference (matched by name, never a synced record), 4 severed: undeleted where changes
  -- only arrive, until it is forwarded again (LKP-5)
  status INTEGER NOT NULL DEFAULT 1,
  made_here INTEGER NOT NULL DEFAULT 0,  -- 1: the row arrived here, 0: this is the mirror
  since INTEGER NOT NULL,              -- milliseconds since 1970
  seen INTEGER NOT NULL DEFAULT 0,     -- the partner's log position when the row was copied: it holds all up to there
  root TEXT                            -- org Id and record Id where the record was made; NULL: the partner's record
);
CREATE UNIQUE INDEX orgsync_link_partner ON orgsync_link (partner, connection);
CREATE UNIQUE INDEX orgsync_link_local ON orgsync_link (local, connection);
CREATE INDEX orgsync_link_reference ON orgsync_link (connection) WHERE status = 3;
CREATE INDEX orgsync_link_severed ON orgsync_link (connection) WHERE status = 4;
CREATE INDEX orgsync_link_root ON orgsync_link (root) WHERE root IS NOT NULL;

-- Roots that no link tells: an org that was restored from a backup gave an Id a second time, so two records bear it.
CREATE TABLE orgsync_root (record TEXT PRIMARY KEY, root TEXT NOT NULL UNIQUE) WITHOUT ROWID;

-- Where an org has several connections, or its partner has: which change a field of a record holds. `stamp` grows with
-- time and with every change that follows another; `org` is where the change was made. Field -1: whether it is deleted.
CREATE TABLE orgsync_stamp (
  record TEXT, field INTEGER, stamp INTEGER NOT NULL, org TEXT NOT NULL, PRIMARY KEY (record, field)
) WITHOUT ROWID;
-- How far this org's own log was turned into stamps. One row.
CREATE TABLE orgsync_stamped (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL DEFAULT 0);
INSERT INTO orgsync_stamped (one) VALUES (1);
-- Who is connected with whom, as far as this org has heard: an org's partners, as it said itself the last time.
CREATE TABLE orgsync_neighbour (
  org TEXT PRIMARY KEY, version INTEGER NOT NULL, partners TEXT NOT NULL
) WITHOUT ROWID;

-- Lookups that wait for their parent: filled in when its link appears (LKP-2), owners too (USR-5).
CREATE TABLE orgsync_waiting (
  connection INTEGER NOT NULL,
  object INTEGER NOT NULL,
  record TEXT NOT NULL,                -- the local child
  field TEXT NOT NULL,
  parent TEXT NOT NULL,                -- the partner's Id that it should point to
  placeholder TEXT,                    -- what stands there now; another value means that somebody edited it
  PRIMARY KEY (connection, parent, record, field)
) WITHOUT ROWID;
CREATE INDEX orgsync_waiting_record ON orgsync_waiting (record, field);

-- Outgoing records that the partner refused: they wait for their next try, or have failed for good.
CREATE TABLE orgsync_held (
  connection INTEGER NOT NULL,
  record TEXT NOT NULL,
  object INTEGER NOT NULL,
  op TEXT NOT NULL,
  m0 INTEGER, m1 INTEGER, m2 INTEGER, m3 INTEGER,
  queued_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  next_retry INTEGER,                  -- milliseconds; NULL: failed for good, queued again by its next update
  waits_for TEXT NOT NULL DEFAULT '',  -- the record whose arrival lets this one through at once
  error_code TEXT NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (connection, record)
) WITHOUT ROWID;

-- What became of a batch, written with the data in the target, copied to the source with its cursor.
CREATE TABLE orgsync_outcome (
  connection INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  record TEXT NOT NULL,
  object INTEGER NOT NULL,             -- the source's object number
  op TEXT NOT NULL,
  m0 INTEGER, m1 INTEGER, m2 INTEGER, m3 INTEGER,
  error_code TEXT NOT NULL,            -- empty: a held record that went through after all
  error TEXT NOT NULL,
  field TEXT NOT NULL DEFAULT '',
  waits_for TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (connection, batch, record)
) WITHOUT ROWID;

-- The watermark of the partner's log, moved in the transaction of the data (QUE-3).
CREATE TABLE orgsync_inbox (
  connection INTEGER PRIMARY KEY, seq INTEGER NOT NULL DEFAULT 0, batch INTEGER NOT NULL DEFAULT 0,
  link INTEGER NOT NULL DEFAULT 0,     -- the newest link whose waiting lookups were filled in (LKP-2)
  event_state INTEGER NOT NULL DEFAULT 0,  -- the partner's newest event of each lane that was carried out here
  event_map INTEGER NOT NULL DEFAULT 0,
  -- A client that puts anything but a position here is refused, so that no sync starts from nowhere.
  CHECK (typeof(seq) = 'integer' AND typeof(batch) = 'integer' AND typeof(link) = 'integer' AND typeof(event_state) = 'integer' AND typeof(event_map) = 'integer')
);
-- The source's own cursor: how far the log was sent, outcomes copied and links mirrored.
CREATE TABLE orgsync_outbox (
  connection INTEGER PRIMARY KEY, seq INTEGER NOT NULL DEFAULT 0, batch INTEGER NOT NULL DEFAULT 0,
  link INTEGER NOT NULL DEFAULT 0,
  event_state INTEGER NOT NULL DEFAULT 0,  -- this org's newest event of each lane that the partner is known to have
  event_map INTEGER NOT NULL DEFAULT 0,
  -- A client that puts anything but a position here is refused, so that no sync starts from nowhere.
  CHECK (typeof(seq) = 'integer' AND typeof(batch) = 'integer' AND typeof(link) = 'integer' AND typeof(event_state) = 'integer' AND typeof(event_map) = 'integer')
);

-- A part (low, high] of the partner's log that several processes send to this org together, with the lanes that are done.
CREATE TABLE orgsync_round (
  connection INTEGER PRIMARY KEY, low INTEGER NOT NULL, high INTEGER NOT NULL,
  hops INTEGER NOT NULL,               -- over how many connections its changes have come
  lanes INTEGER NOT NULL, phase INTEGER NOT NULL,
  phases TEXT NOT NULL                 -- JSON: per phase the partner's objects by number, parents first
);
CREATE TABLE orgsync_round_lane (
  connection INTEGER, phase INTEGER, lane INTEGER, PRIMARY KEY (connection, phase, lane)
) WITHOUT ROWID;

-- Control events: what this org has to tell the partner besides records, written with its cause (QUE-2).
CREATE TABLE orgsync_event (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  connection INTEGER NOT NULL,
  lane TEXT NOT NULL,                  -- state: ahead of all others; map; own: work of this org that nobody is told of
  action TEXT NOT NULL,
  object TEXT NOT NULL DEFAULT '',
  field TEXT NOT NULL DEFAULT '',
  detail TEXT NOT NULL DEFAULT '{}',
  actor TEXT NOT NULL DEFAULT '',
  at INTEGER NOT NULL,                 -- milliseconds since 1970
  attempts INTEGER NOT NULL DEFAULT 0, -- of work of this org
  next_retry INTEGER,
  error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX orgsync_event_lane ON orgsync_event (connection, lane, number);

-- Bulk syncs towards this org: the checkpoint moves with the data.
CREATE TABLE orgsync_bulk (
  connection INTEGER NOT NULL,
  object TEXT NOT NULL,
  cutoff TEXT NOT NULL,
  position INTEGER NOT NULL,           -- the row number of the source up to which all were looked at
  remaining INTEGER NOT NULL,
  copied INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  resumed_at INTEGER NOT NULL DEFAULT 0,  -- how many were copied or had failed when the last process took over
  started INTEGER NOT NULL,
  finished INTEGER,
  PRIMARY KEY (connection, object)
) WITHOUT ROWID;

-- Ranges (low, high] of the source's row numbers that an unfinished bulk sync has done: workers do them in any order.
CREATE TABLE orgsync_bulk_range (
  connection INTEGER, object TEXT, low INTEGER, high INTEGER NOT NULL, PRIMARY KEY (connection, object, low)
) WITHOUT ROWID;

-- Records that were deleted by the delete of their parent, to come back with it (ORG-6).
CREATE TABLE orgsync_cascade (parent TEXT, child TEXT, PRIMARY KEY (parent, child)) WITHOUT ROWID;
CREATE INDEX orgsync_cascade_child ON orgsync_cascade (child);

-- Components and users that failed, with the hash that failed: not tried again until they are saved (USR-4, MET-8).
CREATE TABLE orgsync_failed (
  connection INTEGER, kind TEXT, name TEXT, hash TEXT NOT NULL, error TEXT NOT NULL,
  PRIMARY KEY (connection, kind, name)
) WITHOUT ROWID;

-- Logins of this org's users (USR-8): links and passwords only as hashes. Nothing of it travels to another org.
CREATE TABLE orgsync_login (
  user_id TEXT PRIMARY KEY,
  link TEXT UNIQUE,                    -- the hash of the one-time link's token
  link_expires INTEGER,                -- milliseconds since 1970, as all moments here
  link_opened INTEGER,                 -- NULL: not yet; a link that was opened is spent
  ticket TEXT UNIQUE,                  -- the hash of what the opened link gave: the right to set the password, once
  ticket_used INTEGER,
  password TEXT,                       -- salted hash with its parameters; NULL: none is set
  password_set INTEGER,
  number_of_failed_logins INTEGER NOT NULL DEFAULT 0,
  last_login INTEGER
) WITHOUT ROWID;

-- The connection history (CON-12).
CREATE TABLE orgsync_history (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  connection TEXT NOT NULL, event TEXT NOT NULL, detail TEXT NOT NULL DEFAULT '',
  actor TEXT NOT NULL DEFAULT '', at TEXT NOT NULL,
  origin TEXT NOT NULL DEFAULT ''      -- the partner's name where its event was carried out here
);

-- Notices to people and programs, by email or webhook, each to be sent once (LOG-3, SUS-2).
CREATE TABLE orgsync_notice (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  connection TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,            -- tells a notice from all others; receivers get it too
  event TEXT NOT NULL,
  rule TEXT NOT NULL,                  -- the mark of the rule in the manifests
  channel TEXT NOT NULL,               -- email, webhook
  recipient TEXT NOT NULL,             -- an email address; empty for a webhook, whose address is the rule's
  body TEXT NOT NULL,                  -- JSON: a letter's values, or what is posted
  made_at INTEGER NOT NULL,            -- milliseconds since 1970, as all moments here
  attempts INTEGER NOT NULL DEFAULT 0,
  next_try INTEGER,                    -- NULL: it was sent, or given up
  ended_at INTEGER,
  error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX orgsync_notice_due ON orgsync_notice (next_try) WHERE next_try IS NOT NULL;
-- How far each rule of the manifests has come in this org's sync log, what it told last, and when.
CREATE TABLE orgsync_rule (
  connection TEXT, rule TEXT,
  position INTEGER NOT NULL DEFAULT 0, -- the last entry that was told, or need not be
  told_at INTEGER,
  told TEXT NOT NULL DEFAULT '',       -- the mark of a state that lasts, such as drift; empty: all is well
  PRIMARY KEY (connection, rule)
) WITHOUT ROWID;

-- Where a connection's users are sent (RTE-1): of both orgs' rows the one with the higher serial counts.
CREATE TABLE orgsync_failover (
  connection TEXT PRIMARY KEY,
  serial INTEGER NOT NULL,
  target TEXT NOT NULL,                -- secondary: somebody has chosen it; primary: users go there while it is up
  banner TEXT NOT NULL,                -- what users of the secondary are to see; empty: nothing
  since TEXT NOT NULL,
  actor TEXT NOT NULL,
  window_from TEXT NOT NULL,           -- the window that was announced; empty: none
  window_to TEXT NOT NULL,
  unfinished TEXT NOT NULL             -- emails and calls that are still to be made, as JSON
) WITHOUT ROWID;

-- Locks with their holder (REC-4), and the journal of applies (REC-3), in the primary.
CREATE TABLE orgsync_lease (
  name TEXT PRIMARY KEY, holder TEXT NOT NULL, host TEXT NOT NULL, pid INTEGER NOT NULL, at TEXT NOT NULL
) WITHOUT ROWID;
-- What each connection was set to by the last apply, and by one that has begun and not ended (REC-6), in the primary.
CREATE TABLE orgsync_applied (
  connection TEXT PRIMARY KEY, state TEXT NOT NULL DEFAULT '{}', begun TEXT
) WITHOUT ROWID;
CREATE TABLE orgsync_journal (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  plan_id TEXT NOT NULL, address TEXT NOT NULL, op TEXT NOT NULL,
  status TEXT NOT NULL, error TEXT NOT NULL DEFAULT '', at TEXT NOT NULL
);

-- ORG-9: the links as the platform shows them.
CREATE VIEW "PartnerNetworkRecordConnection" AS
SELECT printf('04V%s%09xEAA', o.code, l.number) AS "Id",
       c.id AS "ConnectionId",
       l.local AS "LocalRecordId",
       l.partner AS "PartnerRecordId",
       CASE l.status WHEN 1 THEN CASE l.made_here WHEN 1 THEN 'Received' ELSE 'Sent' END ELSE 'Inactive' END AS "Status",
       strftime('%Y-%m-%dT%H:%M:%fZ', l.since / 1000.0, 'unixepoch') AS "StartDate",
       NULL AS "EndDate",
       NULL AS "ParentRecordId",
       NULL AS "RelatedRecords",
       0 AS "SendClosedTasks", 0 AS "SendEmails", 0 AS "SendOpenTasks"
FROM orgsync_link AS l
JOIN orgsync_connection AS c ON c.number = l.connection
CROSS JOIN orgsync_org AS o
WHERE l.status <> 3;
