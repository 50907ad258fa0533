# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Proofline test collateral (pUSD)
@license GNU Affero General Public License v3.0 only
@notice An ERC-20 token with 6 decimals that the deployer mints freely. It is worth nothing: it exists so that the
        demo venue can be funded on its embedded chain.
@dev The token itself is snekmate's audited erc20 module, which is licensed AGPL-3.0-only; hence this file's licence.
"""

from snekmate.auth import ownable
from snekmate.tokens import erc20

initializes: ownable
initializes: erc20[ownable := ownable]

exports: (
    erc20.IERC20,
    erc20.name,
    erc20.symbol,
    erc20.decimals,
    erc20.mint,
    erc20.is_minter,
    erc20.owner,
)


@deploy
def __init__():
    ownable.__init__()
    erc20.__init__("Proofline test dollar", "pUSD", 6, "Proofline test dollar", "1")
