"""What an import did, or would do, for people and for programs."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from hatsize.cli.invocation import invocation
from hatsize.cli.output import formatted, show_table
from hatsize.importing.findings import Findings
from hatsize.tailnet.model import Change


@dataclass(frozen=True, slots=True)
class Report:
    """The outcome of an import."""

    findings: Findings
    change: Change | None
    """What was, or would be, written; None when all was there already."""
    settings: Path
    """The settings file of the server it makes."""
    dry_run: bool

    def plain(self) -> dict[str, Any]:
        """The report as JSON values."""
        written = Counter(record.table for record in self.change.puts) if self.change else Counter[str]()
        removed = len(self.change.deletes) if self.change else 0
        return {
            "dry_run": self.dry_run,
            **self.findings.plain(),
            "written": dict(written),
            "removed": removed,
            "settings": str(self.settings),
        }


def show_report(report: Report) -> None:
    """Print what comes over, what is the matter with what, and what to do next."""
    if invocation().output:
        click.echo(formatted(report.plain(), invocation().output))
        return
    counts = report.findings.counts.items()
    rows = [[what, str(count.found), str(count.imported), str(count.found - count.imported)] for what, count in counts]
    show_table([], ["", "In Headscale", "Come over", "Stay behind"], rows)
    if report.findings.told:
        click.echo()
        told = [[each.kind.value, each.what, each.text] for each in report.findings.told]
        show_table([], ["", "What", "Why"], told)
    click.echo()
    click.echo(_next(report))


def _next(report: Report) -> str:
    if report.dry_run:
        return "Nothing was changed: this was a dry run. Without --dry-run it is done."
    done = "Imported." if report.change else "Imported before: nothing is new."
    return f"{done} Start the server with: hatsize serve -c {report.settings}"
