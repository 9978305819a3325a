"""The commands and their help. Everything heavy is imported inside them: --help answers at once."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from proofs_check import library, output, summary

EXAMPLES = """Examples:

  flatproof verify --out out                 audit every claim, write a page
  flatproof verify path/to/my_claim.py       audit a claim of your own
  flatproof hunt path/to/my_claim.py         look for a counterexample for a minute
  flatproof show second_moment_bound         statement, source, verdict
  flatproof check proofs_check/certificates/*.json
  flatproof stability minimum.npz --eta 0.1  its stable step sizes
  flatproof simulate sweep.toml --out DIR    a grid of runs, resumable"""

app = App(
    name="flatproof",
    help="Checks the theory of sharpness-aware optimization: what a theorem says, what is exactly "
    "true, what an optimizer really does.",
    help_format="plaintext",
    help_epilogue=EXAMPLES,
    suppress_keyboard_interrupt=False,  # `cli` ends every interrupt the same way
    version=lambda: version("flatproof"),
)

BAD_INPUT = 2

# "-" is a value here, standard output; without this it would be taken for an option.
Json = Annotated[str | None, Parameter(allow_leading_hyphen=True)]
# Read by the command itself, so that -1 and nan are refused with what is allowed.
Number = Annotated[str, Parameter(allow_leading_hyphen=True)]
Flag = Annotated[bool, Parameter(negative=())]


def dispatch(words: list[str]) -> int:
    """Run a command; what the parser refuses is one line and exit code 2."""
    try:
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        message = " ".join(str(error).split())
        print(f"flatproof: {message} See flatproof --help.", file=sys.stderr)
        return BAD_INPUT
    return code if isinstance(code, int) else 0


@app.command
def claims(*, json: Json = None) -> int:
    """List every claim with its recorded verdict.

    Parameters
    ----------
    json
        Write a JSON list to this file instead; - is standard output.
    """
    rows = [summary.describe(item) for item in library.entries()]
    if json is not None:
        output.emit(rows, json)
        return 0
    from proofs_check.report import tables

    tables.print_claims(rows)
    return 0


@app.command
def show(key: str, /) -> int:
    """Print one claim: statement, source, conventions and recorded verdict.

    Parameters
    ----------
    key
        As listed by `flatproof claims`.
    """
    from proofs_check.report import tables

    tables.print_claim(library.entry(key))
    return 0


@app.command
def verify(*targets: str, json: Json = None, out: Path | None = None) -> int:
    """Audit claims: controls, certificates, simulation against exact values, search.

    Parameters
    ----------
    targets
        Keys of claims, or Python files that define CLAIM. Default: every shipped claim.
    json
        Write the audit as JSON to this file; - prints JSON alone.
    out
        Folder for verify.json, statistics.json, the page index.html and certificates found for
        your own claims.
    """
    from proofs_check import verification

    return verification.verify(targets, json=json, out=out)


@app.command
def hunt(
    *targets: str,
    seed: Number = "0",
    budget: Number = "60",
    out: Path = Path("out/hunt"),
    json: Json = None,
) -> int:
    """Look for a counterexample from scratch; say whether the search would have found one.

    Parameters
    ----------
    targets
        Keys of claims, or Python files that define CLAIM. Default: every shipped claim in turn.
    seed
        Decides what is looked at, and in which order.
    budget
        Seconds for everything, the positive control included; several claims share them.
    out
        Folder for the certificate of what is refuted.
    json
        Write the findings as JSON to this file as well; - prints JSON alone.
    """
    from proofs_check import hunting

    return hunting.hunt(targets, seed=seed, budget=budget, out=out, json=json)


@app.command
def stability(
    file: Path,
    /,
    *,
    optimizer: Literal["sgd", "usam"] = "sgd",
    eta: Number | None = None,
    rho: Number = "0",
    batch: Number = "1",
    sampling: Literal["with", "without"] = "with",
    ascent: Literal["shared", "per-sample"] = "shared",
    momentum: Number = "0",
    weight_decay: Number = "0",
    exact: Flag = False,
    seed: Number = "0",
    plot: Path | None = None,
    json: Json = None,
) -> int:
    """Say at which step sizes a minimum is stable, by notion, beside what published bounds say.

    Parameters
    ----------
    file
        An .npz file with exactly one of hessians (n, d, d), factors (n, k, d), jacobian (n, d) and
        gram (n, n); if you like, weights (n,), preconditioner (d,), gradients (n, d).
    optimizer
        Gradient descent on batches, or unnormalised SAM.
    eta
        A step size: adds rates, verdicts by notion and which published bounds hold there.
    rho
        Radius of USAM's climb.
    batch
        Samples a step, or full.
    sampling
        How a batch is drawn: with or without replacement.
    ascent
        Whether USAM climbs along the batch's gradient or each sample along its own.
    momentum
        PyTorch's heavy ball: v+ = momentum v + g, x+ = x - eta v+.
    weight_decay
        Added to the gradient as weight_decay x.
    exact
        Add the mean-square critical step in rational arithmetic (small minima).
    seed
        Of the simulation that finds the first almost-sure exit.
    plot
        Write the ladder of critical steps and bounds to this SVG file.
    json
        Write JSON to this file instead; - prints JSON alone.
    """
    from proofs_check import stability as command

    how = {"optimizer": optimizer, "sampling": sampling, "ascent": ascent, "exact": exact}
    numbers = {"rho": rho, "momentum": momentum, "weight_decay": weight_decay, "seed": seed}
    return command.stability(file, json=json, plot=plot, eta=eta, batch=batch, **how, **numbers)


@app.command
def simulate(
    config: Path,
    /,
    *,
    out: Path,
    workers: Number = "0",
    scheduler: str | None = None,
    slurm: Flag = False,
    partition: str | None = None,
    time: str | None = None,
    memory: str | None = None,
    check: Flag = False,
    pictures: Flag = False,
    zarr: Path | None = None,
) -> int:
    """Run a sweep over optimizers, step sizes, radii, batches and seeds; run it again to go on.

    Parameters
    ----------
    config
        A TOML file with the tables problem, grid and run.
    out
        Folder for the results; `sims.store.open_sweep` opens it as an xarray Dataset.
    workers
        Processes beside this one, or Slurm jobs; 0 computes in this one.
    scheduler
        Address of a dask scheduler to use instead, tcp://HOST:PORT.
    slurm
        Submit the workers as jobs, one core each; prints the script.
    partition
        Slurm partition.
    time
        Time limit of a job, 01:00:00 by default.
    memory
        Memory of a job, 4GB by default.
    check
        Compute nothing: read every block and print the digest of the results.
    pictures
        When done, write loss curves and phase diagrams into OUT/pictures.
    zarr
        When done, write the results as a Zarr store too (needs the extra `zarr`).
    """
    from proofs_check import simulate as command

    job = {"partition": partition, "time": time, "memory": memory}
    return command.simulate(
        config,
        out=out,
        workers=workers,
        scheduler=scheduler,
        slurm=command.job(slurm, job),
        check=check,
        pictures=pictures,
        zarr=zarr,
    )


@app.command
def check(*certificates: Path, claim: Path | None = None) -> int:
    """Replay exact certificates with the standard library alone.

    Parameters
    ----------
    certificates
        Certificate files; each is matched to its claim by the hash it quotes.
    claim
        Your own claim file, if the certificates are about it.
    """
    raise AssertionError("`check` is dispatched before this parser is imported")


@app.command
def replay(*files: Path) -> int:
    """Repeat recorded runs of reference optimizers with ours; report the largest deviation.

    Parameters
    ----------
    files
        Recorded runs as JSON, one a file; tests/reference/README.md describes them.
    """
    from proofs_check.replay import replay_files

    return replay_files(files)


@app.command
def conform(
    target: str,
    /,
    *,
    protocol: Literal["alternating", "closure"] | None = None,
    json: Json = None,
) -> int:
    """Put your own SAM through problems with known answers; name the conventions it follows.

    Parameters
    ----------
    target
        module:factory, where factory(lr, rho) makes an optax transformation or a function from
        parameters to a torch optimizer. The module may lie in the current directory.
    protocol
        How an update is made: alternating, two calls (optax's update; torch's first_step and
        second_step), or closure, one call with grad_fn or closure. Default: what it offers.
    json
        Write the report as JSON to this file as well; - prints JSON alone.
    """
    from proofs_check.conform.command import conform as run

    return run(target, protocol=protocol, json=json)
