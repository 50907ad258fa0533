"""What a proof file holds, for people: decoded, not verified. ``engine.proving.prover.verify_file`` verifies.

Nothing here decides anything. A summary of a false proof is as orderly as one of a true proof; whoever shows it says
which of the two was found.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from engine.exchange.config import VenueConfig
from engine.field.extension import DEGREE, Extension
from engine.hashing.keccak import keccak256
from engine.proving.coverage import STATEMENT_NAME
from engine.proving.parameters import Profile
from engine.proving.proof_file import open_file
from engine.proving.statement import (
    Claim,
    build_statement,
    claim_inputs,
    claim_outputs,
    claim_terms,
)
from engine.stark.air.layout import Layout, layout_of
from engine.stark.parameters import Parameters
from engine.stark.pcs.schedule import Shape, TreeShape, phase_trees
from engine.stark.protocol.proof import DIGEST, Proof, decode, fri_trees
from engine.stark.protocol.security import SecurityReport, assess

ELEMENT = 4
PHASES = ("main", "auxiliary", "quotient")


@dataclass(frozen=True, slots=True)
class TableFacts:
    """A table of the statement: 2^``log_height`` rows, base ``columns``, extension columns for lookups, constraints."""

    name: str
    log_height: int
    columns: int
    auxiliary: int
    constraints: int


@dataclass(frozen=True, slots=True)
class FriLayer:
    """A FRI layer: 2^``log_leaves`` leaves of 2^``log_arity`` extension elements under ``root``."""

    root: bytes
    log_leaves: int
    log_arity: int


@dataclass(frozen=True, slots=True)
class Nonce:
    """A proof-of-work nonce that stands for ``bits`` bits of work."""

    name: str
    value: int
    bits: int


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the file and its length in bytes."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class ProofSummary:
    """Everything that a proof file says, in the order in which people ask.

    ``digest``: hex SHA-256 of the file. ``commitments``: (phase, root of its Merkle tree). ``parts`` add up to the
    file's length. ``security``: the level that an accepted proof with these heights has.
    """

    size: int
    digest: str
    statement: str
    statement_id: bytes
    profile: Profile
    config: VenueConfig
    claim: Claim
    public_inputs: tuple[int, ...]
    outputs_hash: bytes
    tables: tuple[TableFacts, ...]
    commitments: tuple[tuple[str, bytes], ...]
    layers: tuple[FriLayer, ...]
    final: tuple[Extension, ...]
    nonces: tuple[Nonce, ...]
    parts: tuple[Part, ...]
    security: SecurityReport

    @property
    def parameters(self) -> Parameters:
        """The verifier's parameters: those of the profile that the file names."""
        return self.profile.parameters

    def lines(self) -> list[str]:
        """Parameters, public inputs, commitments, nonces and sizes, for people."""
        rule = ", ".join(f"{name} {value}" for name, value in asdict(self.parameters).items())
        lines = [f"profile              {self.profile.name}"]
        lines += [f"parameters           {rule}", f"public inputs        {len(self.public_inputs)} field elements:"]
        lines += ["  " + " ".join(str(word) for word in row) for row in _rows(self.public_inputs, 8)]
        lines.append(f"keccak of outputs    0x{self.outputs_hash.hex()}")
        lines.append("tables               rows, columns, lookup columns, constraints")
        for table in self.tables:
            sizes = f"2^{table.log_height}, {table.columns}, {table.auxiliary}, {table.constraints}"
            lines.append(f"  {table.name:<18} {sizes}")
        lines.append("commitments          roots of the Merkle trees (Keccak-256)")
        lines += [f"  {name:<18} 0x{root.hex()}" for name, root in self.commitments]
        for number, layer in enumerate(self.layers, start=1):
            lines.append(f"  {layer_name(number, layer):<18} 0x{layer.root.hex()}")
        lines.append(f"last polynomial      {len(self.final)} coefficients, constant term first")
        lines += ["  " + " ".join(str(word) for word in coefficient) for coefficient in self.final]
        lines.append("work                 nonces and the bits of work that each stands for")
        lines += [f"  {nonce.name:<18} {nonce.value} ({nonce.bits} bits)" for nonce in self.nonces]
        lines.append(f"parts                {self.size:,} bytes")
        return lines + [f"  {part.name:<28} {part.size:>9,}" for part in self.parts]


