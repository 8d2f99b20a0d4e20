"""The settings file, section by section: what an operator may say, read strictly, explained in `docs/`."""
