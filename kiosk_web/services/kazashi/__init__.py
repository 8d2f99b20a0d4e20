"""かざし利用: a tap instead of a 暗証番号 (`docs/kazashi.md`)."""
