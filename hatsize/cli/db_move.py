"""`hatsize db move`: from one database into another, whatever their engines."""

import click
from sqlalchemy import make_url

from hatsize.builtin.storage.operations.move import move
from hatsize.builtin.storage.plugin import database_of
from hatsize.cli.configured import configured
from hatsize.cli.db_opened import configured_database, in_words, opened, server_stopped, without
from hatsize.cli.db_progress import progress
from hatsize.cli.failures import Failure
from hatsize.cli.output import show


def move_database(url: str) -> None:
    """Copy the configured database into the empty one at a URL; both have one checksum afterwards, or it fails."""
    if "://" not in url:
        raise click.BadParameter("is not a URL; give one such as postgresql://hatsize@db.example.com/hatsize")
    settings = configured()
    with in_words():
        source, target = configured_database(settings), database_of(url, settings.data_dir)
        if source.where == target.where:
            raise Failure(f"{target.where}: is the one in use; name another")
        with server_stopped(settings.data_dir):
            source.refuse_company()
            with opened(source, current=True), progress() as told:
                target.open()
                try:
                    moved = move(source, target, told)
                finally:
                    target.close()
    shown = make_url(url).render_as_string(hide_password=True)
    show(
        {"to": shown, "rows": moved.rows, "checksum": moved.checksum, "left_out": moved.left_out},
        f"Moved {sum(moved.rows.values())} rows; both databases have the checksum {moved.checksum}.\n"
        f'Put database.url = "{shown}" into the settings and start the server; the old database is as it was.'
        + without(moved.left_out),
    )
