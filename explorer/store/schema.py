"""The tables, as steps from one version to the next. What a step makes is never changed once it was released."""

from __future__ import annotations

# Step i leads from version i to i + 1; the database itself says its version (user_version).
STEPS: tuple[tuple[str, ...], ...] = (
    (
        """
        CREATE TABLE points (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            identity TEXT NOT NULL UNIQUE,
            time TEXT NOT NULL,
            kind TEXT NOT NULL,
            model_digest TEXT NOT NULL,
            model_address TEXT NOT NULL,
            data_digest TEXT NOT NULL,
            data_address TEXT NOT NULL,
            split TEXT NOT NULL,
            plan_digest TEXT NOT NULL,
            spec_digest TEXT NOT NULL,
            record TEXT NOT NULL
        )
        """,
        "CREATE INDEX points_by_time ON points (time, id)",
        "CREATE INDEX points_of_model ON points (model_digest, data_digest, split, time)",
        """
        CREATE TABLE cells (
            scan_key TEXT NOT NULL,
            group_name TEXT NOT NULL,
            level REAL NOT NULL,
            time TEXT NOT NULL,
            cell TEXT NOT NULL,
            PRIMARY KEY (scan_key, group_name, level)
        ) WITHOUT ROWID
        """,
    ),
    (
        """
        CREATE TABLE workspaces (
            id TEXT NOT NULL,
            version INTEGER NOT NULL,
            time TEXT NOT NULL,
            boot TEXT NOT NULL,
            digest TEXT NOT NULL,
            state TEXT NOT NULL,
            PRIMARY KEY (id, version)
        )
        """,
    ),
    (
        """
        CREATE TABLE scans (
            scan_key TEXT PRIMARY KEY,
            time TEXT NOT NULL,
            about TEXT NOT NULL
        ) WITHOUT ROWID
        """,
    ),
    (
        # Column by column in their order: version 1 to 3 had another name for the second one.
        """
        CREATE TABLE cells_of_groups (
            scan_key TEXT NOT NULL,
            group_name TEXT NOT NULL,
            level REAL NOT NULL,
            time TEXT NOT NULL,
            cell TEXT NOT NULL,
            PRIMARY KEY (scan_key, group_name, level)
        ) WITHOUT ROWID
        """,
        "INSERT INTO cells_of_groups SELECT * FROM cells",
        "DROP TABLE cells",
        "ALTER TABLE cells_of_groups RENAME TO cells",
    ),
)
VERSION = len(STEPS)
# Says in the file's header whose it is (application_id); files of versions before it have 0 there.
APPLICATION_ID = 0x50724578
