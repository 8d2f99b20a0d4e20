"""Start the home page: `python -m examples.homepage`. It listens on this computer alone."""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from pathlib import Path

import uvicorn

if __package__:
    from examples.homepage.confirmation import Confirmation, load_or_make_key, write_private_half, write_public_half
    from examples.homepage.pages import Site
else:  # started by its folder
    from confirmation import (  # type: ignore[import-not-found,no-redef]  # then its neighbours are found like this
        Confirmation,
        load_or_make_key,
        write_private_half,
        write_public_half,
    )
    from pages import Site  # type: ignore[import-not-found,no-redef]  # the same


def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m examples.homepage", description="An invented city's home page.")
    parser.add_argument("--port", type=int, default=0, help="port of the page; 0: a free one")
    parser.add_argument("--api", default="http://localhost:8482/api/v1", help="the kiosk's API")
    parser.add_argument("--client", default="home-page", help="client_id there")
    parser.add_argument("--system", default="facility-booking", help="the cooperating system it speaks for")
    parser.add_argument("--key", type=Path, default=Path("home-page.key"), help="private key; made if missing")
    parser.add_argument("--show-public-key", action="store_true", help="print what `kiosk client add --key` takes")
    parser.add_argument("--origin", help="under which residents see the page; else its own address")
    parser.add_argument("--bridge", default="ws://127.0.0.1:8489/personal", help="where a resident's bridge listens")
    parser.add_argument("--booking", default="", help="address of the booking system, which knows people by PPID")
    parser.add_argument("--frame", default="", help="origin of the one page that may frame this one")
    parser.add_argument("--fonts", type=Path, help="folder with fonts.css, for computers without Japanese letters")
    parser.add_argument("--ribbon", default="", help="said at the top of every page, all the time")
    parser.add_argument("--ready-file", type=Path, help="write the address here as JSON")
    options = parser.parse_args()
    key = load_or_make_key(options.key)
    if options.show_public_key:
        sys.stdout.write(write_public_half(key).decode())
        return
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", options.port))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    origin = options.origin or url
    confirmation = Confirmation(options.api, options.client, options.system, origin, write_private_half(key))
    site = Site(
        confirmation,
        origin=origin,
        bridge=options.bridge,
        booking=options.booking,
        frame=options.frame,
        fonts=options.fonts,
        ribbon=options.ribbon,
    )
    listener.listen()
    if options.ready_file is not None:
        draft = options.ready_file.with_name(f"{options.ready_file.name}.new")
        draft.write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")
        draft.replace(options.ready_file)
    print(f"home page  {url}", flush=True)
    settings = uvicorn.Config(site.build(), log_level="warning", access_log=False, server_header=False)
    uvicorn.Server(settings).run(sockets=[listener])


if __name__ == "__main__":
    main()
