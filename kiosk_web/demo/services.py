"""The services of a demo whose booking system has a key: one more tile, which asks for the basic 4 information."""

from __future__ import annotations

import json

from kiosk_web.settings.services import DEMO_SERVICES, DEMO_SYSTEMS, BasicFourAsked, ServiceSettings, WordsSettings

REGISTRATION = ServiceSettings(
    id="facility-registration",
    system="facility-booking",
    profile="type1",
    name=WordsSettings(ja="施設予約の利用者登録", en="Register for facility booking"),
    description=WordsSettings(
        ja="氏名・住所・生年月日・性別を、同意のうえ予約システムに渡します。",
        en="Hands name, address, date of birth and sex to the booking system, if you agree.",
    ),
    icon="person",
    basic_four=BasicFourAsked(
        purpose=WordsSettings(ja="公民館・体育館の利用者登録", en="Registration as a user of halls and gyms"),
        kept=WordsSettings(
            ja="利用者登録が続くあいだ。登録をやめると消します。", en="As long as you are registered, then deleted."
        ),
    ),
)


def build_tables(receiver_key: str, webhook_url: str) -> str:
    """TOML: the demo's systems with a receiver, and its services with the one that asks."""
    booking, *others = DEMO_SYSTEMS
    systems = (booking.model_copy(update={"receiver_key": receiver_key, "webhook_url": webhook_url}), *others)
    tables = [_write("systems", item.model_dump(exclude_none=True)) for item in systems]
    tables += [_write("services", item.model_dump(exclude_none=True)) for item in (*DEMO_SERVICES, REGISTRATION)]
    return "".join(tables)


def _write(name: str, values: dict[str, object]) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in values.items()]
    return f"[[{name}]]\n" + "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)  # of text and true or false: TOML too
