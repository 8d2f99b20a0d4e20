"""The kiosk: the server of sessions, its pages, its judgement of certificates, and the simulator of JPKI."""

__version__ = "0.1.0"
