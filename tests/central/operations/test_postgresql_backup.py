"""`central backup` and `restore` with a real PostgreSQL: whole or not at all, and never unnoticed."""

import io
import os
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from central.errors import CentralError
from central.operations import postgresql_tools
from tests.central import postgresql, served
from tests.central.served import seeded_on_postgresql

slow = pytest.mark.slow
COUNT = "SELECT count(*) FROM central_key WHERE status = 'blocked'"
IS_CLOSED = "SELECT count(*) FROM central_serverfact WHERE name = 'restored_at'"


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A seeded data folder; the address of its PostgreSQL is in the environment."""
    with (
        seeded_on_postgresql(tmp_path_factory.mktemp("backup") / "data") as data,
        pytest.MonkeyPatch.context() as patch,
    ):
        # Nobody asks for it here; it must not be seen all the same.
        patch.setenv("DATABASE_URL", os.environ["DATABASE_URL"].replace("central@", "central:geheim@"))
        yield data


def run(*words: str, status: int = 0) -> str:
    said = served.run(*words, status=status)
    assert "geheim" not in said
    return said


def ask(statement: str, database: str = "central") -> int:
    url = os.environ["DATABASE_URL"].replace("/central?", f"/{database}?")
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall()[0][0] if cursor.description else 0


def with_another_dump(file: Path, target: Path, cut_bytes: int) -> Path:
    """A copy of the archive whose dump ends early."""
    with tarfile.open(file) as source, tarfile.open(target, "w") as out:
        for member in source:
            content = source.extractfile(member)
            assert content is not None
            data = content.read()
            if member.name == "central.pgdump":
                data = data[:-cut_bytes]
                member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    return target


@slow
def test_a_restore_is_whole_or_changes_nothing(seeded: Path, tmp_path: Path) -> None:
    file = tmp_path / "central.tar"
    run("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as archive:
        assert archive.getnames() == ["manifest.json", "central.pgdump", "master.key"]
    assert "a file of that name" in run("backup", str(file), status=1)
    blocked = ask(COUNT)
    run("manage", "block_key", "5002")
    ask("CREATE TABLE of_a_later_version (number int REFERENCES central_site)")
    key = (seeded / "master.key").read_bytes()

    assert "not_empty" in run("restore", str(file), status=1)
    with psycopg.connect(os.environ["DATABASE_URL"]):
        assert "stop every server that uses it" in run("restore", str(file), "--replace", status=1)
    # It is read to its end before anything is done for good.
    cut = with_another_dump(file, tmp_path / "cut.tar", 2000)
    assert "central: restore reason=pg_restore: error" in run("restore", str(cut), "--replace", status=1)
    assert (ask(COUNT), ask(IS_CLOSED), ask("SELECT count(*) FROM of_a_later_version")) == (blocked + 1, 0, 0)
    assert [path.name for path in seeded.iterdir() if path.name.startswith(".")] == []

    assert "closed to stations" in run("restore", str(file), "--replace")
    assert (ask(COUNT), ask(IS_CLOSED), ask("SELECT count(*) FROM django_session")) == (blocked, 1, 0)
    assert ask("SELECT count(*) FROM pg_class WHERE relname = 'of_a_later_version'") == 0
    assert (seeded / "master.key").read_bytes() == key
    assert "signed anew" in run("manage", "open_after_restore", "--yes")
    assert ask(IS_CLOSED) == 0

    # Into an empty database and a new folder, as on a new machine; nobody has to say --replace.
    ask("CREATE DATABASE another")
    url = os.environ["DATABASE_URL"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", url.replace("/central?", "/another?"))
        patch.setenv("CENTRAL_DATA", str(tmp_path / "new"))
        run("restore", str(file))
        assert (tmp_path / "new" / "master.key").read_bytes() == key
        run("manage", "open_after_restore", "--yes")


@slow
def test_a_dump_that_somebody_has_read_in_is_noticed(seeded: Path, tmp_path: Path) -> None:
    programs = postgresql.programs()
    assert programs is not None
    look = "from central.actions.restored import *; look_where_it_is(5); print(restored_at())"
    run("manage", "shell", "--no-imports", "-c", look)
    url, dump = os.environ["DATABASE_URL"], str(tmp_path / "by.hand")
    for words in (
        ("pg_dump", "--format=custom", f"--file={dump}", url),
        ("pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={url}", dump),
    ):
        subprocess.run([str(programs / words[0]), *words[1:]], check=True, capture_output=True, timeout=60)
    assert ask(IS_CLOSED) == 0
    assert "5" in run("manage", "shell", "--no-imports", "-c", look).splitlines()
    assert (seeded / "master.key").exists()
    run("manage", "open_after_restore", "--yes")


def test_programs_as_new_as_the_server_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def install(folder: Path, version: str) -> Path:
        folder.mkdir(parents=True)
        for name in ("pg_dump", "pg_restore", "psql"):
            (folder / name).write_text(f'#!/bin/sh\necho "{name} (PostgreSQL) {version}"\n', "ascii")
            (folder / name).chmod(0o755)
        return folder

    debian, on_path = tmp_path / "debian", tmp_path / "path"
    monkeypatch.setattr(postgresql_tools, "DEBIAN", debian)
    with pytest.raises(CentralError, match="pg_dump is not installed on this machine"):
        postgresql_tools.tools_for(15, path=str(on_path))
    install(debian / "9.6" / "bin", "9.6.24")
    install(on_path, "14.9 (Debian 14.9-1)")
    with pytest.raises(CentralError, match="pg_dump 14 is older than the server, which is 15"):
        postgresql_tools.tools_for(15, path=str(on_path))
    assert postgresql_tools.tools_for(14, path=str(on_path)) == on_path
    newest = install(debian / "15" / "bin", "15.18")
    install(debian / "13" / "bin", "13.2")
    assert postgresql_tools.tools_for(14, path=str(on_path)) == newest
