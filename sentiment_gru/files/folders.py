"""Score a folder of Parquet or JSON lines files in blocks, each of which becomes one file of the output folder.

A block is written under another name and then renamed, so that its file is complete or absent however often a worker
is killed, and a second run scores only the blocks that are missing. Folders may be local or addresses such as
`s3://bucket/reviews`, which pyarrow opens.

OUTPUT/SOURCE-START.parquet     the rows of INPUT/SOURCE.parquet from row START, with the verdicts after their columns
OUTPUT/_scoring.json            the model, the text column and the sizes of the files that were scored
OUTPUT/_unfinished/             blocks that are being written
"""

import hashlib
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from ..checkpoint import resolve
from ..classifier import SentimentClassifier
from ..errors import FileError
from ..labels import TEXT_COLUMNS, usual_name
from .job import Classify, result_cells, result_types, score_rows
from .table import Row
from .text_files import parse_object

PARQUET, JSON_LINES = (".parquet",), (".jsonl", ".ndjson", ".json")
BLOCK_ROWS = 20_000  # of Parquet files: about half a minute on one core
BLOCK_BYTES = 8_000_000  # of JSON lines
PREFIX = "model_"  # of the columns of the verdict
RECORD, UNFINISHED = "_scoring.json", "_unfinished"
SAMPLE = 64 * 1024  # bytes of a file in which its first line begins
ATTEMPTS = 3  # to read and write a block while its storage fails
PAUSE_SECONDS = 2.0


@dataclass(frozen=True)
class FolderJob:
    """A job: addresses of two folders, a checkpoint folder or Hub id, and the column of the texts."""

    source: str
    target: str
    model: str | None
    text_column: str
    block_rows: int = BLOCK_ROWS
    block_bytes: int = BLOCK_BYTES


@dataclass(frozen=True)
class Block:
    """A part of a file: rows `start` to `stop` of a Parquet file, or the lines that begin in these bytes."""

    source: str
    start: int
    stop: int

    @property
    def target(self) -> str:
        """Path of its file below the output folder."""
        path = PurePosixPath(self.source)
        return str(path.with_name(f"{path.stem}-{self.start:012}{path.suffix}"))


@dataclass(frozen=True)
class BlockResult:
    """The result of a block: its rows, verdicts by label, rows without one by reason, or why it was not scored.

    A model that gives a text several labels counts a row under each.
    """

    block: Block
    rows: int = 0
    labels: dict[str, int] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    problem: str = ""


Engine = Callable[[FolderJob, Sequence[Block]], Iterator[BlockResult]]


@dataclass(frozen=True)
class Folder:
    """A folder in a file system; paths below it are relative, with slashes."""

    system: fs.FileSystem
    path: str

    @classmethod
    def open(cls, address: str) -> "Folder":
        """Open a local path, or an address such as s3://bucket/folder or hdfs://host/folder.

        Raises:
            FileError: There is no file system for the address.
        """
        try:
            if "://" not in address:
                return cls(fs.LocalFileSystem(), str(Path(address).resolve()))
            return cls(*fs.FileSystem.from_uri(address))
        except (OSError, pa.ArrowException) as error:
            raise FileError(f"{address} cannot be opened: {error}") from error

    def join(self, name: str) -> str:
        """Return the path of a file in the file system."""
        return f"{self.path}/{name}"

    def is_file(self) -> bool:
        """Return whether the path is that of a file.

        Raises:
            FileError: The path cannot be looked up.
        """
        with self._listing():
            return bool(self.system.get_file_info(self.path).is_file)

    @contextmanager
    def _listing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            raise FileError(f"{self.path} cannot be listed: {error}") from error

    def sizes(self) -> dict[str, int]:
        """Return the bytes of all files by name, without those whose name begins with "_" or ".", or in such folders.

        Raises:
            FileError: The folder cannot be listed.
        """
        with self._listing():
            found = self.system.get_file_info(fs.FileSelector(self.path, recursive=True, allow_not_found=True))
        names = {info.path.removeprefix(self.path).lstrip("/"): info.size for info in found if info.is_file}
        return {
            name: size
            for name, size in sorted(names.items())
            if not any(part.startswith(("_", ".")) for part in PurePosixPath(name).parts)
        }

    def read_json(self, name: str) -> dict[str, Any] | None:
        """Return the contents of a JSON file, or None if there is none."""
        if self.system.get_file_info(self.join(name)).type != fs.FileType.File:
            return None
        with self.system.open_input_stream(self.join(name)) as stream:
            content: dict[str, Any] = json.loads(stream.read())
        return content

    def write(self, name: str, write: Callable[[Any], object]) -> None:
        """Let a function write a file, which appears under its name when it is complete."""
        process = f"{socket.gethostname()}-{os.getpid()}"
        part = self.join(f"{UNFINISHED}/{name.replace('/', '_')}.{process}")
        self.system.create_dir(self.join(UNFINISHED), recursive=True)
        with self.system.open_output_stream(part) as stream:
            write(stream)
        self.system.create_dir(str(PurePosixPath(self.join(name)).parent), recursive=True)
        self.system.move(part, self.join(name))


