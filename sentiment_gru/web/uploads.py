"""The quota of uploaded files: the oldest ones make room for a new one, but never those that may be in use."""

import tempfile
import time
from pathlib import Path

QUOTA_BYTES = 2_000_000_000
USE_SECONDS = 900.0
"""A file that was written or read within this time may be in use."""


class UploadQuota:
    """Keep the files of a folder below a total size."""

    def __init__(self, folder: str | None, quota: int = QUOTA_BYTES, use_seconds: float = USE_SECONDS) -> None:
        """Take the folder, by default Gradio's, the total in bytes and how long a file counts as in use."""
        self._folder = Path(folder) if folder else Path(tempfile.gettempdir(), "gradio")
        self._quota, self._use_seconds = quota, use_seconds

    def make_room(self) -> bool:
        """Remove the oldest unused files while the total is above the quota; return whether it is below it now."""
        files = sorted(self._list_files())
        total = sum(size for _, size, _ in files)
        latest = time.time() - self._use_seconds
        for used, size, path in files:
            if total <= self._quota or used > latest:
                break
            path.unlink(missing_ok=True)
            total -= size
        return total <= self._quota

    def _list_files(self) -> list[tuple[float, int, Path]]:
        """Return when each file was last used, its bytes and its path."""
        files = []
        for path in self._folder.rglob("*"):
            try:
                status = path.stat()
            except FileNotFoundError:  # removed meanwhile
                continue
            if path.is_file():
                files.append((max(status.st_mtime, status.st_atime), status.st_size, path))
        return files
