"""The protocol: transcript, grinding, parameters, security, prover, verifier, proof bytes."""