def score_folder(job: FolderJob, engine: Engine) -> Iterator[tuple[int, int, BlockResult | None]]:
    """Score the blocks that have no file in the output folder yet.

    Args:
        job: What to score; an empty text column is detected.
        engine: Function that scores blocks and yields their results in any order.

    Yields:
        The number of blocks, how many of them are done, and the result of the one that was done last; first without
        a result.

    Raises:
        FileError: The input has no files or others than Parquet and JSON lines, no column fits, or the output folder
            holds results of another model, column or version of the files.
    """
    source, target = Folder.open(job.source), Folder.open(job.target)
    check_folders(job, source, target)
    sizes = source.sizes()
    check_names(job.source, sizes)
    job = replace(job, text_column=job.text_column or find_text_column(source, next(iter(sizes))))
    start_record(job, target, sizes)
    blocks = [block for name, size in sizes.items() for block in plan_blocks(job, source, name, size)]
    finished = target.sizes()
    pending = [block for block in blocks if block.target not in finished]
    done = len(blocks) - len(pending)
    yield len(blocks), done, None
    for result in engine(job, pending) if pending else ():
        done += not result.problem
        yield len(blocks), done, result
    if done == len(blocks):
        target.system.delete_dir_contents(target.join(UNFINISHED), missing_dir_ok=True)


def check_folders(job: FolderJob, source: Folder, target: Folder) -> None:
    """Raise FileError if the input or the output is a file."""
    if source.is_file():
        raise FileError(f"{job.source} is a file; score it with --file and --output, or name the folder that holds it")
    if target.is_file():
        raise FileError(f"{job.target} is a file; name a new folder for the results")


def check_names(address: str, names: Iterable[str]) -> None:
    """Raise FileError if a folder has no files that can be scored, or others."""
    if not names:
        raise FileError(f"there is no file in {address}")
    for name in names:
        if PurePosixPath(name).suffix.lower() not in PARQUET + JSON_LINES:
            raise FileError(
                f"{address} holds {name}; a folder to score holds {', '.join(PARQUET + JSON_LINES)} files only"
                " (names that begin with _ or . are left out); --file scores one file of another format"
            )


def find_text_column(source: Folder, name: str) -> str:
    """Return the column of a file that has a usual name for texts.

    Raises:
        FileError: It has none, or cannot be read.
    """
    with naming(name), source.system.open_input_file(source.join(name)) as file:
        if PurePosixPath(name).suffix.lower() in PARQUET:
            columns = pq.read_schema(file).names
        else:
            columns = list(parse_object(next(iter(read_lines(file, 0, SAMPLE)), "{}"))[0])
    column = usual_name(columns, TEXT_COLUMNS)
    if column is None:
        listed = f"only {', '.join(columns)}" if columns else "as its first line is not a JSON object"
        raise FileError(f"no column of {name} has a usual name for texts, {listed}; use --text-column")
    return column


@contextmanager
def naming(name: str) -> Iterator[None]:
    """Turn errors about the contents of a file into FileError with its name."""
    try:
        yield
    except pa.ArrowException as error:
        raise FileError(f"{name} cannot be read: {error}") from error


def start_record(job: FolderJob, target: Folder, sizes: dict[str, int]) -> None:
    """Write the record of the output folder, or compare it with an existing one; files may be added to the input.

    Raises:
        FileError: The folder holds other files, or results of another model, column or version of the files.
    """
    record = {
        "model": fingerprint(resolve(job.model)),
        "text_column": job.text_column,
        "block_rows": job.block_rows,
        "block_bytes": job.block_bytes,
    }
    before = target.read_json(RECORD)
    if before is None and target.sizes():
        raise FileError(f"{job.target} holds other files; name a new folder for the results")
    if before is not None:
        files = before.pop("files")
        changed = [name.replace("_", " ") for name in record if before[name] != record[name]]
        changed += [name for name, size in files.items() if sizes.get(name, size) != size]
        if changed:
            raise FileError(
                f"{job.target} holds results of an earlier run with another {', '.join(changed[:3])}; name a new folder"
            )
        sizes = files | sizes
    content = json.dumps(record | {"files": sizes}, indent=1).encode()
    target.write(RECORD, lambda stream: stream.write(content))


def fingerprint(folder: Path) -> str:
    """Return a hash of a checkpoint's configuration and weights."""
    digest = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()


def plan_blocks(job: FolderJob, source: Folder, name: str, size: int) -> list[Block]:
    """Return the blocks of a file.

    Raises:
        FileError: A Parquet file cannot be read.
    """
    step = job.block_bytes
    if PurePosixPath(name).suffix.lower() in PARQUET:
        step = job.block_rows
        with naming(name), source.system.open_input_file(source.join(name)) as file:
            size = pq.read_metadata(file).num_rows
    return [Block(name, start, min(start + step, size)) for start in range(0, size, step)]


def score_locally(job: FolderJob, blocks: Sequence[Block]) -> Iterator[BlockResult]:
    """Score blocks in this process, one after the other."""
    scorer = BlockScorer(job)
    for block in blocks:
        yield scorer(block)