def layer_name(number: int, layer: FriLayer) -> str:
    """``FRI 1, fold by 8``; layers are numbered from 1."""
    return f"FRI {number}, fold by {1 << layer.log_arity}"


def summarise(data: bytes) -> ProofSummary:
    """Decode a proof file without verifying it.

    Raises :class:`engine.stark.errors.VerificationError` as ``verify_file`` does for a file that does not decode.
    """
    file = open_file(data)
    claim, shape, profile = file.claim, file.shape, file.profile
    layout, parameters = layout_of(build_statement(shape)), profile.parameters
    proof, proof_shape = decode(file.proof, layout, parameters)
    return ProofSummary(
        size=len(data),
        digest=hashlib.sha256(data).hexdigest(),
        statement=STATEMENT_NAME,
        statement_id=file.statement_id,
        profile=profile,
        config=file.config,
        claim=claim,
        public_inputs=claim_inputs(claim),
        outputs_hash=keccak256(claim_outputs(claim)),
        tables=_tables(layout, proof),
        commitments=tuple(zip(PHASES, (proof.main_root, proof.auxiliary_root, proof.quotient_root), strict=True)),
        layers=_layers(proof, proof_shape),
        final=proof.final,
        nonces=_nonces(proof, parameters),
        parts=(
            Part("header", len(data) - len(file.proof)),
            *_parts(layout, proof_shape, parameters, len(file.proof)),
        ),
        security=assess(layout, proof.log_heights, parameters, len(claim_terms(claim, shape))),
    )


def _rows(words: Sequence[int], width: int) -> list[Sequence[int]]:
    return [words[at : at + width] for at in range(0, len(words), width)]


def _tables(layout: Layout, proof: Proof) -> tuple[TableFacts, ...]:
    return tuple(
        TableFacts(entry.table.name, height, entry.width, entry.auxiliary, entry.constraint_count)
        for entry, height in zip(layout.tables, proof.log_heights, strict=True)
    )


def _layers(proof: Proof, shape: Shape) -> tuple[FriLayer, ...]:
    trees = fri_trees(shape)
    return tuple(
        FriLayer(root, tree.depth, log_arity)
        for root, tree, log_arity in zip(proof.fri_roots, trees, shape.schedule, strict=True)
    )


def _nonces(proof: Proof, parameters: Parameters) -> tuple[Nonce, ...]:
    folds = (Nonce(f"folding {k}", n, parameters.folding_grinding) for k, n in enumerate(proof.fri_nonces, start=1))
    return (
        Nonce("lookup", proof.lookup_nonce, parameters.lookup_grinding),
        Nonce("deep", proof.deep_nonce, parameters.deep_grinding),
        Nonce("batching", proof.batching_nonce, parameters.batching_grinding),
        *folds,
        Nonce("query", proof.query_nonce, parameters.query_grinding),
    )


def _parts(layout: Layout, shape: Shape, parameters: Parameters, total: int) -> list[Part]:
    """Lengths by the encoding's own tables (``stark.protocol.proof``); what is left are digests, sums and nonces."""
    queries, parts = parameters.queries, []
    parts.append(Part("out-of-domain values", ELEMENT * DEGREE * sum(table.opened for table in layout.tables)))
    parts.append(Part("last polynomial", ELEMENT * DEGREE << shape.log_final))
    for name, tree in zip(PHASES, phase_trees(layout, shape), strict=True):
        parts += _tree_parts(f"{name}, {queries} rows", f"{name}, {queries} paths", tree, queries)
    layers = [_tree_parts("", "", tree, queries) for tree in fri_trees(shape)]
    parts.append(Part(f"FRI, {queries} x {len(layers)} siblings", sum(rows.size for rows, _ in layers)))
    parts.append(Part(f"FRI, {queries} x {len(layers)} paths", sum(paths.size for _, paths in layers)))
    return [Part("digests, roots, sums, nonces", total - sum(part.size for part in parts)), *parts]


def _tree_parts(rows: str, paths: str, tree: TreeShape, queries: int) -> tuple[Part, Part]:
    return (
        Part(rows, queries * ELEMENT * tree.row_elements),
        Part(paths, queries * DIGEST * tree.depth),
    )
