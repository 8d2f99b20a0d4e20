"""`python -m bridge` whose virtual card writes down each exchange (`recorded_card`)."""

from __future__ import annotations

from unittest.mock import patch

from bridge import __main__ as program
from bridge.virtual import reader
from tests.bench.recorded_card import RecordedInsertion

if __name__ == "__main__":
    with patch.object(reader, "Insertion", RecordedInsertion):  # the program under measurement, with a clock beside it
        program.main()
