"""Events, and what is personal in them, lie in one table a month, found by their ids, which begin with the time.

What is there becomes the first part as it stands: nothing is copied, and the only long step, looking that its ids are old ones, lets
everybody read and write. What belongs to no month, because a clock is wrong or nobody made the month, has a part of its own.
"""

import datetime as dt
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

CURRENT = "nullif(current_setting('plane.tenant', true), '')::uuid"
OWN = f"USING (tenant_id = {CURRENT}) WITH CHECK (tenant_id = {CURRENT})"
PARTED = {"audit_events": "id", "audit_personal": "event_id"}
INDEXES = {"audit_events": {"xid_id": "xid, id", "at": "at"}, "audit_personal": {"actor": "actor"}}
SHORTEST_DAYS = 400  # as in 0018
AHEAD = 3
DEFINER = "LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s'"
TRIGGER = "BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION plane_append_only()"


def upgrade() -> None:
    first = _first_month(op.get_bind().execute(sa.text("SELECT now()")).scalar_one())
    with op.get_context().autocommit_block():  # each step alone, and all to be done again where a run broke off
        op.execute("SET lock_timeout = '2s'")
        for table, key in PARTED.items():
            _bound(table, key, first)
        op.execute("RESET lock_timeout")
    op.execute("SET LOCAL lock_timeout = '2s'")
    for table, key in PARTED.items():
        _part(table, key, first)
    _rights()
    _months()
    _leaving()
    op.execute(f"SELECT plane_make_months({AHEAD})")


