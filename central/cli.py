"""The ``central`` command: serve, seed, codes, keeping (backup, restore, rotate-key), manage."""

import argparse
import json
import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from central import datafolder
from central.errors import CentralError
from station.plain_text import one_line
from station.version import version_and_commit

if TYPE_CHECKING:
    from central.actions.rotation import RotationState

DESCRIPTION = "The central server of sync stations: staff, keys, areas, permits and events of a site."


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0 done, 1 refused or failed, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        if find_spec("django") is None:
            raise CentralError("not_installed", reason="Django is missing: install the extra `central`")
        datafolder.prepare(Path(options.data or datafolder.folder()))
        os.environ["DJANGO_SETTINGS_MODULE"] = "central.settings"
        _check_database_url()
        import django  # noqa: PLC0415  (only now is there a data folder)

        django.setup()
        if options.run is not _restore:
            from central.signing.sealing import check_master_key  # noqa: PLC0415

            check_master_key()
        return int(options.run(options))
    except CentralError as error:
        print(f"central: {one_line(error)}", file=sys.stderr)
        return 1


def _check_database_url() -> None:
    url = os.environ.get("DATABASE_URL")
    try:
        if url and find_spec("psycopg") is None:
            raise CentralError("database_url", reason="psycopg is not installed (the extra `postgresql`)")
        # Its settings are read on import: only now is there a data folder.
        import_module("central.settings")
    except ValueError as error:
        raise CentralError("database_url", reason=error) from error


class _TellVersion(argparse.Action):
    """``--version``: says version and commit, and ends. argparse's own would ask git at every start."""

    def __init__(self, option_strings: list[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="say version and commit")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"central {version_and_commit()}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="central", description=DESCRIPTION, epilog="example: central seed && central serve --port 8440"
    )
    parser.add_argument("--version", action=_TellVersion)
    commands = parser.add_subparsers(dest="command", required=True)

    def command(name: str, run: Any, text: str, example: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, epilog=f"example: {example}")
        sub.add_argument("--data", metavar="DIR", help="data folder (default: $CENTRAL_DATA, else ./central-data)")
        sub.set_defaults(run=run)
        return sub

    serve = command("serve", _serve, "Serve the stations' API and the admin page.", "central serve --port 8440")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8440, help="0: any free port (default: %(default)s)")
    serve.add_argument("--workers", type=int, help="processes (default: one a core; with SQLite there is one)")
    serve.add_argument("--threads", type=int, help="of each process, for the database's work (default: 4)")
    seed = command("seed", _seed, "Fill an empty data folder with invented sample data.", "central seed --json")
    seed.add_argument("--keys", metavar="DIR", help="write each sample key's record to DIR/<key number>/id")
    seed.add_argument("--json", action="store_true", help="print one JSON object")
    seed.add_argument("--serve", type=int, metavar="PORT", help="then serve it there, as `central serve --port PORT`")
    enrol = command("enrol-code", _enrol_code, "A new one-time code for a station.", "central enrol-code --station 1")
    enrol.add_argument("--station", type=int, required=True, metavar="N")
    enrol.add_argument("--site", type=int, default=1, metavar="N")
    hand_out = command(
        "provision-code", _provision_code, "A one-time code for a key.", "central provision-code --key 9"
    )
    hand_out.add_argument("--key", type=int, required=True, metavar="N")
    hand_out.add_argument("--site", type=int, default=1, metavar="N")
    keep = command("backup", _backup, "Everything into one file, secrets included.", "central backup /safe/central.tar")
    keep.add_argument("file", metavar="FILE", help="written anew with mode 0600; must not exist")
    back = command(
        "restore",
        _restore,
        "A backup takes the place of what is there, closed to stations.",
        "central restore /safe/central.tar",
    )
    back.add_argument("file", metavar="FILE")
    back.add_argument("--replace", action="store_true", help="throw away what is there")
    rotate = command(
        "rotate-key", _rotate_key, "Change a site's central key, step by step.", "central rotate-key begin"
    )
    rotate.add_argument("step", choices=["status", "begin", "sign", "current", "retire"])
    rotate.add_argument("--site", type=int, default=1, metavar="N")
    rotate.add_argument("--force", action="store_true", help="although something would lose service")
    manage = command("manage", _manage, "Django's own commands.", "central manage createsuperuser")
    manage.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND …")
    return parser


def _serve(options: argparse.Namespace) -> int:
    return _serve_on(options.host, options.port, options.workers, options.threads)


