"""Reads a Git repository's objects by plumbing commands: nothing is checked out, and nothing of a branch runs (REC-11).

Hooks, filters, text conversions and file-system monitors belong to commands that touch a working tree; none is used.
Missing objects of a partial clone are not fetched, because fetching runs what the repository's settings name.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orgsync_reconcile.errors import OrgsyncError, UsageError
from orgsync_reconcile.manifest.findings import shown

#: Bytes of one answer of Git that are read; a longer one is hostile or no repository of manifests.
ANSWER_LIMIT: Final = 64 * 1024 * 1024
#: How long Git may take for one question, in seconds.
PATIENCE: Final = 60
#: Whatever a repository's settings say: no program of theirs is started, nothing is fetched, nothing is replaced.
_SAFE: Final = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_QUIET: Final = ("--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class GitError(OrgsyncError):
    """Git is missing, or this is no repository, or a revision or its history is not here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of a tree: its path relative to that tree, its mode as Git writes it, its object and size in bytes."""

    path: str
    mode: str
    object: str
    size: int

    @property
    def is_file(self) -> bool:
        """A regular file, executable or not."""
        return self.mode.startswith("100")

    @property
    def is_link(self) -> bool:
        """A symbolic link; its object holds where it points to."""
        return self.mode == "120000"


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """The repository around a folder. `prefix` is that folder's path from the repository's root, "" or ending in /."""

    folder: Path
    prefix: str
    bare: bool

    @classmethod
    def around(cls, folder: Path) -> Repository:
        """The repository that `folder` belongs to. Raises GitError where there is none."""
        answer = _git(folder, "rev-parse", "--is-bare-repository", "--show-prefix", fail=False)
        if answer is None:
            raise GitError(
                "there is no Git repository here", where=str(folder), hint="name one with --dir, or run: git init"
            )
        bare, _, prefix = answer.decode(errors="surrogateescape").partition("\n")
        return cls(folder=folder, prefix=prefix.rstrip("\n"), bare=bare == "true")

    def commit(self, revision: str) -> str:
        """The commit that a branch, tag or hash names. Raises GitError with the command that fetches it."""
        found = self._object(f"{revision}^{{commit}}") if "\0" not in revision else None
        if found is None:
            raise GitError(f"there is no revision {shown(revision)} here", hint=self._fetch(revision))
        return found

    def _object(self, name: str) -> str | None:
        """The object that a name stands for, whatever it begins with, or None."""
        answer = self._ask("rev-parse", "--verify", "--quiet", "--end-of-options", name, fail=False)
        found = (answer or b"").decode().strip()
        return found if _OBJECT_ID.fullmatch(found) else None

    def merge_base(self, base: str, head: str, names: tuple[str, str]) -> str:
        """The commit at which two commits parted. Raises GitError with the command where history does not reach it."""
        answer = self._ask("merge-base", base, head, fail=False)
        found = (answer or b"").decode().strip()
        if _OBJECT_ID.fullmatch(found):
            return found
        hint = (
            "fetch the history with: git fetch --unshallow"
            if self.shallow
            else "name a base that the branch was started from"
        )
        raise GitError(f"{shown(names[0])} and {shown(names[1])} have no common commit here", hint=hint)

    @property
    def shallow(self) -> bool:
        """Whether the clone's history was cut off."""
        return (self._ask("rev-parse", "--is-shallow-repository", fail=False) or b"").strip() == b"true"

    def behind(self, base: str, head: str) -> int:
        """How many commits of `base` are not in `head`."""
        return int(self._ask("rev-list", "--count", base, f"^{head}") or b"0")

    def tree(self, commit: str, path: str) -> str | None:
        """The tree at `path` (from the root, "" for the root itself) of a commit, or None where there is none."""
        found = self._object(f"{commit}:{path}")
        return found and self._object(f"{found}^{{tree}}")

    def entry(self, commit: str, path: str) -> Entry | None:
        """What stands at `path` (from the root) of a commit, or None."""
        answer = self._ask("--literal-pathspecs", "ls-tree", "-z", "-l", "--full-tree", commit, "--", path, fail=False)
        return next(_entries(answer or b""), None)

    def staged(self, path: str) -> Entry | None:
        """What stands at `path` (from the root) of the index as a file or link, or None."""
        answer = self._ask("ls-files", "-s", "-z", "--full-name", "--", f":(top,literal){path}", fail=False)
        for line in (answer or b"").split(b"\0"):
            facts, _, name = line.partition(b"\t")
            if name == os.fsencode(path):
                mode, found, _ = facts.decode().split()
                return Entry(path=path, mode=mode, object=found, size=0)
        return None

    def entries(self, tree: str) -> Iterator[Entry]:
        """All files, links and submodules below a tree."""
        return _entries(self._ask("ls-tree", "-r", "-z", "-l", "--full-tree", tree) or b"")

    def contents(self, objects: Iterable[str]) -> dict[str, bytes]:
        """Object -> its bytes, all by one Git. Raises GitError where one is not here."""
        wanted = list(dict.fromkeys(objects))
        if not wanted:
            return {}
        answer = self._ask("cat-file", "--batch", data="".join(f"{item}\n" for item in wanted).encode())
        return dict(_batch(answer or b"", len(wanted)))

    def _ask(self, *arguments: str, data: bytes = b"", fail: bool = True) -> bytes | None:
        return _git(self.folder, *arguments, data=data, fail=fail)

    def _fetch(self, revision: str) -> str:
        remote, slash, branch = revision.partition("/")
        known = (self._ask("remote", fail=False) or b"").decode(errors="replace").split()
        if slash and remote in known and not branch.startswith("-"):
            return f"fetch it with: {shlex.join(['git', 'fetch', remote, branch])}"
        if known and re.fullmatch(r"[\w./]+[\w./-]*", revision):
            return f"fetch it with: {shlex.join(['git', 'fetch', known[0], revision])}"
        return "name a branch, a tag or a commit; git log shows them"


