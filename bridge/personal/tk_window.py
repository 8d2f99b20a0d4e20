"""The window itself, with Tk, in a process of its own: lines of views on standard input, of actions on standard output.

It lies above all other windows, says which page asks in the full form of its name, and takes the PIN. The button to go
on is dead for a moment after each change, so that a click or key that was meant for another window does nothing.
"""

from __future__ import annotations

import queue
import sys
import threading
import tkinter as tk
import unicodedata
from collections.abc import Callable
from tkinter import font

from bridge.personal.view import (
    Agreed,
    Declined,
    LastTryConfirmed,
    PinTyped,
    View,
    WindowAction,
    build_action_line,
    parse_view_line,
)
from bridge.personal.words import Face, Language, build_face

WIDTH = 620
DEAD_MILLISECONDS = 700
LOOK_MILLISECONDS = 30
_FAMILIES = (
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Yu Gothic UI",
    "Meiryo",
    "Hiragino Sans",
    "IPAexGothic",
    "TkDefaultFont",
)
_INK, _SOFT, _LINE, _PAPER, _GROUND = "#1a1a1a", "#4d4d4d", "#949494", "#ffffff", "#f2f5fb"
_BLUE_PRESSED, _DEAD = "#000060", "#6a74c9"
_BLUE, _RED, _RING = "#0017c1", "#a90000", "#000000"


