"""The operations that answer a stream of lines: many certificates, or the client's own linked persons."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from kiosk_web.services.api.answers import NotPermitted
from kiosk_web.services.lists.batches import BatchRunning, ListBatches
from kiosk_web.web.api import requests as r
from kiosk_web.web.api.admission import Admission, Handler
from kiosk_web.web.api.answers import name_problem
from kiosk_web.web.api.line_stream import LineStream
from kiosk_web.web.api.operations import CERTIFICATES, NDJSON, PERSONS, Operation
from kiosk_web.web.api.problems import ProblemRaised


@dataclass(frozen=True)
class BatchHandlers:
    admission: Admission
    batches: ListBatches

    def handlers(self) -> Mapping[Operation, Handler]:
        return {CERTIFICATES: self.check_certificates, PERSONS: self.check_persons}

    async def check_certificates(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        r.require_media_type(request, NDJSON)
        r.refuse_query(request)
        return self._stream(self.batches.check_certificates(client, self._read(request)))

    async def check_persons(self, request: Request) -> Response:
        client = await self.admission.admit(request)
        r.require_media_type(request, NDJSON)
        system = r.read_query(request, PERSONS.query[0])
        return self._stream(self.batches.check_persons(client, system, self._read(request)))

    def _read(self, request: Request) -> AsyncGenerator[bytes]:
        return r.read_stream(request, self.admission.body_seconds)

    def _stream(self, answer: AsyncGenerator[bytes] | NotPermitted | BatchRunning) -> Response:
        match answer:
            case NotPermitted():
                raise ProblemRaised(name_problem(answer), headers=r.CLOSE)
            case BatchRunning():
                raise ProblemRaised("batch_running", headers=r.CLOSE)
            case _:
                return LineStream(answer, self.admission.body_seconds)
