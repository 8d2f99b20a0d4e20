"""Virtual cards: a card profile folder (`docs/card-profile.md`) as a card in a reader of this process, or of vpcd."""
