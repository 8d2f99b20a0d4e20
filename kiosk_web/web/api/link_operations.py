"""The operations on links, as data (`docs/api.md`, Links)."""

from __future__ import annotations

from kiosk_web.web.api import models as m
from kiosk_web.web.api.operation import ALWAYS_CODES, BODY_CODES, CLIENT_CODES, JSON, Operation, QueryField

_LINK_FIELDS = (
    QueryField("system", "The cooperating system.", "^[a-z][a-z0-9-]{0,31}$"),
    QueryField("identifier", "The person's PPID in this system; of a library the MyKey ID.", "^[2-9A-HJ-NP-Z]{8,24}$"),
)
REASON = QueryField(
    "Kiosk-Reason",
    "Why, for the record of staff: up to 200 signs of ASCII, others percent-encoded in UTF-8. No name of a person.",
    "^(?:[!-$&-~]|%[89A-F][0-9A-F])(?:[ -$&-~]|%[0-9A-F]{2}){0,199}$",
)
IF_MATCH = QueryField("If-Match", "The `ETag` of the link that is meant.", '^"[A-Za-z0-9_-]{22}"$', required=False)
IF_NONE_MATCH = QueryField("If-None-Match", "`*`: only where there is no link yet.", r"^\*$", required=False)
_LINK_CODES = (
    *ALWAYS_CODES,
    *CLIENT_CODES,
    "system_not_permitted",
    "system_not_in_use",
    "links_not_permitted",
    "links_kept_elsewhere",
)
_LINK_PATH = "/systems/{system}/links/{identifier}"
READ_LINK = Operation(
    id="readLink",
    method="GET",
    path=_LINK_PATH,
    summary="Read the user number under one identifier",
    description=(
        "For systems whose links are kept here. The very identifier must be known: there is no list of links and no "
        "search. Every attempt is recorded with its reason."
    ),
    media_type=None,
    request=None,
    form=(),
    status=200,
    answer=m.LinkAnswer,
    answer_type=JSON,
    codes=(*_LINK_CODES, "link_unknown"),
    path_fields=_LINK_FIELDS,
    headers=(REASON,),
    tagged=True,
)
PUT_LINK = Operation(
    id="putLink",
    method="PUT",
    path=_LINK_PATH,
    summary="Link a user number to an identifier",
    description=(
        "`If-None-Match: *` makes a link where there is none, `If-Match` with the `ETag` gives it another number. A "
        "number that is another person's is refused, and whose it is is not told."
    ),
    media_type=JSON,
    request=m.LinkRequest,
    form=(),
    status=200,
    created=201,
    answer=m.LinkAnswer,
    answer_type=JSON,
    codes=(
        *_LINK_CODES,
        *BODY_CODES,
        "identifier_unknown",
        "number_taken",
        "precondition_failed",
        "number_malformed",
        "number_check_digit",
        "number_not_listed",
        "precondition_required",
    ),
    path_fields=_LINK_FIELDS,
    headers=(REASON, IF_MATCH, IF_NONE_MATCH),
    tagged=True,
)
END_LINK = Operation(
    id="endLink",
    method="DELETE",
    path=_LINK_PATH,
    summary="End the link under an identifier",
    description="The identifier stays the person's; the number is free again.",
    media_type=None,
    request=None,
    form=(),
    status=204,
    answer=None,
    answer_type="",
    codes=(*_LINK_CODES, "link_unknown", "precondition_failed", "precondition_required"),
    path_fields=_LINK_FIELDS,
    headers=(REASON, IF_MATCH),
)