def _first_month(now: dt.datetime) -> str:
    """The first id of the month after next: no event of today's can have it, and none is refused while this runs."""
    month = now.year * 12 + now.month + 1
    begins = dt.datetime(month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
    return str(uuid.UUID(int=int(begins.timestamp() * 1000) << 80))


def _bound(table: str, key: str, first: str) -> None:
    """No later id from now on; whatever a wrong clock gave one goes to where such events go. Nothing here reads the table under a lock."""
    op.execute(f"CREATE TABLE IF NOT EXISTS {table}_other (LIKE {table} INCLUDING DEFAULTS)")
    op.execute(f"DROP POLICY IF EXISTS months ON {table}")
    op.execute(f"CREATE POLICY months ON {table} FOR SELECT TO CURRENT_USER USING (true)")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS before, ADD CONSTRAINT before CHECK ({key} < '{first}') NOT VALID")
    later = op.get_bind().execute(sa.text(f"SELECT tenant_id::text, {key}::text FROM {table} WHERE {key} >= '{first}'")).all()
    if later:
        pairs = ", ".join(f"('{tenant}'::uuid, '{identity}'::uuid)" for tenant, identity in later)
        op.execute(
            f"DO $$ BEGIN ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY; ALTER TABLE {table} DISABLE TRIGGER USER; "
            f"WITH later AS (DELETE FROM {table} WHERE (tenant_id, {key}) IN ({pairs}) RETURNING *) "
            f"INSERT INTO {table}_other SELECT * FROM later; "
            f"ALTER TABLE {table} ENABLE TRIGGER USER; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; END $$"
        )
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT before")


def _part(table: str, key: str, first: str) -> None:
    before, other = f"{table}_before", f"{table}_other"
    op.execute(f"ALTER TABLE {table} RENAME TO {before}")
    for name in (f"pk_{table}", *(f"ix_{table}_tenant_id_{suffix}" for suffix in INDEXES[table])):
        op.execute(f"ALTER INDEX {name} RENAME TO {name}_before")
    for policy in ("own", "expiry", "dispatch", "months"):
        op.execute(f"DROP POLICY IF EXISTS {policy} ON {before}")
    op.execute(f"REVOKE ALL ON {before} FROM plane_app, plane_dispatch")
    op.execute(f"REVOKE ALL (tenant_id, {key}{', xid' if table == 'audit_events' else ''}) ON {before} FROM plane_app, plane_dispatch")
    op.execute(f"CREATE TABLE {table} (LIKE {before} INCLUDING DEFAULTS) PARTITION BY RANGE ({key})")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (tenant_id, {key})")
    for suffix, columns in INDEXES[table].items():
        op.execute(f"CREATE INDEX ix_{table}_tenant_id_{suffix} ON {table} (tenant_id, {columns})")
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {before} FOR VALUES FROM (MINVALUE) TO ('{first}')")
    op.execute(f"ALTER TABLE {before} DROP CONSTRAINT before")
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {other} DEFAULT")
    op.execute(f"ALTER TABLE {before} NO FORCE ROW LEVEL SECURITY")  # the owner's functions look into parts; nobody else has any right there
    op.execute(f"ALTER TABLE {other} ENABLE ROW LEVEL SECURITY")


def _rights() -> None:
    """As they were, on the whole; the parts have none of their own, and the trigger each."""
    for table in PARTED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY own ON {table} TO plane_app {OWN}")
        op.execute(f"CREATE POLICY expiry ON {table} TO CURRENT_USER USING (tenant_id = {CURRENT})")
    for table in ("audit_events", "audit_heads", "audit_leaves", "audit_terms"):
        op.execute(f"CREATE POLICY months ON {table} FOR SELECT TO CURRENT_USER USING (true)")
    op.execute("CREATE POLICY dispatch ON audit_events TO plane_dispatch USING (true)")
    op.execute("GRANT SELECT, INSERT ON audit_events TO plane_app")
    op.execute("GRANT SELECT (tenant_id, id, xid) ON audit_events TO plane_dispatch")
    op.execute("GRANT SELECT, INSERT, DELETE ON audit_personal TO plane_app")
    op.execute(f"CREATE TRIGGER append_only {TRIGGER.format(table='audit_events')}")
    op.execute(f"CREATE TRIGGER append_only {TRIGGER.format(table='audit_events_other')}")


def _months() -> None:
    """Which there are, and those to come."""
    op.execute(
        "CREATE FUNCTION plane_months() RETURNS TABLE (root text, part text, upto uuid) LANGUAGE sql STABLE "
        "SET search_path = pg_catalog, public AS $$ SELECT p.relname::text, c.relname::text, "
        "substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([0-9a-f-]{36})''\\)')::uuid "
        "FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent "
        "WHERE i.inhparent IN ('audit_events'::regclass, 'audit_personal'::regclass) $$"
    )
    op.execute(
        "CREATE FUNCTION plane_first_id(at timestamptz) RETURNS uuid LANGUAGE sql IMMUTABLE AS "
        "$$ SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid $$"
    )
    op.execute(
        f"CREATE FUNCTION plane_make_months(ahead integer) RETURNS integer {DEFINER} AS $$ "
        "DECLARE made integer := 0; kind record; n integer; begins timestamptz; low uuid; high uuid; name text; taken boolean; BEGIN "
        "FOR kind IN SELECT * FROM (VALUES ('audit_events', 'id'), ('audit_personal', 'event_id')) AS v (root, key) LOOP "
        "FOR n IN 0..ahead LOOP "
        "begins := date_trunc('month', now(), 'UTC') + make_interval(months => n); "
        "low := plane_first_id(begins); high := plane_first_id(begins + interval '1 month'); "
        "name := kind.root || to_char(begins AT TIME ZONE 'UTC', '_YYYY_MM'); "
        "CONTINUE WHEN EXISTS (SELECT FROM plane_months() m WHERE m.root = kind.root AND m.upto >= high); "
        "PERFORM pg_advisory_xact_lock(hashtext('plane_make_months')); "
        "CONTINUE WHEN to_regclass(name) IS NOT NULL; "
        # events that came before their month stay where they are; theirs is a month without a part of its own
        "EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %I >= %L AND %2$I < %L)', kind.root || '_other', kind.key, low, high) INTO taken; "
        "CONTINUE WHEN taken; "
        "EXECUTE format('CREATE TABLE public.%I (LIKE %I INCLUDING DEFAULTS)', name, kind.root); "
        "EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name); "
        "IF kind.root = 'audit_events' THEN EXECUTE format('CREATE TRIGGER append_only "
        + TRIGGER.format(table="%I")
        + "', name); END IF; "
        "EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', kind.root, name, low, high); "
        "made := made + 1; END LOOP; END LOOP; RETURN made; END $$"
    )
    _granted("plane_make_months(integer)")


def _leaving() -> None:
    """A month leaves whole when every log in it lets it go, and says so itself."""
    ends = "to_timestamp(('x' || lpad(replace(left(m.upto::text, 13), '-', ''), 16, '0'))::bit(64)::bigint / 1000.0)"
    op.execute(
        "CREATE FUNCTION plane_expired_before(log uuid) RETURNS bigint LANGUAGE sql STABLE AS $$ "
        "SELECT coalesce(max((convert_from(e.body, 'UTF8')::jsonb #>> '{details,before}')::bigint), 0) FROM audit_leaves l "
        "JOIN audit_events e ON e.tenant_id = l.tenant_id AND e.id = l.event_id "
        "WHERE l.tenant_id = log AND l.type = 'audit.retention.applied' $$"
    )
    op.execute(
        f"CREATE FUNCTION plane_leaving_month(OUT name text, OUT ends timestamptz, OUT logs uuid[]) {DEFINER} AS $$ DECLARE kept boolean; BEGIN "
        f"SELECT m.part, {ends} INTO name, ends FROM plane_months() m WHERE m.root = 'audit_events' AND m.upto IS NOT NULL "
        f"AND {ends} < now() - make_interval(days => {SHORTEST_DAYS}) ORDER BY m.upto LIMIT 1; "
        "IF name IS NULL THEN RETURN; END IF; "
        "EXECUTE format('SELECT coalesce(array_agg(h.tenant_id), ''{}'') FROM audit_heads h "
        "WHERE EXISTS (SELECT FROM %I e WHERE e.tenant_id = h.tenant_id)', name) INTO logs; "
        "SELECT EXISTS (SELECT FROM unnest(logs) AS l (id) LEFT JOIN audit_terms t ON t.tenant_id = l.id "
        f"WHERE t.hold IS DISTINCT FROM '' OR t.keep_days < {SHORTEST_DAYS} OR ends > now() - make_interval(days => t.keep_days::integer)) "
        "INTO kept; "
        "IF kept THEN name := NULL; END IF; END $$"
    )
    op.execute(
        f"CREATE FUNCTION plane_drop_month(wanted text) RETURNS boolean {DEFINER} AS $$ "
        "DECLARE month record; held boolean; BEGIN "
        "LOCK TABLE audit_terms IN SHARE MODE; "  # no hold is laid meanwhile
        "SELECT * INTO month FROM plane_leaving_month(); "
        "IF month.name IS DISTINCT FROM wanted THEN RETURN false; END IF; "
        "EXECUTE format('SELECT EXISTS (SELECT FROM %I e LEFT JOIN audit_leaves l ON l.tenant_id = e.tenant_id AND l.event_id = e.id "
        "LEFT JOIN (SELECT s.id, plane_expired_before(s.id) AS before FROM unnest($1) AS s (id)) AS said ON said.id = e.tenant_id "
        "WHERE l.seq IS NULL OR said.before IS NULL OR l.seq >= said.before)', wanted) INTO held USING month.logs; "
        "IF held THEN RETURN false; END IF; "
        "EXECUTE format('DROP TABLE IF EXISTS %I', replace(wanted, 'audit_events', 'audit_personal')); "
        "EXECUTE format('DROP TABLE %I', wanted); RETURN true; END $$"
    )
    _granted("plane_leaving_month()")
    _granted("plane_drop_month(text)")


def _granted(function: str) -> None:
    op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO plane_app")


def downgrade() -> None:
    for function in ("plane_drop_month(text)", "plane_leaving_month()", "plane_expired_before(uuid)", "plane_make_months(integer)"):
        op.execute(f"DROP FUNCTION {function}")
    for table in ("audit_heads", "audit_leaves", "audit_terms"):
        op.execute(f"DROP POLICY months ON {table}")
    for table, key in PARTED.items():
        _whole(table, key)
    op.execute("DROP FUNCTION plane_first_id(timestamptz)")
    op.execute("DROP FUNCTION plane_months()")


def _whole(table: str, key: str) -> None:
    """One table again; the only way back copies."""
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE TABLE {table}_whole (LIKE {table} INCLUDING DEFAULTS)")
    op.execute(f"INSERT INTO {table}_whole SELECT * FROM {table}")
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {table}_whole RENAME TO {table}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (tenant_id, {key})")
    for suffix, columns in INDEXES[table].items():
        op.execute(f"CREATE INDEX ix_{table}_tenant_id_{suffix} ON {table} (tenant_id, {columns})")
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own ON {table} TO plane_app {OWN}")
    op.execute(f"CREATE POLICY expiry ON {table} TO CURRENT_USER USING (tenant_id = {CURRENT})")
    if table == "audit_events":
        op.execute("CREATE POLICY dispatch ON audit_events TO plane_dispatch USING (true)")
        op.execute("GRANT SELECT, INSERT ON audit_events TO plane_app")
        op.execute("GRANT SELECT (tenant_id, id, xid) ON audit_events TO plane_dispatch")
        op.execute(f"CREATE TRIGGER append_only {TRIGGER.format(table=table)}")
    else:
        op.execute("GRANT SELECT, INSERT, DELETE ON audit_personal TO plane_app")
