"""The API for municipal systems (`docs/api.md`): its operations as data, its models, and a handler for each."""
