"""`hatsize db`: the database of a server, looked at, kept copies of, and moved."""

from pathlib import Path

import click

from hatsize.cli.nouns import Noun

command = Noun("db", help="Look after the database.")
_FILE = click.Path(path_type=Path)


@command.verb("status")
def status() -> None:
    """Tell which database it is, which schema it has, and what it holds."""
    from hatsize.cli.db_status import show_status

    show_status()


@command.verb("check")
def check() -> None:
    """Check that the database holds together; exits 1 when it does not, and tells what is wrong."""
    from hatsize.cli.db_status import show_check

    show_check()


@command.verb("upgrade")
def upgrade() -> None:
    """Bring the schema up to this program's, as a start of the server would."""
    from hatsize.cli.db_upgrade import upgrade_schema

    upgrade_schema()


@command.verb("backup")
@click.argument("file", type=_FILE)
def backup(file: Path) -> None:
    """Write a copy of the database to FILE, while the server goes on; to a name with the time in it for a directory.

    The copy is an SQLite file with all there was at one moment, of PostgreSQL too. It holds secrets, and is readable
    by you alone. The server's private keys lie beside the database, in the data directory.
    """
    from hatsize.cli.db_copies import make_backup

    make_backup(file)


@command.verb("restore")
@click.argument("file", type=_FILE)
def restore(file: Path) -> None:
    """Put the backup FILE in the database's place. The server must be stopped; what was there is kept beside it.

    A PostgreSQL database must be empty.
    """
    from hatsize.cli.db_copies import restore_backup

    restore_backup(file)


@command.verb("move")
@click.argument("url")
def move(url: str) -> None:
    """Copy the database to the empty one at URL, SQLite or PostgreSQL, and compare the two.

    The server must be stopped. Then name URL in the settings' database.url and start it again: to clients it was a
    restart. The old database is not changed. A file is sqlite:///NAME, in the data directory, or sqlite:////PATH.
    """
    from hatsize.cli.db_move import move_database

    move_database(url)
