"""Where the frozen program `kiosk` begins."""

from kiosk_web.__main__ import main

main()
