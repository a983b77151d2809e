"""The tables. Times are microseconds since 1970.

``job_hours`` and ``api_minutes`` are kept by triggers: trends and 24-hour figures stay exact after old rows are pruned,
and a snapshot costs the same whatever the number of rows.
``positions`` holds the last sequence of every stream key in the current epoch. The writer raises it in the transaction
that writes the data, so a reader that takes both in one transaction can never see one without the other (RT-7).
"""

from server_stub.moments import HOUR, MINUTE

VERSION = 1

TABLES = """
CREATE TABLE IF NOT EXISTS jobs (
  id TEXT PRIMARY KEY, job_key TEXT NOT NULL, function TEXT NOT NULL, function_name TEXT NOT NULL,
  status TEXT NOT NULL, created_at INTEGER NOT NULL, scheduled_at INTEGER, started_at INTEGER, completed_at INTEGER,
  attempts INTEGER NOT NULL DEFAULT 1, max_retries INTEGER NOT NULL DEFAULT 0, timeout REAL, worker_id TEXT,
  parent_id TEXT, root_id TEXT NOT NULL, progress REAL NOT NULL DEFAULT 0, kwargs TEXT NOT NULL DEFAULT '{}',
  job_type TEXT NOT NULL DEFAULT 'task', source TEXT NOT NULL DEFAULT '{"type":"task"}', checkpoint TEXT,
  checkpoint_at INTEGER, queue_wait_ms REAL, result TEXT, error TEXT, duration_ms REAL, requeued_at INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS job_hours (
  hour INTEGER NOT NULL, function TEXT NOT NULL, job_type TEXT NOT NULL, status TEXT NOT NULL, n INTEGER NOT NULL,
  PRIMARY KEY (hour, function, job_type, status)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS functions (
  key TEXT PRIMARY KEY, name TEXT NOT NULL, job_type TEXT NOT NULL, paused INTEGER NOT NULL DEFAULT 0,
  definition TEXT NOT NULL DEFAULT '{}'
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dispatch_reasons (
  key TEXT NOT NULL, reason TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (key, reason)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS workers (
  id TEXT PRIMARY KEY, worker_name TEXT NOT NULL, started_at INTEGER NOT NULL, last_heartbeat INTEGER NOT NULL,
  functions TEXT NOT NULL, concurrency INTEGER NOT NULL, active_jobs INTEGER NOT NULL, jobs_processed INTEGER NOT NULL,
  jobs_failed INTEGER NOT NULL, hostname TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS api_instances (
  id TEXT PRIMARY KEY, api_name TEXT NOT NULL, started_at INTEGER NOT NULL, last_heartbeat INTEGER NOT NULL,
  host TEXT, port INTEGER, endpoints TEXT NOT NULL, hostname TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS requests (
  number INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, api_name TEXT NOT NULL, method TEXT NOT NULL,
  path TEXT NOT NULL, status INTEGER NOT NULL, latency_ms REAL NOT NULL, instance_id TEXT
);
CREATE TABLE IF NOT EXISTS api_minutes (
  minute INTEGER NOT NULL, api_name TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL, n INTEGER NOT NULL,
  n4 INTEGER NOT NULL, n5 INTEGER NOT NULL, latency_sum REAL NOT NULL, last_at INTEGER NOT NULL,
  PRIMARY KEY (minute, api_name, method, path)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS artifacts (
  id TEXT PRIMARY KEY, job_id TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, content_type TEXT NOT NULL,
  size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL, content BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS positions (key TEXT PRIMARY KEY, sequence INTEGER NOT NULL) WITHOUT ROWID;
"""

INDEXES = """
CREATE INDEX IF NOT EXISTS jobs_by_time ON jobs (created_at, id);
CREATE INDEX IF NOT EXISTS jobs_by_function ON jobs (function, created_at, id);
CREATE INDEX IF NOT EXISTS jobs_by_root ON jobs (root_id);
CREATE INDEX IF NOT EXISTS jobs_failed ON jobs (created_at) WHERE status = 'failed';
CREATE INDEX IF NOT EXISTS jobs_open ON jobs (status, created_at)
  WHERE status IN ('pending', 'queued', 'active', 'retrying');
CREATE INDEX IF NOT EXISTS jobs_requeued ON jobs (requeued_at) WHERE requeued_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS requests_by_time ON requests (at, number);
CREATE INDEX IF NOT EXISTS requests_by_endpoint ON requests (api_name, method, path, number);
CREATE INDEX IF NOT EXISTS artifacts_by_job ON artifacts (job_id, created_at);
"""

_COUNT_HOUR = """INSERT INTO job_hours VALUES (NEW.created_at / {hour}, NEW.function, NEW.job_type, NEW.status, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;"""

TRIGGERS = (
    """
CREATE TRIGGER IF NOT EXISTS job_added AFTER INSERT ON jobs WHEN NEW.status NOT IN ('queued', 'pending') BEGIN
  """
    + _COUNT_HOUR
    + """
END;
CREATE TRIGGER IF NOT EXISTS job_moved AFTER UPDATE OF status ON jobs WHEN OLD.status <> NEW.status BEGIN
  UPDATE job_hours SET n = n - 1 WHERE hour = OLD.created_at / {hour} AND function = OLD.function
    AND job_type = OLD.job_type AND status = OLD.status;
  """
    + _COUNT_HOUR
    + """
END;
CREATE TRIGGER IF NOT EXISTS request_added AFTER INSERT ON requests BEGIN
  INSERT INTO api_minutes VALUES (NEW.at / {minute}, NEW.api_name, NEW.method, NEW.path, 1,
      NEW.status BETWEEN 400 AND 499, NEW.status >= 500, NEW.latency_ms, NEW.at)
    ON CONFLICT DO UPDATE SET n = n + 1, n4 = n4 + excluded.n4, n5 = n5 + excluded.n5,
      latency_sum = latency_sum + excluded.latency_sum, last_at = max(last_at, excluded.last_at);
END;
"""
).format(hour=HOUR, minute=MINUTE)

ROLL_UP_ALL = f"""
DELETE FROM job_hours;
INSERT INTO job_hours SELECT created_at / {HOUR}, function, job_type, status, count(*) FROM jobs
  WHERE status NOT IN ('queued', 'pending') GROUP BY 1, 2, 3, 4;
DELETE FROM api_minutes;
INSERT INTO api_minutes SELECT at / {MINUTE}, api_name, method, path, count(*), sum(status BETWEEN 400 AND 499),
  sum(status >= 500), sum(latency_ms), max(at) FROM requests GROUP BY 1, 2, 3, 4;
"""
"""For a bulk load made before the triggers exist."""
