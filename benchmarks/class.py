"""How long a class waits: N students release a setting again and again, each over Streamlit's own protocol.

    python -m benchmarks.class [--students 30] [--seconds 60] [--pause 3]

Each student joins a class, follows its teacher to the challenge (digits-cnn), and presses one of four shares every
``--pause`` seconds; the page asks for news of the class every other second, as a browser's does. Timed is from the
press until the facts on the screen are of that setting. Prints one JSON object: p50 and p95, errors, answers that
never came within 30 s, and the most memory of the server. The students run on the same machine as the server.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

from benchmarks._class_client import Student
from explorer.classroom import CHALLENGE, Challenge, Classroom
from explorer.classroom.opening import begin, class_file
from explorer.metrics.origin import machine, today

SHARES = {"Dense": 0.0, "30%": 0.3, "50%": 0.5, "90%": 0.9}
PATIENCE_S, MIB = 30.0, 1024.0


def main() -> None:
    """Run it and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--pause", type=float, default=3.0, help="seconds between two releases of one student")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(run(Path(folder), args), indent=1))


def run(folder: Path, args: argparse.Namespace) -> dict[str, object]:
    """A server with a class of its own, its students, and its memory."""
    os.environ["PRUNING_EXPLORER_DATA"] = str(folder)
    room = _led_class()
    command = [sys.executable, "-m", "explorer", "app", "--class", "bench", "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            about = json.loads(server.stdout.readline())
            _wait(f"{about['url']}_stcore/health")
            memory = _Memory(server.pid)
            load = os.getloadavg()[0]
            outcome = asyncio.run(_students(about, args))
            return {
                **_summary(outcome),
                "students": args.students,
                "seconds": args.seconds,
                "memory_mib": memory.stop(),
                "load_before": round(load, 1),
                "machine": machine(),
                "cores": os.cpu_count(),
                "date": today(),
                "class": room.state.name,
            }
        finally:
            server.terminate()


def _led_class() -> Classroom:
    """A class whose teacher has led it to the challenge, where lines can be moved."""
    state, _ = begin("bench")
    room = Classroom(class_file("bench"), state)
    room.set_challenge(Challenge("digits-cnn"))
    room.lead(lambda lead: replace(lead, activity=CHALLENGE))
    return room


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The app did not answer.")


async def _students(about: dict[str, object], args: argparse.Namespace) -> list[dict[str, object]]:
    code = about["class"]["code"]  # type: ignore[index]
    query = f"model=digits-cnn&class={code}"
    students = [Student(str(about["url"]), query) for _ in range(args.students)]
    for student in students:
        await student.connect()
    joined = [await _join(student) for student in students]
    return list(
        await asyncio.gather(*(_take_part(s, args) for s, is_in in zip(students, joined, strict=True) if is_in))
    )


async def _join(student: Student) -> bool:
    if not await student.until(lambda s: "Join" in s.buttons and "Code of the class" in s.texts, PATIENCE_S):
        return False
    await student.press("Join")
    return await student.until(lambda s: "30%" in s.buttons and s.has_estimate_of(0.0), PATIENCE_S)


async def _take_part(student: Student, args: argparse.Namespace) -> dict[str, object]:
    """Press and wait, press and wait; and ask for news as the page does."""
    chance, times, n_late = random.Random(id(student)), [], 0
    polling = asyncio.create_task(student.poll(args.seconds))
    end, last = time.monotonic() + args.seconds, "Dense"
    await asyncio.sleep(chance.random() * args.pause)
    while time.monotonic() < end:
        last = chance.choice([label for label in SHARES if label != last])
        begun = time.perf_counter()
        await student.press(last)
        share = SHARES[last]
        if await student.until(lambda s, share=share: s.has_estimate_of(share), PATIENCE_S):  # type: ignore[misc]
            times.append(time.perf_counter() - begun)
        else:
            n_late += 1
        await asyncio.sleep(args.pause * (0.5 + chance.random()))
    polling.cancel()
    await student.close()
    return {"times": times, "n_late": n_late, "errors": student.exceptions}


def _summary(outcomes: list[dict[str, object]]) -> dict[str, object]:
    times = sorted(t for outcome in outcomes for t in outcome["times"])  # type: ignore[attr-defined]
    cuts = statistics.quantiles(times, n=20) if len(times) > 1 else [float("nan")] * 19
    return {
        "n_taking_part": len(outcomes),
        "n_releases": len(times),
        "p50_s": round(statistics.median(times), 3) if times else None,
        "p95_s": round(cuts[18], 3) if times else None,
        "n_never_answered": sum(int(str(outcome["n_late"])) for outcome in outcomes),
        "errors": sum(int(str(outcome["errors"])) for outcome in outcomes),
    }


class _Memory:
    """The most memory that a process has held while it was watched, in MiB; None where the system does not say."""

    def __init__(self, process: int) -> None:
        self._status, self._most = Path(f"/proc/{process}/status"), 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.wait(0.5):
            try:
                rows = dict(line.split(":", 1) for line in self._status.read_text().splitlines())
            except OSError:
                return
            self._most = max(self._most, float(rows["VmRSS"].split()[0]) / MIB)

    def stop(self) -> float | None:
        """No longer watch."""
        self._done.set()
        self._thread.join()
        return round(self._most) if self._most else None


if __name__ == "__main__":
    main()
