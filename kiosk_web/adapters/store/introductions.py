"""Introductions in the database. Steps and reports are added and never changed."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete, insert, select

from kiosk_web.adapters.store.introduction_schema import introduction_steps, introductions, linkage_reports
from kiosk_web.adapters.store.statements import Statements
from kiosk_web.identity.introduction import Introduction, LinkageReport
from kiosk_web.services.ports.introductions import IntroductionStep


class SqlIntroductionRows:
    """Implements `services.ports.introductions.IntroductionRows`."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection

    async def load_all(self) -> Mapping[str, Introduction]:
        rows = await self._connection.execute(select(introductions))
        return {row.system: Introduction(row.system, row.stage, row.pledged_on) for row in rows}

    async def find(self, system: str) -> Introduction | None:
        return (await self.load_all()).get(system)

    async def save(self, introduction: Introduction, step: IntroductionStep) -> None:
        await self._connection.execute(delete(introductions).where(introductions.c.system == introduction.system))
        await self._connection.execute(
            insert(introductions).values(
                system=introduction.system, stage=introduction.stage, pledged_on=introduction.pledged_on
            )
        )
        await self._connection.execute(
            insert(introduction_steps).values(
                system=step.system, stage=step.stage, at=step.at, by=step.by, note=step.note
            )
        )

    async def list_steps(self, system: str) -> tuple[IntroductionStep, ...]:
        table = introduction_steps
        rows = await self._connection.execute(select(table).where(table.c.system == system).order_by(table.c.id))
        return tuple(IntroductionStep(row.system, row.stage, row.at, row.by, row.note) for row in rows)

    async def add_report(self, report: LinkageReport) -> None:
        await self._connection.execute(
            insert(linkage_reports).values(
                system=report.system,
                passed=report.passed,
                sha256=report.sha256,
                tested_at=report.tested_at,
                deployment=report.deployment,
                profiles=" ".join(sorted(report.profiles)),
            )
        )

    async def find_report(self, system: str) -> LinkageReport | None:
        table = linkage_reports
        query = select(table).where(table.c.system == system).order_by(table.c.id.desc()).limit(1)
        row = (await self._connection.execute(query)).first()
        if row is None:
            return None
        profiles = frozenset(row.profiles.split())
        return LinkageReport(row.system, row.passed, row.sha256, row.tested_at, row.deployment, profiles)
