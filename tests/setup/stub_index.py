"""A package index in a folder, of stubs: the metadata of what is installed here, and a newer release of each."""

import base64
import hashlib
import io
import tarfile
import zipfile
from importlib.metadata import metadata
from pathlib import Path

NEWER = "9999"
# A source archive's own build backend, which does no more than give the metadata.
BACKEND = """
from pathlib import Path

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    name = "{stem}.dist-info"
    target = Path(folder, name)
    target.mkdir()
    (target / "METADATA").write_text(Path("PKG-INFO").read_text())
    return name
"""
PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'


class StubIndex:
    """What `--index-url` can name; :meth:`add` says the hash that a file of pins has to have for it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = folder.as_uri()

    def add(self, name: str, version: str, *, source_only: bool = False) -> str:
        """Publish this version of the installed package ``name``, and a newer one; the hash of the former's file."""
        folder = self._folder / name
        folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for each in (version, NEWER):
            stem = f"{name.replace('-', '_')}-{each}"
            about = _about(name, each)
            if source_only:
                files[f"{stem}.tar.gz"] = _source_archive(stem, about)
            else:
                files[f"{stem}-py3-none-any.whl"] = _wheel(stem, about)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        links = "".join(f'<a href="{file}">{file}</a>\n' for file in files)
        (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>\n{links}</body></html>\n", "utf-8")
        return hashlib.sha256(next(iter(files.values()))).hexdigest()


def _about(name: str, version: str) -> str:
    installed = metadata(name)
    lines = [
        f"{field}: {value}" for field in ("Provides-Extra", "Requires-Dist") for value in installed.get_all(field) or []
    ]
    return "\n".join(["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *lines, ""])


def _wheel(stem: str, about: str) -> bytes:
    folder = f"{stem}.dist-info"
    content = {
        f"{folder}/METADATA": about,
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nGenerator: stub\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_digest(text)},{len(text.encode())}" for path, text in content.items()]
    content[f"{folder}/RECORD"] = "\n".join([*record, f"{folder}/RECORD,,", ""])
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in content.items():
            archive.writestr(path, text)
    return made.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def _source_archive(stem: str, about: str) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for path, text in {
            "PKG-INFO": about,
            "pyproject.toml": PYPROJECT,
            "backend.py": BACKEND.format(stem=stem),
        }.items():
            member = tarfile.TarInfo(f"{stem}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return made.getvalue()
