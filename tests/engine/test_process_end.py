"""A process that ends in the middle of a job ends as it would without one."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import torch
from explorer.engine.jobs import JobQueue
from explorer.types.stopping import check

def endless():
    x = torch.rand(300, 300)
    while True:
        check()
        x = torch.nn.functional.conv2d(x[None, None], x[None, None, :9, :9], padding=4)[0, 0].softmax(0)
        yield x

queue = JobQueue(2)
job = queue.submit("key", "me", "endless", endless, 1)
while not job.results:
    pass
print("leaving")
"""


def test_a_process_that_ends_in_the_middle_of_a_job_is_not_aborted() -> None:
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False, timeout=120)
        assert (done.returncode, done.stdout, done.stderr) == (0, "leaving\n", "")