def _serve_on(host: str, port: int, workers: int | None = None, threads: int | None = None) -> int:
    from central.operations.budget import check_connections  # noqa: PLC0415
    from central.operations.database import bring_up_to_date  # noqa: PLC0415
    from central.operations.sizes import sizes  # noqa: PLC0415
    from central.serving.serve import serve  # noqa: PLC0415
    from central.wsgi import application  # noqa: PLC0415

    fitting = sizes(workers, threads)
    datafolder.lock_shared()
    bring_up_to_date()
    if said := check_connections(fitting.workers, fitting.threads):
        print(f"central: {said}", file=sys.stderr, flush=True)
    return serve(application, host, port, fitting)


def _seed(options: argparse.Namespace) -> int:
    from central.operations.database import bring_up_to_date  # noqa: PLC0415
    from central.operations.sample.seed import seed  # noqa: PLC0415

    bring_up_to_date()
    summary = seed(Path(options.keys) if options.keys else None)
    if options.json:
        print(json.dumps(summary, ensure_ascii=False), flush=True)
    else:
        _tell_sample(summary)
    return 0 if options.serve is None else _serve_on("127.0.0.1", options.serve)


def _tell_sample(summary: dict[str, Any]) -> None:
    print(f"Sample data is in {datafolder.folder()}. Some of its people, all invented:\n")
    print(f"  {'name':<24}{'PIN':<10}{'key':<7}unit")
    for person in summary["people"][:8]:
        print(f"  {person['name']:<24}{person['pin']:<10}{person['key'] or '-':<7}{person['unit']}")
    print(f"\nEnrolment code of station 1, good for 15 minutes: {summary['enrol_code']}")


def _enrol_code(options: argparse.Namespace) -> int:
    from central.actions.codes import new_enrolment_code  # noqa: PLC0415
    from central.models import Station  # noqa: PLC0415

    station = Station.objects.filter(site__number=options.site, number=options.station).first()
    if station is None:
        raise CentralError("unknown_station", site=options.site, station=options.station)
    print(new_enrolment_code(station))
    return 0


def _provision_code(options: argparse.Namespace) -> int:
    from central.actions.hand_out import new_provision_code  # noqa: PLC0415
    from central.models import Key  # noqa: PLC0415

    key = Key.objects.filter(site__number=options.site, number=options.key).first()
    if key is None:
        raise CentralError("unknown_key", site=options.site, key=options.key)
    print(new_provision_code(key))
    return 0


def _backup(options: argparse.Namespace) -> int:
    from central.operations.backup import backup  # noqa: PLC0415

    backup(Path(options.file))
    return 0


def _restore(options: argparse.Namespace) -> int:
    from central.operations.earlier_state import cautions  # noqa: PLC0415
    from central.operations.restore import restore  # noqa: PLC0415

    undone = restore(Path(options.file), replace=options.replace)
    print("restored, and closed to stations; next: central manage open_after_restore", *undone, *cautions(), sep="\n")
    return 0


def _rotate_key(options: argparse.Namespace) -> int:
    from central.actions import rotation  # noqa: PLC0415
    from central.clock import unix_now  # noqa: PLC0415
    from central.models import Site  # noqa: PLC0415

    site = Site.objects.filter(number=options.site).first()
    if site is None:
        raise CentralError("unknown_site", site=options.site)
    match options.step:
        case "begin":
            rotation.begin(site, unix_now())
            print("make a backup now: one from before this step is of no use to the stations any more")
        case "sign":
            print(f"{rotation.sign_anew(site, unix_now(), force=options.force)} records signed anew")
        case "current":
            before = rotation.rotation_state(site)
            rotation.make_current(site, force=options.force)
            print("make a backup now: the one before this step would sign what stations no longer take")
            _print_left("lose service until they are enrolled or handed out anew", before)
        case "retire":
            rotation.retire(site, force=options.force)
        case _:
            pass
    at = rotation.rotation_state(site)
    print(f"site {site.number}: {at.step}")
    _print_left(LEFT.get(at.step, ""), at)
    return 0


LEFT = {
    "begun": "do not know the next key",
    "signed": "still carry what the old key signed",
    "current": "still carry what the old key signed, or do not know that it no longer signs",
}


def _print_left(what: str, at: "RotationState") -> None:
    """How many stations and keys are not ready for the next step, and which."""
    for name, numbers, count in (("stations", at.stations, at.all_stations), ("keys", at.keys, at.all_keys)):
        if numbers:
            print(f"  {len(numbers)} of {count} {name} {what}: {' '.join(map(str, numbers))}")


def _manage(options: argparse.Namespace) -> int:
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    execute_from_command_line(["central manage", *(options.arguments or ["help"])])
    return 0


if __name__ == "__main__":
    sys.exit(main())
