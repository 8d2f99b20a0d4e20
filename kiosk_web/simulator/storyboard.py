"""The ten steps of the demo desk: what each says, what its button prepares, and what shows that it was reached.

Pure. A step is reached by what the running programs are seen to do, never by a click. U+2060 keeps a word of a title
on one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

OUTAGE = "refused"  # the fault of the responder that stands for its maintenance
TRIO = {"pin_locked": "aoi", "certificate_on_hold": "ken", "expires_soon": "taro"}
"""What the ninth step wants to see, and who shows it."""


@dataclass(frozen=True, slots=True)
class Step:
    """`person` is put on the reader by the button ("": the reader is emptied), `ocsp` the fault that it switches on."""

    number: int
    title_ja: str
    title_en: str
    do_ja: str
    do_en: str
    person: str = ""
    ocsp: str | None = None


STEPS = (
    Step(
        1, "図書館で登録する", "Register at the library",
        "端末で「図書館の利用」を選び、暗証番号 1234 を入力します。結果の画面で「お持ちのカードの番号とつなぐ」を押し、"
        "番号 2026041828 を入力します。下の職員番号と確認番号で、職員として確認します。"
        "「かざし利用」も登録します（生年月日は昭和63年4月17日）。",
        "Choose Library on the terminal and type the PIN 1234. At the result, link the number 2026041828 of an old "
        "card, and confirm it as staff with number and code below. Then switch tapping on too (born on 17 April of "
        "Showa 63).",
        person="midori",
    ),
    Step(
        2, "窓口モードでかざすと、番号が古いシステムに入る", "Tap: the number types itself into the old system",
        "端末の「職員」で下の職員番号と確認番号を入れて窓口モードにします。「図書館の利用」を選び、青葉みどりのカードを置きます。",
        "Sign in at the terminal (Staff) with number and code below, choose Library, and put down Midori Aoba's card.",
    ),
    Step(
        3, "職員がいなければ、かざすだけでは通らない", "The same tap with nobody attending is refused",
        "端末で窓口モードを終了し、「図書館の利用」を選んで同じカードを置きます。暗証番号を求められます。",
        "End attended mode at the terminal, choose Library, and put the same card down: the PIN is asked for.",
    ),
    Step(
        4, "写した証明書は通らない", "A copied certificate is refused",
        "青葉みどりの証明書を写した別のカードが置かれています。「図書館の利用」を選びます。"
        "暗証番号 1234 が合っても通りません。",
        "Choose Library. On the reader is another card with Midori Aoba's certificate copied onto it: even with the "
        "right PIN 1234 it is refused.",
        person="copied-card",
    ),
    Step(
        5, "窓口システムに基本\u20604\u2060情報を渡す（難しい漢字も）",
        "Type 1 reading with the basic 4 items and rare kanji",
        "端末で「施設予約の利用者登録」を選び、暗証番号 1470 を入力します。同意して暗証番号をもう一度入れ、"
        "「ちがう番号」で 5678 を入力します。予約システムの画面に4情報が届きます。",
        "Choose Register for facility booking, type the PIN 1470, agree, type it once more, then the other number "
        "5678: the items arrive at the booking system.",
        person="takako",
    ),
    Step(
        6, "自宅からも同じPPID（\u2060類\u2060型\u2060②\u2060）", "The same PPID at home by Type 2",
        "場面5で登録した𠮷野髙子のカードが、自宅のリーダーに移ります（場面5がまだなら、先に場面5を行います）。"
        "下の「市のホームページ」でログインし、開く窓に暗証番号 1470 を入力します。窓口と同じ利用者番号と、"
        "氏名・住所などが変わったかどうかが出ます。",
        "The card of Takako Yoshino, registered in scene 5, goes to the reader at home (do scene 5 first). Sign in at "
        "the city's home page below and type the PIN 1470 in the window that opens: the same user number as at the "
        "counter, and whether name, address and so on changed since.",
        person="takako",
    ),
    Step(
        7, "引っ越した人", "Somebody who moved",
        "端末で「施設予約の利用者確認」を選び、暗証番号 3692 を入力します。署名用電子証明書の失効が知らされます。"
        "もう一度「準備する」を押すと、次の引っ越しが届け出られ、カードは自宅へ移ります。下の「市のホームページ」で"
        "（前の人はログアウトして）ログインすると、変わったことと、どこで何をするかが出て、済んだら記録できます。",
        "Choose Facility booking and type the PIN 3692: the screen tells that the signature certificate has ended. "
        "Prepare again: another move is registered, and the card goes home. Sign in at the city's home page below, "
        "after signing out whoever is still there: it tells of the change, what to do and where, and records that it "
        "is done.",
        person="nagisa",
    ),
    Step(
        8, "OCSPレスポンダの保守", "OCSP maintenance",
        "失効確認の相手が応答しません。端末で「施設予約の利用者確認」を選びます。「有効」とも「失効」とも言わず、確認できないと伝えます。"
        "職員が開けない限り、失効情報の一覧で代えることはありません。",
        "The responder does not answer. Choose Facility booking: neither valid nor revoked, but not confirmed. No list "
        "stands in for the responder unless staff open that way.",
        person="midori", ocsp=OUTAGE,
    ),
    Step(
        9, "ロック・一時停止・期\u2060限\u2060間\u2060近", "Locked, suspended, nearly expired",
        "準備を押すたびに、次の人のカードが置かれます。「図書館の利用」を選びます。"
        "期限間近の人の暗証番号は 2580 です。",
        "Each press puts the next person's card down. Choose Library. The PIN of the one nearly expired is 2580.",
        person="aoi",
    ),
    Step(
        10, "職員の画面", "The staff side",
        "端末の「職員を呼ぶ」を押し、職員画面に呼び出しが出るのを見ます。",
        "Press Call staff on the terminal and see the call arrive on the staff page.",
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terminal:
    """One terminal as `GET /demo/terminals` of the server tells it."""

    state: str
    code: str = ""
    service: str = ""
    method: str = "pin"
    help_called: bool = False
    attended: bool = False
    expires_soon: bool = False
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that is watched at one moment. `scanned`: numbers that the library's own system has received so far.
    `known`: who signed in at home and was found in the booking system, by the PPID of the counter.
    """

    terminals: tuple[Terminal, ...] = ()
    links: int = 0
    known: int = 0
    scanned: int = 0
    placed: str | None = None
    ocsp: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """What was reached. `tapped`: whose tap reached the second step; `scanned_before`: the count without a result."""

    reached: frozenset[int] = frozenset()
    trio: frozenset[str] = field(default=frozenset())
    tapped: str | None = None
    scanned_before: int = 0


