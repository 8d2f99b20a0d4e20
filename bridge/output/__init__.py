"""Hand-over of a number to an unmodified system on this computer: as a keyboard, or as a barcode reader on a serial
port (`docs/handover.md`). Nothing here reads a key, a clipboard or a screen.
"""
