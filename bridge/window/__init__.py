"""The narrow window for residents on a counter's only screen (`docs/handover.md`): the browser is started as an app
window, and its window is made one that lies above all others and never has the keyboard. Nothing here reads a key,
types one, or speaks to a card.
"""
