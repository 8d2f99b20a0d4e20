"""Every table is described to whoever asks what is held."""

from __future__ import annotations

import re
from pathlib import Path

from kiosk_web.adapters.store import database
from kiosk_web.adapters.store.schema import metadata

DOC = Path(__file__).parents[1] / "docs" / "privacy.md"


def test_the_page_of_what_is_held_describes_exactly_the_tables_of_the_schema() -> None:
    assert database.SqlStore  # with it, all parts of the schema are known
    rows = [line.split("|")[1:4] for line in DOC.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    described = [name for row in rows for name in re.findall(r"`([a-z_]+)`", row[0])]
    assert len(described) == len(set(described))
    assert set(described) == set(metadata.tables)
    assert all(cell.strip() for row in rows for cell in row)


def test_tables_with_a_person_say_so() -> None:
    rows = [line.split("|")[1:4] for line in DOC.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    about = {name: row[1].strip() for row in rows for name in re.findall(r"`([a-z_]+)`", row[0])}
    with_person = {table.name for table in metadata.tables.values() if "person_id" in table.columns}
    assert with_person
    assert all(not about[name].startswith("nothing") for name in with_person)