class BlockScorer:
    """A classifier that scores blocks of one job."""

    def __init__(self, job: FolderJob, classify: Classify | None = None) -> None:
        """Load the classifier of the job, unless one is given."""
        self.source, self.target, self.column = Folder.open(job.source), Folder.open(job.target), job.text_column
        self.classify = classify or SentimentClassifier.from_pretrained(job.model, threads=1)
        self.labels = list(self.classify([""])[0].scores)
        self.names = [f"{PREFIX}{name}" for name in result_types(self.labels)]

    def __call__(self, block: Block) -> BlockResult:
        """Score a block and write its file; storage that fails is tried again."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.score(block)
            except FileError as error:
                return BlockResult(block, problem=str(error))
            except OSError as error:
                if attempt == ATTEMPTS:
                    return BlockResult(block, problem=f"{block.source}: {error}")
                time.sleep(PAUSE_SECONDS * attempt)
        raise AssertionError("unreachable")

    def score(self, block: Block) -> BlockResult:
        """Score a block and write its file."""
        labels: Counter[str] = Counter()
        errors: Counter[str] = Counter()
        count = 0

        def verdicts(rows: Iterable[Row]) -> Iterator[list[object]]:
            nonlocal count
            for chunk in score_rows(self.classify, rows, 0):
                count += len(chunk)
                for scored in chunk:
                    if scored.prediction is None:
                        errors[scored.error] += 1
                    else:
                        labels.update(scored.prediction.labels)
                    yield result_cells(scored, self.labels)

        write = self.write_table if PurePosixPath(block.source).suffix.lower() in PARQUET else self.write_lines
        with naming(block.source), self.source.system.open_input_file(self.source.join(block.source)) as file:
            self.target.write(block.target, lambda stream: write(file, block, verdicts, stream))
        return BlockResult(block, count, dict(labels), dict(errors))

    def write_table(
        self, file: Any, block: Block, verdicts: Callable[[Iterable[Row]], Iterator[list[object]]], stream: Any
    ) -> None:
        """Write the rows of a block of a Parquet file with their verdicts."""
        table = read_rows(file, block.start, block.stop)
        self.check_columns(block.source, table.column_names)
        texts = table[self.column].to_pylist()
        columns = zip(*verdicts(Row(i, [text]) for i, text in enumerate(texts)), strict=True)
        types = result_types(self.labels).values()
        for name, kind, cells in zip(self.names, types, columns, strict=True):
            table = table.append_column(name, pa.array(cells, pa.type_for_alias(kind)))
        pq.write_table(table, stream, compression="zstd")

    def write_lines(
        self, file: Any, block: Block, verdicts: Callable[[Iterable[Row]], Iterator[list[object]]], stream: Any
    ) -> None:
        """Write the objects of a block of JSON lines with their verdicts; any other line becomes one."""
        records: list[dict[str, object]] = []
        rows: list[Row] = []
        for line in read_lines(file, block.start, block.stop):
            record, problem = parse_object(line)
            if set(self.names) & set(record):
                self.check_columns(block.source, [self.column, *record])
            records.append(record)
            rows.append(Row(len(rows), [record.get(self.column)], problem))
        for record, cells in zip(records, verdicts(rows), strict=True):
            line = json.dumps(record | dict(zip(self.names, cells, strict=True)), ensure_ascii=False)
            stream.write(f"{line}\n".encode())

    def check_columns(self, name: str, columns: Sequence[str]) -> None:
        """Raise FileError if the text column is missing, or a column has the name of one of the verdict."""
        if self.column not in columns:
            raise FileError(f"{name} has no column {self.column!r}, only {', '.join(columns)}")
        if taken := sorted(set(self.names) & set(columns)):
            raise FileError(f"{name} already has a column {taken[0]!r}; rename it, or score the original file")


def read_rows(file: Any, start: int, stop: int) -> pa.Table:
    """Return rows `start` to `stop` of a Parquet file."""
    parquet = pq.ParquetFile(file)
    groups: list[int] = []
    first = before = 0
    for group in range(parquet.num_row_groups):
        count = parquet.metadata.row_group(group).num_rows
        if before < stop and before + count > start:
            first = before if not groups else first
            groups.append(group)
        before += count
    return parquet.read_row_groups(groups).slice(start - first, stop - start)


def read_lines(file: Any, start: int, stop: int) -> list[str]:
    """Return the lines of a UTF-8 file, without blank ones, that begin at a byte from `start` to before `stop`."""
    first = max(0, start - 1)  # a line begins at `start` if the byte before ends one
    file.seek(first)
    data = file.read(stop - first)
    while not data.endswith(b"\n") and (more := file.read(65_536)):
        end = more.find(b"\n")
        data += more if end < 0 else more[: end + 1]
    if start:
        data = data[data.find(b"\n") + 1 :] if b"\n" in data else b""
    text = data.decode("utf-8-sig" if not start else "utf-8", "replace")
    return [line for line in text.split("\n") if line.strip()]