class TkWindow:
    """`say` writes one action. The window is there after the first view."""

    def __init__(self, root: tk.Tk, language: Language, say: Callable[[WindowAction], None]) -> None:
        self._root = root
        self._language = language
        self._say = say
        self._view: View | None = None
        self._typed: tk.Entry | None = None
        self._primary: tk.Button | None = None
        self._alive = False
        known = set(font.families(root))
        self._family = next((name for name in _FAMILIES if name in known), _FAMILIES[-1])
        root.configure(background=_PAPER)
        root.resizable(width=False, height=False)
        root.attributes("-topmost", 1)
        root.protocol("WM_DELETE_WINDOW", self._decline)
        root.bind("<Escape>", lambda _event: self._decline())

    def show(self, view: View) -> None:
        """Another face, with the focus where the resident goes on."""
        first = self._view is None
        self._view = view
        self._draw(build_face(view, self._language))
        if first:
            self._root.update_idletasks()
            left = (self._root.winfo_screenwidth() - WIDTH) // 2
            self._root.geometry(f"+{left}+{max(0, self._root.winfo_screenheight() // 8)}")
            self._root.deiconify()
            self._root.lift()
            self._root.focus_force()

    def _draw(self, face: Face) -> None:
        for child in self._root.winfo_children():
            child.destroy()
        self._primary = None
        self._alive = False
        self._draw_page(face)
        body = tk.Frame(self._root, background=_PAPER, padx=28, pady=18)
        body.pack(fill="x")
        self._label(body, face.heading, size=22, bold=True)
        if face.alert:
            self._label(body, face.alert, colour=_RED, bold=True)
        for line in face.lines:
            self._label(body, line)
        self._typed = self._draw_field(body, face.field) if face.field else None
        self._draw_buttons(face)
        (self._root if self._typed is None else self._typed).focus_set()
        self._root.update_idletasks()
        self._root.title(face.title)  # at the end: whoever reads it, keys go to the right place by then

    def _draw_page(self, face: Face) -> None:
        """Which page asks: never shortened, never in other letters than those that count."""
        band = tk.Frame(self._root, background=_GROUND, padx=28, pady=16)
        band.pack(fill="x")
        top = tk.Frame(band, background=_GROUND)
        top.pack(fill="x")
        tk.Label(top, text=face.origin_label, font=self._font(14), background=_GROUND, foreground=_SOFT).pack(
            side="left"
        )
        self._button(top, face.other_language, self._switch_language, small=True).pack(side="right")
        assert self._view is not None
        self._label(band, self._view.origin, size=20, bold=True, ground=_GROUND, family="TkFixedFont")
        self._label(band, face.system_label, size=14, colour=_SOFT, ground=_GROUND)
        tk.Frame(self._root, background=_LINE, height=1, width=WIDTH).pack(fill="x")

    def _draw_field(self, body: tk.Frame, label: str) -> tk.Entry:
        assert self._view is not None
        self._label(body, label, size=16, bold=True)
        typed = tk.Entry(
            body,
            show="●",
            width=self._view.maximum + 4,
            font=self._font(28),
            justify="center",
            background=_PAPER,
            foreground=_INK,
            insertbackground=_INK,
            highlightthickness=3,
            highlightbackground=_LINE,
            highlightcolor=_RING,
            relief="flat",
        )
        typed.pack(anchor="w", pady=(4, 6))
        typed.bind("<Return>", lambda _event: self._go_on())
        return typed

    def _draw_buttons(self, face: Face) -> None:
        row = tk.Frame(self._root, background=_PAPER, padx=28, pady=20)
        row.pack(fill="x")
        if face.primary:
            self._primary = self._button(row, face.primary, self._go_on, solid=True)
            self._primary.pack(side="left", padx=(0, 16))
            self._primary.configure(background=_DEAD, activebackground=_DEAD)
            self._alive = False
            self._root.after(DEAD_MILLISECONDS, self._enliven, self._primary)
        self._button(row, face.secondary, self._decline).pack(side="left")

    def _enliven(self, button: tk.Button) -> None:
        if button is self._primary:
            self._alive = True
            button.configure(background=_BLUE, activebackground=_BLUE_PRESSED)

    def _go_on(self) -> None:
        if self._view is None or self._primary is None or not self._alive:
            return
        match self._view.step:
            case "asking":
                self._say(Agreed())
            case "last_try":
                self._say(LastTryConfirmed())
            case "pin" if self._typed is not None:
                typed = unicodedata.normalize("NFKC", self._typed.get())
                self._typed.delete(0, "end")
                self._say(PinTyped(bytearray(typed, "ascii", "replace")))

    def _decline(self) -> None:
        self._say(Declined())

    def _switch_language(self) -> None:
        self._language = "en" if self._language == "ja" else "ja"
        if self._view is not None:
            self._draw(build_face(self._view, self._language))

    def _label(
        self,
        parent: tk.Frame,
        text: str,
        *,
        size: int = 16,
        bold: bool = False,
        colour: str = _INK,
        ground: str = _PAPER,
        family: str = "",
    ) -> None:
        label = tk.Label(
            parent,
            text=text,
            font=self._font(size, bold=bold, family=family),
            foreground=colour,
            background=ground,
            wraplength=WIDTH - 56,
            justify="left",
            anchor="w",
        )
        label.pack(fill="x", pady=3)

    def _button(
        self, parent: tk.Frame, text: str, command: Callable[[], None], *, solid: bool = False, small: bool = False
    ) -> tk.Button:
        ink, ground = (_PAPER, _BLUE) if solid else (_BLUE, _PAPER)
        button = tk.Button(
            parent,
            text=text,
            command=command,
            font=self._font(13 if small else 17, bold=not small),
            foreground=ink,
            background=ground,
            activeforeground=ink,
            activebackground=_BLUE_PRESSED if solid else "#e8f1fe",
            highlightthickness=3,
            highlightbackground=_PAPER if not small else _GROUND,
            highlightcolor=_RING,
            relief="solid",
            borderwidth=1,
            padx=10 if small else 26,
            pady=2 if small else 9,
        )
        button.bind("<Return>", lambda _event: button.invoke())
        return button

    def _font(self, size: int, *, bold: bool = False, family: str = "") -> tuple[str, int, str]:
        fixed = font.nametofont("TkFixedFont", root=self._root).actual("family") if family else self._family
        return (fixed, -size, "bold" if bold else "normal")  # negative: pixels


def run_window(language: Language, *, check: bool) -> str:
    """Until standard input ends. Returns "", or what to do when no window can be opened; with `check` it only tries."""
    try:
        root = tk.Tk(className="KioskBridge")
    except tk.TclError:
        return "no window can be opened: start the bridge inside the desktop session (on Linux DISPLAY names it)"
    root.withdraw()
    if check:
        root.destroy()
        return ""

    def say(action: WindowAction) -> None:
        sys.stdout.write(build_action_line(action) + "\n")
        sys.stdout.flush()

    window = TkWindow(root, language, say)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read_lines, args=(lines,), name="window-input", daemon=True).start()

    def look() -> None:
        while not lines.empty():
            line = lines.get()
            if line is None:
                root.destroy()
                return
            window.show(parse_view_line(line))
        root.after(LOOK_MILLISECONDS, look)

    sys.stdout.write('{"act":"ready"}\n')
    sys.stdout.flush()
    look()
    root.mainloop()
    return ""


def _read_lines(lines: queue.SimpleQueue[str | None]) -> None:
    for line in sys.stdin:
        lines.put(line)
    lines.put(None)