def _git(folder: Path, *arguments: str, data: bytes = b"", fail: bool = True) -> bytes | None:
    """What Git answers; None where it refuses and `fail` is off. Raises GitError."""
    program = shutil.which("git")
    if program is None:
        raise GitError("the program git is not there", hint="install Git")
    try:
        with subprocess.Popen(
            [program, *_QUIET, *arguments],
            cwd=folder,
            env={**os.environ, **_SAFE},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                answer, complaint = process.communicate(data, timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise GitError(f"git {arguments[0]} took more than {PATIENCE} seconds") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"git cannot be run: {error}", where=str(folder)) from None
    if process.returncode == 0 and len(answer) <= ANSWER_LIMIT:
        return answer
    if process.returncode == 0:
        raise GitError(f"git {arguments[0]} answers with more than {ANSWER_LIMIT} bytes")
    text = " ".join(complaint.decode(errors="replace").split())
    if "dubious ownership" in text:
        raise GitError(
            "Git does not trust this repository, which belongs to another user",
            where=str(folder),
            hint=f"if you do: {shlex.join(['git', 'config', '--global', '--add', 'safe.directory', str(folder.resolve())])}",
        )
    if not fail:
        return None
    raise GitError(f"git {arguments[0]} failed: {text[:300]}", hint="see that the clone is complete: git fsck")


def _entries(listing: bytes) -> Iterator[Entry]:
    for line in listing.split(b"\0"):
        if not line:
            continue
        facts, _, path = line.partition(b"\t")
        mode, _, name, size = facts.decode().split()
        yield Entry(
            path=path.decode(errors="surrogateescape"),
            mode=mode,
            object=name,
            size=int(size) if size.isdigit() else 0,
        )


def _batch(answer: bytes, count: int) -> Iterator[tuple[str, bytes]]:
    position = 0
    for _ in range(count):
        end = answer.index(b"\n", position)
        words = answer[position:end].decode().split()
        if len(words) != 3:
            raise GitError(
                f"an object of the repository is not here: {words[0]}", hint="fetch it with: git fetch --refetch"
            )
        start, size = end + 1, int(words[2])
        yield words[0], answer[start : start + size]
        position = start + size + 1
