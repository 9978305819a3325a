"""A real Slurm of one node, started here on loopback, computes a sweep; `make soak` installs it.

Everything it needs (key, sockets, state, logs) is in a folder of its own, and its processes are
stopped at the end. It runs as whoever runs the tests.
"""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sims.store import digest
from sims.sweep import sweep

pytestmark = pytest.mark.soak

ROOT = Path(__file__).parents[2]
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "sinfo")
PATIENCE = 60  # seconds for a service to answer; it takes about two
CONF = """
ClusterName=soak
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SchedulerParameters=sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=short Nodes=ALL Default=YES MaxTime=60 State=UP
"""
CONFIG = """
[problem]
name = "linear"
n = 16
d = 20

[grid]
optimizer = ["sgd", "sam"]
lr = { from = 0.01, to = 0.4, num = 40, scale = "log" }
rho = [0.0, 0.05]
batch = [1, 2]
seeds = 400

[run]
steps = 1000
every = 100
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(answer, what):
    """Poll a service of ours until it answers; raises after `PATIENCE` seconds."""
    end = time.monotonic() + PATIENCE
    while not answer():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.2)


def asked(environment, *words):
    result = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    return result.stdout if result.returncode == 0 else ""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The environment in which Slurm's commands find the node."""
    absent = [program for program in PROGRAMS if shutil.which(program) is None]
    assert not absent, f"needs Debian's slurmctld, slurmd, slurm-client, munge: no {absent}"
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o711)
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    host = socket.gethostname().partition(".")[0]
    ports = {"controller": free_port(), "node": free_port()}
    conf = CONF.format(folder=folder, host=host, user=getpass.getuser(), **ports)
    (folder / "slurm.conf").write_text(conf)
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
    for name in ("state", "spool"):
        (folder / name).mkdir()
    environment = os.environ | {
        "SLURM_CONF": str(folder / "slurm.conf"),
        "DASK_JOBQUEUE__SLURM__INTERFACE": "lo",
        "PYTHONPATH": str(ROOT),
    }
    names = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log"}
    places = [f"--{option}={folder}/munge.{name}" for option, name in names.items()]
    commands = [
        ["munged", "--foreground", "--force", f"--seed-file={folder}/munge.seed", *places],
        ["slurmctld", "-D", "-f", str(folder / "slurm.conf")],
        ["slurmd", "-D", "-N", host, "-f", str(folder / "slurm.conf")],
    ]
    answers = [
        (folder / "munge.socket").exists,
        lambda: "short" in asked(environment, "sinfo"),
        lambda: "idle" in asked(environment, "sinfo"),
    ]
    started = []
    try:
        for command, answer in zip(commands, answers, strict=True):
            with (folder / f"{command[0]}.out").open("wb") as output:
                started.append(
                    subprocess.Popen(command, env=environment, stdout=output, stderr=output)
                )
            wait_until(answer, f"{command[0]}: see {folder}")
        yield environment
    finally:
        asked(environment, "scancel", "--user", getpass.getuser())
        wait_until(lambda: not asked(environment, "squeue", "--noheader"), "jobs to end")
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=PATIENCE)


def start(environment, config, out):
    words = ["simulate", str(config), "--out", str(out), "--slurm", "--workers", "2"]
    more = ["--partition", "short", "--time", "00:10:00", "--memory", "1GB"]
    return subprocess.Popen(
        [sys.executable, "-m", "proofs_check", *words, *more],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def jobs(environment):
    return asked(environment, "squeue", "--noheader", "--format=%i", "--states=RUNNING").split()


def test_jobs_compute_a_sweep_and_one_that_is_cancelled_costs_nothing(slurm, tmp_path):
    config = tmp_path / "sweep.toml"
    config.write_text(CONFIG)
    sweep(config, out=tmp_path / "here")
    blocks = len(list((tmp_path / "here" / "blocks").iterdir()))
    for name, cancel in (("jobs", False), ("cancelled", True)):
        out = tmp_path / name
        process = start(slurm, config, out)
        if cancel:
            wait_until(lambda: len(jobs(slurm)) == 2, "both jobs to run")
            wait_until(lambda out=out: list((out / "blocks").glob("*.npz")), "a block")
            victim = jobs(slurm)[0]
            asked(slurm, "scancel", "--signal=KILL", "--full", victim)
            assert len(list((out / "blocks").glob("*.npz"))) < blocks  # it had work left
        said, told = process.communicate(timeout=600)
        assert process.returncode == 0, told
        assert "Submitting 2 of this job:" in told
        assert "#SBATCH -p short" in told and "#SBATCH -t 00:10:00" in told
        assert said == f"{out}: 96000 runs, complete\n"
        assert digest(out) == digest(tmp_path / "here")
        wait_until(lambda: not jobs(slurm), "jobs to be cancelled by their owner")
        assert list((out / "jobs").iterdir())  # what the jobs printed
