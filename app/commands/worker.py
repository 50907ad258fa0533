"""``worker URL``: this process proves for whoever uses the Dask cluster, until it is stopped."""

from __future__ import annotations

import os
import signal
import socket
from typing import Any

from app.commands.registry import Command, Options, Parser
from app.paths import cache_folder
from app.proving.choice import ProvingChoice, check_choice
from engine.errors import ProtocolError, check_range

MAX_THREADS = 64
PATIENCE = 10.0
"""Seconds to find the scheduler."""


class NoScheduler(ProtocolError):
    """No Dask scheduler answers at the address."""


def add_arguments(parser: Parser, *_: object) -> None:
    """The scheduler, and how much of this machine."""
    parser.add_argument("cluster", metavar="URL", help="the Dask scheduler, like tcp://10.0.0.2:8786")
    parser.add_argument("--threads", type=int, default=2, help="threads of one proof")


def run(options: Options) -> int:
    """Join the cluster and stay; 0 when stopped or when the scheduler ends."""
    check_choice(ProvingChoice(cluster=options.cluster))
    check_range("--threads", options.threads, 1, MAX_THREADS)
    import asyncio

    asyncio.run(_serve(options.cluster, options.threads))
    return 0


async def _serve(address: str, threads: int) -> None:
    import asyncio

    from distributed import Worker

    name = f"{socket.gethostname()}-{os.getpid()}"
    worker: Any = Worker(  # one proof at a time is sent to it, which uses all of its threads
        address,
        nthreads=threads,
        name=name,
        memory_limit=0,
        dashboard=False,
        local_directory=str(cache_folder() / "dask"),
    )
    try:
        await asyncio.wait_for(worker, PATIENCE)
    except (OSError, TimeoutError) as error:
        raise NoScheduler(f"no Dask scheduler answers at {address}: {error}", field="URL", value=address) from error
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: asyncio.ensure_future(worker.close()))
    print(f"{name} proves for {address} with {threads} threads; stop it with Ctrl-C", flush=True)
    await worker.finished()


COMMAND = Command(
    name="worker",
    help="prove for desks elsewhere, as part of a Dask cluster",
    add_arguments=add_arguments,
    run=run,
)
