"""A folder is scored on a local Ray cluster of two workers, one of which is killed while it writes."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sentiment_gru.files.folders import UNFINISHED, FolderJob, score_folder
from sentiment_gru.files.ray_engine import score_on_ray

ROWS, BLOCKS = 3_000, 6
PORTS = (
    "port",
    "dashboard-agent-grpc-port",
    "dashboard-agent-listen-port",
    "runtime-env-agent-port",
    "metrics-export-port",
)
WAIT_SECONDS = 900
SETTINGS = {
    "RAY_AUTH_MODE": "disabled",  # no token in the home folder
    # For a busy machine, on which starting a process takes long.
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_worker_register_timeout_seconds": "600",
    "RAY_health_check_timeout_ms": "120000",
    "RAY_worker_niceness": "10",
}


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Start a node with two cores, and return its address.

    The ports of its agents are given and written where the agents would write them: Ray ends if an agent has not done
    so within 15 seconds, which is too little on a busy machine.
    """
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=2"]
    command += ["--node-ip-address=127.0.0.1", "--include-dashboard=false", "--disable-usage-stats"]
    command += [
        "--object-store-memory=200000000",
        *(f"--{name}={port}" for name, port in ports.items()),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as node:
        try:
            write_ports(node, ports)
            wait_for_node(node, ports["port"])
            yield f"127.0.0.1:{ports['port']}"
        finally:
            sys.modules["ray"].shutdown()
            node.terminate()  # and its processes with it


def write_ports(node: "subprocess.Popen[bytes]", ports: dict[str, int]) -> None:
    """Write the ports of a node's agents into the folder of its session, once its raylet has started."""
    files = {name.replace("-", "_"): port for name, port in ports.items() if name != "port"}
    files["metrics_agent_port"] = files.pop("dashboard_agent_grpc_port")
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        assert node.poll() is None, "Ray ended"
        for process in psutil.Process(node.pid).children():
            with contextlib.suppress(psutil.Error):
                words = dict(word.split("=", 1) for word in process.cmdline() if "=" in word)
                if process.name() == "raylet" and "--session_dir" in words:
                    for name, port in files.items():
                        path = Path(words["--session_dir"], f"{name}_{words['--node_id']}")
                        path.with_suffix(".half").write_text(str(port))
                        path.with_suffix(".half").replace(path)
                    return
        time.sleep(0.2)
    raise AssertionError("Ray does not start")


def wait_for_node(node: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until this process is connected to the node."""
    import ray

    deadline = time.monotonic() + WAIT_SECONDS
    while not ray.is_initialized():
        assert node.poll() is None, "Ray ended"
        assert time.monotonic() < deadline, "Ray does not answer"
        try:
            ray.init(address=f"127.0.0.1:{port}", log_to_driver=False, _node_ip_address="127.0.0.1")
        except (ConnectionError, RuntimeError, ValueError):
            time.sleep(1)


def write_input(folder: Path) -> int:
    """Write one file of JSON lines; return its bytes."""
    folder.mkdir()
    lines = [
        json.dumps({"id": number, "text": f"the {number}th film was long and dull " * 8}) for number in range(ROWS)
    ]
    return (folder / "reviews.jsonl").write_bytes("\n".join(lines).encode())


def kill_a_writer(unfinished: Path, killed: list[int]) -> None:
    """Kill the first process that is writing a block; its id ends the name of the file."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        for path in unfinished.glob("reviews-*"):
            killed.append(int(path.name.rpartition("-")[2]))
            os.kill(killed[0], signal.SIGKILL)
            return
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_no_row_is_lost_or_doubled_when_a_worker_is_killed(cluster: str, tmp_path: Path) -> None:
    size = write_input(tmp_path / "in")
    output = tmp_path / "out"
    job = FolderJob(str(tmp_path / "in"), str(output), None, "text", block_bytes=-(-size // BLOCKS))
    killed: list[int] = []
    killer = threading.Thread(target=kill_a_writer, args=(output / UNFINISHED, killed))
    killer.start()
    steps = list(score_folder(job, lambda job, blocks: score_on_ray(job, blocks, workers=2, address=cluster)))
    killer.join()
    assert len(killed) == 1
    assert killed[0] != os.getpid()
    results = [result for _, _, result in steps if result]
    assert [result.problem for result in results] == [""] * BLOCKS
    assert sum(result.rows for result in results) == ROWS
    files = sorted(output.glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == list(range(ROWS))
    assert all(row["model_label"] for row in rows)

    files[2].unlink()
    again = list(score_folder(job, lambda job, blocks: score_on_ray(job, blocks, workers=2, address=cluster)))
    assert again[0][:2] == (BLOCKS, BLOCKS - 1)
    assert sorted(output.glob("*.jsonl")) == files
