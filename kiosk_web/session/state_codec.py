"""States to and from the JSON of the database. PURE."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, TypeAdapter

from kiosk_web.session.states import Connecting, State


class StateCodec:
    """States to and from the JSON of the database. What does not read back exactly is an error (`ValueError`)."""

    _adapter: ClassVar[TypeAdapter[State]] = TypeAdapter(Annotated[State, Field(discriminator="name")])

    @classmethod
    def encode(cls, state: State) -> str:
        return cls._adapter.dump_json(state).decode()

    @classmethod
    def decode(cls, text: str) -> State:
        return cls._adapter.validate_json(text)

    @classmethod
    def restore(cls, text: str) -> State:
        """The state in `text`. Where another version wrote it in a form of its own, its visit is lost: `Connecting`."""
        try:
            return cls.decode(text)
        except ValueError:
            return Connecting()
