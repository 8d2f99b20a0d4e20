"""The operations on readings at a terminal: ask for one, follow it, take it back; pick the basic 4 information up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.services.api.answers import NotPermitted
from kiosk_web.services.api.kept_replies import Reply
from kiosk_web.services.ports.readings import ReadingRecord
from kiosk_web.services.readings.basic_four import BasicFourService
from kiosk_web.services.readings.receipts import ReceiptService
from kiosk_web.services.readings.redirects import RedirectService, WantedReturn
from kiosk_web.services.readings.requests import ReadingRefused, ReadingRequest, ReadingService, ToldResult
from kiosk_web.web.api import models as m
from kiosk_web.web.api import requests as r
from kiosk_web.web.api.admission import Admission, Handler
from kiosk_web.web.api.answers import build_refusal, render
from kiosk_web.web.api.operations import (
    ACKNOWLEDGE,
    CANCEL_READING,
    KEYS,
    READING,
    REDEEM_READING,
    REQUEST_READING,
    SHOW_READING,
    Operation,
)
from kiosk_web.web.api.problems import ProblemRaised


@dataclass(frozen=True)
class ReadingHandlers:
    admission: Admission
    sealed: BasicFourService
    readings: ReadingService
    redirects: RedirectService
    receipts: ReceiptService

    def handlers(self) -> Mapping[Operation, Handler]:
        return {
            READING: self.take_reading,
            REQUEST_READING: self.request_reading,
            SHOW_READING: self.show_reading,
            CANCEL_READING: self.cancel_reading,
            REDEEM_READING: self.redeem_reading,
            ACKNOWLEDGE: self.acknowledge,
            KEYS: self.show_keys,
        }

    async def take_reading(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        asked = r.read_model(await self.admission.read_json(request), m.ReadingRequest)
        taken = await self.sealed.take_reading(client, asked.system, asked.reference)
        if isinstance(taken, NotPermitted):
            raise ProblemRaised(f"{taken.what}_not_permitted")
        if taken is None or taken.receipt is None:
            raise ProblemRaised("reading_not_available")
        answer = m.ReadingAnswer(
            reading=taken.id,
            reference=taken.reference,
            system=taken.system,
            created_at=taken.created_at,
            jwe=taken.jwe,
            receipt=taken.receipt,
        )
        return render(READING.status, answer)

    async def acknowledge(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        asked = r.read_model(await self.admission.read_json(request), m.ReceiptCall)
        if not await self.receipts.acknowledge(client, asked.receipt):
            raise ProblemRaised("receipt_unknown")
        return Response(status_code=ACKNOWLEDGE.status)

    async def request_reading(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        body = await self.admission.read_json(request)
        asked = r.read_model(body, m.ReadingCall)

        async def work() -> Reply:
            title = asked.title or m.ReadingTitle(ja="", en="")
            wanted = ReadingRequest(
                asked.system, asked.service, asked.terminal, asked.nonce, title.ja, title.en, asked.basic_four
            )
            if asked.redirect is not None:
                how = asked.redirect
                back = WantedReturn(how.redirect_uri, how.state, how.code_challenge)
                awaited = await self.redirects.request(client, wanted, back)
                if isinstance(awaited, ReadingRefused):
                    return build_refusal(request, awaited.why)
                told = _build_progress(awaited.record, authorization_uri=awaited.authorization_uri)
                return Reply(REQUEST_READING.status, told.model_dump_json())
            answer = await self.readings.request(client, wanted)
            if isinstance(answer, ReadingRefused):
                return build_refusal(request, answer.why)
            return Reply(REQUEST_READING.status, _build_progress(answer).model_dump_json())

        return await self.admission.answer_once(request, client, REQUEST_READING, body, work)

    async def show_reading(self, request: Request) -> Response:
        """A result is first taken only for somebody who is still there to get it."""
        client = await self.admission.admit(request)
        wait = r.read_query(request, SHOW_READING.query[0])
        record = await self.readings.find(client, r.read_path(request, SHOW_READING.path_fields[0]), int(wait or 0))
        if record is None:
            raise ProblemRaised("reading_unknown")
        told = None
        if record.state == "done" and not await request.is_disconnected():
            told = await self.readings.take_result(record)
            if told is None and not record.redirected:
                raise ProblemRaised("reading_delivered")
        return render(SHOW_READING.status, _build_progress(record, told))

    async def cancel_reading(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        r.refuse_query(request)
        record = await self.readings.cancel(client, r.read_path(request, CANCEL_READING.path_fields[0]))
        if record is None:
            raise ProblemRaised("reading_unknown")
        return render(CANCEL_READING.status, _build_progress(record))

    async def redeem_reading(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        asked = r.read_model(await self.admission.read_json(request), m.RedirectedReadingCall)
        redeemed = await self.redirects.redeem(client, asked.code, asked.redirect_uri, asked.code_verifier)
        if redeemed is None:
            raise ProblemRaised("code_refused")
        return render(REDEEM_READING.status, _build_progress(redeemed.record, redeemed.told))

    async def show_keys(self, request: Request) -> Response:
        r.refuse_query(request)
        return render(KEYS.status, m.KeySet.model_validate(self.readings.build_key_set()))


def _build_progress(
    record: ReadingRecord, told: ToldResult | None = None, authorization_uri: str | None = None
) -> m.ReadingProgress:
    return m.ReadingProgress(
        id=record.id,
        state=record.state,
        expires_at=record.expires_at,
        result=None if told is None else told.result,
        receipt=None if told is None else told.receipt,
        authorization_uri=authorization_uri,
    )
