-- The guardian's database, version 4. Times are Unix milliseconds, money is whole cents, keys are raw bytes.
BEGIN IMMEDIATE;

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO meta (name, value) VALUES ('epoch', 1);

-- The signed record says everything; the columns beside it are for looking up.
CREATE TABLE people (
    seq         INTEGER PRIMARY KEY,
    id          TEXT NOT NULL UNIQUE,
    key         BLOB NOT NULL UNIQUE CHECK (length(key) BETWEEN 32 AND 600),
    record      BLOB NOT NULL,
    signature   BLOB NOT NULL CHECK (length(signature) BETWEEN 64 AND 4096),
    enrolled_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER people_are_not_changed BEFORE UPDATE ON people
BEGIN SELECT RAISE(ABORT, 'a person is never changed'); END;
CREATE TRIGGER people_are_not_removed BEFORE DELETE ON people
BEGIN SELECT RAISE(ABORT, 'a person is never removed'); END;

-- A person's keys after their enrolment: the signed records, in the order in which they were taken. `enrolled` is how many
-- people there were by then, so that whoever signed what can be checked again in the order in which it happened.
CREATE TABLE key_changes (
    seq        INTEGER PRIMARY KEY,
    id         TEXT NOT NULL REFERENCES people (id),
    record     BLOB NOT NULL UNIQUE,
    by_own     BLOB NOT NULL CHECK (length(by_own) <= 4096),
    by_new     BLOB NOT NULL CHECK (length(by_new) <= 4096),
    enrolled   INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER key_changes_are_not_changed BEFORE UPDATE ON key_changes
BEGIN SELECT RAISE(ABORT, 'a change of keys is never changed'); END;
CREATE TRIGGER key_changes_are_not_removed BEFORE DELETE ON key_changes
BEGIN SELECT RAISE(ABORT, 'a change of keys is never removed'); END;

CREATE TABLE revocations (
    id         TEXT PRIMARY KEY,
    reason     TEXT NOT NULL,
    revoked_by TEXT NOT NULL,
    revoked_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER revocations_are_not_changed BEFORE UPDATE ON revocations
BEGIN SELECT RAISE(ABORT, 'a revocation is never changed'); END;
CREATE TRIGGER revocations_are_not_removed BEFORE DELETE ON revocations
BEGIN SELECT RAISE(ABORT, 'a revocation is never removed'); END;

CREATE TABLE sessions (
    id          TEXT PRIMARY KEY,
    owner       TEXT NOT NULL,
    holder      TEXT NOT NULL,
    purpose     TEXT NOT NULL,
    session_key BLOB NOT NULL CHECK (length(session_key) = 32),
    budget      INTEGER NOT NULL CHECK (budget >= 0),
    remaining   INTEGER NOT NULL CHECK (remaining BETWEEN 0 AND budget),
    status      TEXT NOT NULL CHECK (status IN ('active', 'closed', 'erased')),
    opened_ms   INTEGER NOT NULL,
    lease_ms    INTEGER NOT NULL, -- until when it is renewed without a person
    expires_ms  INTEGER NOT NULL
) STRICT;

-- Apart from the session, so that erasing deletes a row and secure_delete overwrites all of it.
CREATE TABLE session_keys (
    session TEXT PRIMARY KEY REFERENCES sessions (id),
    wrapped BLOB NOT NULL
) STRICT;

-- Statements of people that something was done on: each is used once.
CREATE TABLE statements (
    nonce     TEXT PRIMARY KEY,
    session   TEXT NOT NULL REFERENCES sessions (id),
    statement BLOB NOT NULL CHECK (length(statement) = 32),
    used_ms   INTEGER NOT NULL
) STRICT;

CREATE TABLE spends (
    session   TEXT NOT NULL REFERENCES sessions (id),
    key       TEXT NOT NULL,
    cents     INTEGER NOT NULL CHECK (cents >= 0),
    remaining INTEGER NOT NULL CHECK (remaining >= 0),
    spent_ms  INTEGER NOT NULL,
    PRIMARY KEY (session, key)
) STRICT;

PRAGMA user_version = 4;
COMMIT;
