"""Restarts: checkpoint and tail, damage of every kind, other configurations, one process per folder."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from app.l1.layer_one import ChainRequest
from app.paths import BadDataFolder, open_paths
from app.storage.folder_checks import OtherVenue
from app.storage.folder_lock import FolderInUse, FolderLock
from app.storage.journal_file import JournalError
from app.storage.proof_files import proof_path
from app.storage.recover import recover
from app.venue.loop import CHECKPOINT_BATCHES
from app.venue.replay import replay
from app.venue.session import USER_DEPOSIT, USER_WALLET, Session, open_session
from engine.errors import CorruptData
from engine.sequencer.inputs import L1Block, decode_input
from engine.settlement.chain.blocks import Block
from engine.settlement.chain.chain import Chain
from engine.settlement.errors import KeyFileError
from engine.settlement.keys.keys import DEMO_KEY_NAME, DEMO_PASSPHRASE_NAME, demo_key
from engine.units import SECOND
from tests.support.app_world import SMALL, opened, run


def execute(folder: Path, statement: str, *values: object) -> list[tuple]:
    """One statement on the journal of a closed venue."""
    connection = sqlite3.connect(open_paths(folder).journal)
    try:
        rows = connection.execute(statement, values).fetchall()
        connection.commit()
        return rows
    finally:
        connection.close()


def image(session: Session) -> bytes:
    """Everything that the venue's later behaviour depends on."""
    return session.loop.venue.dump()


