"""kiosk-bridge: owns the card reader of one terminal and speaks to its kiosk page."""

__version__ = "0.1.0"
