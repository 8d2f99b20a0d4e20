"""Where the frozen program `kiosk-bridge` begins."""

from bridge.__main__ import main

main()
