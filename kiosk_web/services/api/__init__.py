"""The API: who calls and how often, what it is told of a card at its own reader (`docs/api.md`)."""