def derive_progress(before: Progress, scene: Scene) -> Progress:
    """With what the scene adds."""
    after = before
    if not any(terminal.state == "result" for terminal in scene.terminals):
        after = replace(after, scanned_before=scene.scanned)
    for terminal in scene.terminals:
        after = _add(after, terminal, scene)
    if scene.links:
        after = replace(after, reached=after.reached | {1})
    return replace(after, reached=after.reached | {6}) if scene.known else after


def _add(progress: Progress, seen: Terminal, scene: Scene) -> Progress:
    tap = seen.state == "result" and seen.method == "kazashi" and seen.attended
    scanned = tap and scene.scanned > progress.scanned_before
    tapped = (scene.placed or progress.tapped) if scanned else progress.tapped
    trio = progress.trio | {
        name for name in TRIO if name == seen.code or (name == "expires_soon" and seen.expires_soon)
    }
    away = seen.state == "awaiting_pin" and not seen.attended
    refused = seen.code if seen.state == "refused" else ""
    steps = {
        2: scanned,
        3: away and tapped is not None and scene.placed == tapped,
        4: refused == "signature_mismatch" and scene.placed == "copied-card",
        5: seen.state == "basic_four_sent" and scene.placed == "takako",
        7: seen.state == "result" and seen.signature == "revoked" and scene.placed == "nagisa",
        8: refused == "status_unavailable" and scene.ocsp == OUTAGE,
        9: trio == set(TRIO),
        10: seen.help_called,
    }
    reached = progress.reached | {number for number, seen_now in steps.items() if seen_now}
    return replace(progress, reached=reached, trio=trio, tapped=tapped)


def is_at_home(step: Step, progress: Progress) -> bool:
    """Whether the button puts the card on the reader of the resident's own computer: what happens at the counter first
    has been seen.
    """
    return {6: 5, 7: 7}.get(step.number, 0) in progress.reached


def choose_person(step: Step, progress: Progress) -> str:
    """Who is put on the reader: at the ninth step the next one who has not been seen."""
    if step.number != 9:
        return step.person
    return next((person for name, person in TRIO.items() if name not in progress.trio), step.person)
