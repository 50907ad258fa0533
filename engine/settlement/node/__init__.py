"""An Ethereum node over JSON-RPC as the venue's L1, through web3.py. Nothing outside imports it before a node is asked
for: the embedded chain needs none of it."""