@pytest.fixture(scope="module")
def died(played: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A venue's files as they were on disk some seconds after its last checkpoint, and what it was then."""
    folder = tmp_path_factory.mktemp("died")
    with opened(Path(shutil.copytree(played, folder / "open"))) as session:
        session.prover.start()
        session.loop.checkpoint_batches = 10**6
        run(session, 20, parts=40)
        session.prover.stop()
        shutil.copytree(session.paths.data, folder / "left")
        return folder / "left", image(session)


@pytest.fixture
def crashed(died: tuple[Path, bytes], tmp_path: Path) -> tuple[Path, bytes]:
    """A private copy of what was left, and what the venue was."""
    return Path(shutil.copytree(died[0], tmp_path / "crashed")), died[1]


def test_checkpoint_and_tail_give_the_venue_that_died(crashed: tuple[Path, bytes]) -> None:
    folder, before = crashed
    with opened(folder) as session:
        assert session.replayed > 20
        assert session.loop.venue.sequence == session.loop.sequence == session.replayed + newest(folder)
        assert image(session) == before


def test_a_killed_venue_replays_a_few_batches_at_most(folder: Path, tmp_path: Path) -> None:
    with opened(folder) as session:
        session.prover.start()
        run(session, 20, parts=20)
        session.prover.stop()
        shutil.copytree(folder, tmp_path / "killed")
        records, last = session.loop.venue.core.batches.records, session.loop.sequence
    ends = sorted(record.last_sequence for record in records.values())
    with opened(tmp_path / "killed") as session:
        assert 0 < session.replayed == last - newest(tmp_path / "killed")
        assert sum(end > newest(tmp_path / "killed") for end in ends) <= CHECKPOINT_BATCHES


def newest(folder: Path) -> int:
    return int(execute(folder, "SELECT max(sequence) FROM checkpoints")[0][0])


def test_a_replay_of_everything_gives_the_venue_that_died(crashed: tuple[Path, bytes]) -> None:
    folder, before = crashed
    execute(folder, "DELETE FROM checkpoints")
    with opened(folder) as session:
        assert session.replayed == session.loop.sequence
        assert image(session) == before
        fills, root = session.loop.venue.fills_digest(), session.loop.venue.live_root()
    printed = replay(open_paths(folder))
    assert printed["fills_digest"] == fills
    assert printed["live_root"] == b"".join(limb.to_bytes(4, "big") for limb in root).hex()
    assert all(value is True for value in printed["invariants"].values())


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def resealed(data: bytes) -> bytes:
    """A checkpoint that is whole as far as digests tell, and of a state that cannot be: one quantum too much."""
    parts = msgspec.msgpack.decode(data)
    magic, body = parts["venue"][:8], msgspec.msgpack.decode(parts["venue"][40:])
    body["counters"]["collateral"] += 1
    encoded = msgspec.msgpack.encode(body)
    parts["venue"] = magic + hashlib.sha256(encoded).digest() + encoded
    return msgspec.msgpack.encode(parts)


def of_another_chain(data: bytes) -> bytes:
    """A checkpoint whose L1 part was taken at a block of another chain."""
    parts = msgspec.msgpack.decode(data)
    chain = msgspec.msgpack.decode(parts["chain"])
    chain["block_hash"] = flipped(chain["block_hash"])
    parts["chain"] = msgspec.msgpack.encode(chain)
    return msgspec.msgpack.encode(parts)


def beyond_the_chain(data: bytes) -> bytes:
    """A checkpoint whose L1 part is ahead of every block."""
    parts = msgspec.msgpack.decode(data)
    chain = msgspec.msgpack.decode(parts["chain"])
    chain["number"] += 1000
    parts["chain"] = msgspec.msgpack.encode(chain)
    return msgspec.msgpack.encode(parts)


@pytest.mark.parametrize("damage", [of_another_chain, beyond_the_chain])
def test_an_l1_checkpoint_that_does_not_fit_is_passed_over(
    crashed: tuple[Path, bytes], damage: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, before = crashed
    executed: list[int] = []
    replay_block = Chain._replay

    def counted(chain: Chain, block: Block, *more: object) -> None:
        executed.append(block.number)
        replay_block(chain, block, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(Chain, "_replay", counted)
    with opened(folder) as session:
        head, root = session.chain.chain.head, session.chain.client.state_root()
        assert executed
        assert executed[0] > 2, "blocks before the checkpoint are not executed again"
        assert executed == list(range(executed[0], head.number + 1))
    execute(folder, "DELETE FROM checkpoints WHERE sequence = (SELECT max(sequence) FROM checkpoints)")
    (sequence, data), *_ = execute(folder, "SELECT sequence, data FROM checkpoints ORDER BY sequence DESC")
    execute(folder, "DELETE FROM checkpoints WHERE sequence != ?", sequence)
    worse = damage(data)
    execute(folder, "UPDATE checkpoints SET data = ?, digest = ?", worse, hashlib.sha256(worse).digest())
    executed.clear()
    with opened(folder) as session:
        assert executed == list(range(1, head.number + 1))
        assert (session.chain.chain.head, session.chain.client.state_root()) == (head, root)
        assert image(session) == before


@pytest.mark.parametrize("damage", [flipped, resealed, lambda data: b"", lambda data: data[:-1]])
@pytest.mark.parametrize("digest", [True, False], ids=["digest made to fit", "digest left"])
def test_a_damaged_checkpoint_is_passed_over(
    crashed: tuple[Path, bytes], damage: Callable[[bytes], bytes], digest: bool
) -> None:
    folder, before = crashed
    sequence, data = execute(folder, "SELECT sequence, data FROM checkpoints ORDER BY sequence DESC LIMIT 1")[0]
    worse = damage(data)
    fit = hashlib.sha256(worse).digest() if digest else hashlib.sha256(data).digest()
    execute(folder, "UPDATE checkpoints SET data = ?, digest = ? WHERE sequence = ?", worse, fit, sequence)
    with opened(folder) as session:
        assert session.replayed > session.loop.sequence - sequence, "an older checkpoint or none was used"
        assert image(session) == before


def test_a_checkpoint_of_the_future_is_not_used(crashed: tuple[Path, bytes]) -> None:
    folder, before = crashed
    execute(folder, "UPDATE checkpoints SET sequence = sequence + 100000")
    with opened(folder) as session:
        assert session.replayed == session.loop.sequence
        assert image(session) == before


@pytest.mark.parametrize(
    ("table", "key", "statement"),
    [
        ("inputs", "sequence", "UPDATE inputs SET data = ? WHERE sequence = ?"),
        ("l1_blocks", "number", "UPDATE l1_blocks SET data = ? WHERE number = ?"),
    ],
)
def test_a_damaged_row_is_refused_by_number_and_nothing_is_changed(
    crashed: tuple[Path, bytes], table: str, key: str, statement: str
) -> None:
    folder, before = crashed
    number, data = execute(folder, f"SELECT {key}, data FROM {table} ORDER BY {key} DESC LIMIT 1 OFFSET 2")[0]
    execute(folder, statement, flipped(data), number)
    contents = execute(folder, "SELECT * FROM inputs"), execute(folder, "SELECT * FROM l1_blocks")
    for _ in range(2):  # the first refusal leaves neither a change nor a lock behind
        with pytest.raises(CorruptData, match=f"row {number} ") as refused, opened(folder):
            pass
        assert refused.value.value == number
        assert (execute(folder, "SELECT * FROM inputs"), execute(folder, "SELECT * FROM l1_blocks")) == contents
    execute(folder, statement, data, number)
    with opened(folder) as session:
        assert image(session) == before


def test_a_block_that_was_written_and_not_seen_is_seen_at_the_next_start(folder: Path) -> None:
    with opened(folder) as session:
        session.prover.start()
        loop, chain = session.loop, session.chain
        loop.ingress.deliver(ChainRequest("deposit", 12345))
        loop.run_to(loop.next_slot - SECOND, step=SECOND)
        seen, collateral = loop.venue.l1_block, loop.venue.account(chain.user_account).collateral
        chain.mine(loop.venue.time, allow_empty=True)
        assert loop.venue.l1_block == seen
    with opened(folder) as session:
        assert session.loop.venue.l1_block == seen + 1
        assert session.loop.venue.account(session.chain.user_account).collateral == collateral + 12345
        blocks = [v for _, data in session.journal.read_inputs() if isinstance(v := decode_input(data), L1Block)]
        assert [block.number for block in blocks] == list(range(1, seen + 2))


def test_a_batch_that_an_unseen_block_closes_is_proved_once(tmp_path: Path) -> None:
    folder = tmp_path / "venue"
    config = msgspec.structs.replace(SMALL, batch_max_transactions=1)
    with opened(folder, config) as session:
        session.prover.start()
        run(session, 30, parts=5)
        session.loop.ingress.deliver(ChainRequest("deposit", 1))
        session.loop.serve()
        session.chain.mine(session.loop.venue.time, allow_empty=True)
        closed = session.loop.venue.core.batches.open.number - 1
    with opened(folder, config) as session:
        waiting = [batch.number for batch in session.loop.venue.unproved_batches()]
        assert closed + 1 in waiting
        assert session.prover.depth() == len(waiting)


def test_the_first_grant_is_given_once_even_to_a_user_who_spent_it_all(folder: Path) -> None:
    with opened(folder) as session:
        session.prover.start()
        session.loop.ingress.deliver(ChainRequest("deposit", USER_WALLET))
        run(session, 40, parts=8)
        assert (session.chain.funds.wallet, session.chain.funds.pending_deposit) == (0, 0)
        minted = session.chain.client.token_balance(session.chain.client.exchange)
    with opened(folder) as session:
        assert session.chain.funds.wallet == 0
        assert session.chain.client.token_balance(session.chain.client.exchange) == minted


def test_a_start_that_ended_between_genesis_and_grant_is_completed(tmp_path: Path) -> None:
    with opened(tmp_path / "whole") as session:
        granted = session.chain.chain.head.number
        assert (session.chain.funds.wallet, session.chain.funds.pending_deposit) == (USER_WALLET, USER_DEPOSIT)
    shutil.copytree(tmp_path / "whole", tmp_path / "half")
    execute(tmp_path / "half", "DELETE FROM l1_blocks WHERE number = ?", granted)
    for table in ("inputs", "checkpoints"):
        execute(tmp_path / "half", f"DELETE FROM {table}")
    recover(open_paths(tmp_path / "half"))  # the block was never heard of
    with opened(tmp_path / "half") as session:
        assert session.chain.chain.head.number == granted
        assert (session.chain.funds.wallet, session.chain.funds.pending_deposit) == (USER_WALLET, USER_DEPOSIT)


def test_a_venue_whose_verifiers_say_yes_to_everything_is_not_opened_as_a_real_one(folder: Path) -> None:
    with pytest.raises(OtherVenue, match="verifier contract was deployed with another statement_id"):
        open_session(open_paths(folder), SMALL)
    with opened(folder):
        pass


def test_a_lost_proof_file_is_made_again_before_its_batch_is_posted(folder: Path) -> None:
    with opened(folder) as session:
        session.prover.start()
        while not session.loop.venue.unposted_batches():
            run(session, 1)
        batch = session.loop.venue.unposted_batches()[0]
        path = proof_path(session.paths.proofs, session.loop.venue.batch_record(batch.number).digest)
        assert session.chain.last_batch < batch.number
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with opened(folder) as session:
        assert not session.prover.holds(path.stem)
        session.prover.start()
        run(session, 30, parts=30)
        assert path.read_bytes() == whole
        record = session.loop.venue.batch_record(batch.number)
        assert (record.status, record.digest) == ("final", path.stem)
        assert session.chain.last_batch >= batch.number


def test_a_folder_of_another_configuration_is_refused(folder: Path) -> None:
    other = msgspec.structs.replace(SMALL, seed=99)
    with pytest.raises(OtherVenue, match="--data") as refused, opened(folder, other):
        pass
    assert refused.value.field == "config"
    with opened(folder):
        pass


@pytest.mark.parametrize("name", ["demo-key.json", "demo-key.passphrase.txt"])
def test_a_damaged_key_file_is_refused_by_name_and_left_as_it_is(folder: Path, name: str) -> None:
    path = open_paths(folder).keys / name
    good = path.read_bytes()
    path.write_bytes(good[: len(good) // 2])
    with pytest.raises(KeyFileError, match=name), opened(folder):
        pass
    assert path.read_bytes() == good[: len(good) // 2]
    path.write_bytes(good)
    with opened(folder):
        pass


@pytest.mark.parametrize("gone", ["key", "both", "another"])
def test_a_key_that_is_not_the_account_s_is_refused_and_none_is_made(folder: Path, gone: str) -> None:
    paths = open_paths(folder)
    key, passphrase = paths.keys / DEMO_KEY_NAME, paths.keys / DEMO_PASSPHRASE_NAME
    kept = {path: path.read_bytes() for path in (key, passphrase)}
    blocks = execute(folder, "SELECT count(*) FROM l1_blocks")
    for path in (key,) if gone == "key" else (key, passphrase):
        path.unlink()
    if gone == "another":
        demo_key(paths.keys)
    with pytest.raises(KeyFileError, match="this venue's account belongs to 0x") as refused, opened(folder):
        pass
    assert refused.value.field == "address"
    assert key.exists() == (gone == "another")
    assert execute(folder, "SELECT count(*) FROM l1_blocks") == blocks, "no new grant"
    for path, content in kept.items():
        path.write_bytes(content)
    with opened(folder):
        pass


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "DELETE FROM inputs WHERE sequence > 30",
            r"acknowledged inputs 31 to \d\d+ are missing: the journal ends at 30",
        ),
        ("DELETE FROM inputs", r"acknowledged inputs 1 to \d\d+ are missing"),
        ("DELETE FROM l1_blocks WHERE number > 3", r"L1 blocks after 3, up to \d+, are missing"),
        ("DELETE FROM meta WHERE key = 'config'", "inputs and no configuration"),
    ],
)
def test_rows_missing_at_the_end_are_named_and_nothing_is_written(folder: Path, statement: str, words: str) -> None:
    execute(folder, statement)
    before = [execute(folder, f"SELECT count(*) FROM {table}") for table in ("inputs", "l1_blocks", "meta")]
    with pytest.raises(CorruptData, match=words), opened(folder):
        pass
    assert [execute(folder, f"SELECT count(*) FROM {table}") for table in ("inputs", "l1_blocks", "meta")] == before


def test_a_venue_that_saw_later_blocks_is_refused(folder: Path) -> None:
    execute(folder, "DELETE FROM l1_blocks WHERE number > 3")
    recover(open_paths(folder))
    with pytest.raises(CorruptData, match="L1 ends at block 3, and the venue has seen block"), opened(folder):
        pass
    with pytest.raises(CorruptData, match="L1 ends at block 3, and the venue has seen block"):
        replay(open_paths(folder))


def test_a_journal_behind_the_contract_is_refused(folder: Path) -> None:
    for table in ("inputs", "checkpoints"):
        execute(folder, f"DELETE FROM {table}")
    recover(open_paths(folder))
    words = "L1 has accepted batch .* make only 0: inputs are missing"
    with pytest.raises(CorruptData, match=words) as refused, opened(folder):
        pass
    assert refused.value.field == "inputs"


def test_a_folder_in_the_place_of_a_file_is_said(folder: Path) -> None:
    paths = open_paths(folder)
    paths.lock.unlink()
    paths.lock.mkdir()
    with pytest.raises(BadDataFolder, match="lock cannot be opened: Is a directory"), opened(folder):
        pass
    paths.lock.rmdir()
    paths.journal.unlink()
    paths.journal.mkdir()
    with pytest.raises(JournalError, match=r"journal\.sqlite cannot be opened"), opened(folder):
        pass


def test_one_process_per_folder(folder: Path) -> None:
    with opened(folder) as session:
        with pytest.raises(FolderInUse, match="already open") as refused, opened(folder):
            pass
        assert refused.value.field == "--data"
        session.loop.apply([])
    lock = FolderLock(open_paths(folder).lock)
    lock.release()
    lock.release()
    with opened(folder):
        pass
