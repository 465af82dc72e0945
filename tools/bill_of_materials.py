"""Write a CycloneDX bill of materials of all that requirements/ pins: versions, hashes, licences, and what needs what.

Run in the folder of the source by `make dist`. The same source gives the same bytes: its time is SOURCE_DATE_EPOCH, its
serial number comes from the commit.
"""

import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import files, metadata, requires
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from station.version import VERSION, version_and_commit

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)((?:\s+\\\s+--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)
# A station always has the first; tools and tests come with nothing that is installed.
REQUIRED, OPTIONAL = {"base"}, {"central", "postgresql", "demo"}


def needed(wanted: Iterable[str], environment: Mapping[str, str]) -> dict[str, set[Requirement]]:
    """What is needed for ``wanted``, by who needs it, as the installed packages say; ``""`` needs ``wanted``.

    Extras are followed too. ``environment`` has markers (``python_version``) that differ from this interpreter's.
    """
    found: dict[str, set[Requirement]] = {"": {Requirement(each) for each in wanted}}
    seen: set[tuple[str, str]] = set()
    todo = list(found[""])
    while todo:
        each = todo.pop()
        name = canonicalize_name(each.name)
        for extra in {"", *each.extras} - {extra for known, extra in seen if known == name}:
            seen.add((name, extra))
            further = {
                requirement
                for requirement in map(Requirement, requires(name) or [])
                if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})
            }
            found.setdefault(name, set()).update(further)
            todo += further
    return found


def pinned(source: Path) -> Iterator[tuple[str, str, str, str]]:
    """Name, version, hashes and file of each pin in ``requirements/``, as often as it stands there."""
    for path in sorted((source / "requirements").glob("*.txt")):
        for name, version, hashes in PIN.findall(path.read_text("utf-8")):
            yield name, version, hashes, path.stem


def bill(source: Path) -> Bom:
    """Every pinned package once, with the files of pins that name it."""
    project = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    files: dict[str, set[str]] = {}
    pins: dict[str, tuple[str, str]] = {}
    for name, version, hashes, file in pinned(source):
        files.setdefault(name, set()).add(file)
        pins[name] = version, hashes
    components = {
        name: _component(name, version, re.findall(r"[0-9a-f]{64}", hashes), files[name])
        for name, (version, hashes) in pins.items()
    }
    version = version_and_commit()
    program = Component(
        name=project["name"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        version=VERSION,
        licenses=[LicenseFactory().make_from_string(project["license"])],
        properties=[Property(name="sync-station:version", value=version)],
    )
    time = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    bom = Bom(
        components=components.values(),
        metadata=BomMetaData(component=program, timestamp=time),
        serial_number=uuid5(NAMESPACE_OID, f"{project['name']} {version}"),
    )
    of_the_program = [*project["dependencies"], *(each for name in sorted(OPTIONAL) for each in extras[name])]
    needs = {**needed(pins, {}), **needed(of_the_program, {})}
    for name, component in [("", program), *components.items()]:
        bom.register_dependency(component, {components[canonicalize_name(each.name)] for each in needs[name]})
    return bom


def _component(name: str, version: str, hashes: list[str], files: set[str]) -> Component:
    if files & REQUIRED:
        scope = ComponentScope.REQUIRED
    else:
        scope = ComponentScope.OPTIONAL if files & OPTIONAL else ComponentScope.EXCLUDED
    return Component(
        name=name,
        version=version,
        bom_ref=f"{name}=={version}",
        purl=PackageURL("pypi", name=name, version=version),
        scope=scope,
        # One for each of the version's files: wheels for several kinds of machine, and the source.
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in hashes],
        licenses=[LicenseFactory().make_from_string(licence_text(name))],
        properties=[Property(name="sync-station:requirements", value=",".join(sorted(files)))],
    )


def licence_text(name: str) -> str:
    """A package's licence as it declares it itself: an expression, else a few words, else its classifiers."""
    about = metadata(name)
    declared = next((about[field] for field in ("License-Expression", "License") if field in about), "")
    if declared in {"", "Dual License"} or "\n" in declared:
        classifiers = [each for each in about.get_all("Classifier") or [] if each.startswith("License ::")]
        declared = " or ".join(each.rpartition(" :: ")[2] for each in classifiers)
    if not declared:
        # Only its file says so, in the first line.
        file = next((each for each in files(name) or () if each.name.startswith("LICENSE")), None)
        declared = file.read_text().splitlines()[0] if file is not None else ""
    return declared


def main(folder: Path) -> None:
    """Write the bill into ``folder``."""
    JsonV1Dot6(bill(Path())).output_to_file(str(folder / f"sync_station-{VERSION}.cdx.json"), indent=2)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
