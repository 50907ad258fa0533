"""What the command line says about proving: by which parameters, and by whom."""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.errors import ProtocolError

PROVERS = ("thread", "process")
SCHEMES = ("tcp", "tls")
EXTRA = "requirements-cluster.txt"


class BadClusterAddress(ProtocolError):
    """The address of a Dask scheduler cannot be one."""


class MissingExtra(ProtocolError):
    """A part of the program that is not always installed is needed."""


@dataclass(frozen=True, slots=True)
class ProvingChoice:
    """``profile``: name of the parameters. ``prover``: what proves on this machine. ``cluster``: address of a Dask
    scheduler whose workers prove instead, "" for none."""

    profile: str = "quick"
    prover: str = "thread"
    cluster: str = ""


def choice_of(options: argparse.Namespace) -> ProvingChoice:
    """The options, checked; :class:`BadClusterAddress` and :class:`MissingExtra`."""
    choice = ProvingChoice(options.profile, options.prover, options.cluster)
    check_choice(choice)
    return choice


def check_choice(choice: ProvingChoice) -> None:
    """Whether the address can be one and Dask is installed, if a cluster is asked for; errors as :func:`choice_of`."""
    if choice.cluster:
        check_address(choice.cluster)
        if importlib.util.find_spec("distributed") is None:
            raise MissingExtra(
                "--cluster needs Dask, which is not installed; "
                f"install it with: .venv/bin/python -m pip install --require-hashes -r {EXTRA}",
                field="--cluster",
            )


def check_address(address: str) -> None:
    """Like tcp://host:8786; :class:`BadClusterAddress` for anything else."""
    parts = urlsplit(address)
    try:
        whole = address == f"{parts.scheme}://{parts.netloc}"
        good = whole and parts.scheme in SCHEMES and parts.hostname and parts.port
    except ValueError:  # a port that is no port
        good = False
    if not good or "@" in parts.netloc:
        raise BadClusterAddress(
            f"{address!r} is no scheduler's address; it looks like tcp://127.0.0.1:8786",
            field="--cluster",
            value=address,
            limit="tcp://HOST:PORT or tls://HOST:PORT",
        )
