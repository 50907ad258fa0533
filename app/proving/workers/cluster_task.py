"""What runs on a worker of a Dask cluster. Only bytes go back, as :mod:`app.proving.workers.worker` encodes reports."""

from __future__ import annotations

import threading

from distributed import get_worker

from app.runtime import jit_cache

jit_cache.prepare()  # before anything imports numba

from app.proving.workers.threads import compile_kernels, lower_priority, reason_of  # noqa: E402
from app.proving.workers.worker import Failed, Progressed, Proved, Stopped, encode_report  # noqa: E402
from engine.stark.errors import ProvingCancelled  # noqa: E402

_running: dict[str, threading.Event] = {}
"""Keys of the tasks that run in this process, and what stops each."""


def identity() -> bytes:
    """Digests of the statement and of every profile: two programs with the same accept each other's proofs."""
    from engine.exchange.config import DEFAULT_CONFIG
    from engine.proving.parameters import PROFILES
    from engine.proving.shape import venue_shape
    from engine.proving.statement import statement_id

    profiles = [profile.name.encode() + profile.digest for profile in PROFILES.values()]
    return b"".join([statement_id(venue_shape(DEFAULT_CONFIG)), *profiles])


def prepare() -> bytes:
    """Compile the kernels if need be; :func:`identity`."""
    lower_priority()
    compile_kernels(lambda stage, fraction: None)
    return identity()


def prove(job: bytes, number: int, key: str, topic: str) -> bytes:
    """Prove a job on as many threads as the worker has; progress goes out under ``topic``."""
    from engine.proving.job import prove_job

    worker = get_worker()
    cancelled = _running.setdefault(key, threading.Event())

    def progress(stage: str, fraction: float) -> None:
        worker.log_event(topic, encode_report(Progressed(number, stage, fraction)))

    lower_priority()
    try:
        proved = prove_job(job, progress=progress, cancelled=cancelled.is_set, threads=worker.state.nthreads)
    except ProvingCancelled:
        return encode_report(Stopped(number))
    except Exception as error:  # noqa: BLE001 - told to whoever asked, with its reason
        return encode_report(Failed(number, reason_of(error)))
    finally:
        del _running[key]
    return encode_report(Proved(number, proved.file, dict(proved.stage_seconds), proved.seconds))


def stop(key: str) -> None:
    """Stop a task that runs here; nothing when it does not."""
    if (cancelled := _running.get(key)) is not None:
        cancelled.set()
