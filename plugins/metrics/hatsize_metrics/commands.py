"""`hatsize metrics`: what goes with the metrics, ready to be loaded elsewhere."""

from importlib.resources import files

import click


@click.group("metrics")
def metrics() -> None:
    """Print what goes with the metrics."""


@metrics.command("rules")
def rules() -> None:
    """Print recording and alert rules, for Prometheus."""
    click.echo(_shared("rules.yml"), nl=False)


@metrics.command("dashboard")
def dashboard() -> None:
    """Print a dashboard, for Grafana."""
    click.echo(_shared("dashboard.json"), nl=False)


def _shared(name: str) -> str:
    return files("hatsize_metrics").joinpath("share", name).read_text("utf-8")
