# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Proofline test collateral (pUSD)
@notice An ERC-20 token (EIP-20) with 6 decimals that its deployer mints freely. It is worth nothing: it exists so that
        the demo venue can be funded on its chain.
@dev Overflow and underflow revert in Vyper; the assertions before them are for their words. Nobody's balance can
     exceed the supply, so a receiver's addition cannot overflow once minting did not.
"""

from ethereum.ercs import IERC20

implements: IERC20

name: public(constant(String[21])) = "Proofline test dollar"
symbol: public(constant(String[4])) = "pUSD"
decimals: public(constant(uint8)) = 6
MINTER: public(immutable(address))

totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])


@deploy
def __init__():
    """
    @notice Whoever deploys may mint.
    """
    MINTER = msg.sender


@external
def mint(owner: address, amount: uint256):
    """
    @notice Make `amount` quanta out of nothing for `owner`.
    """
    assert msg.sender == MINTER, "token: only the minter"
    assert owner != empty(address), "token: no receiver"
    self.totalSupply += amount
    self.balanceOf[owner] += amount
    log IERC20.Transfer(sender=empty(address), receiver=owner, value=amount)


@external
def transfer(_to: address, _value: uint256) -> bool:
    """
    @notice Move the caller's quanta; true, or a revert.
    """
    self._move(msg.sender, _to, _value)
    return True


@external
def approve(_spender: address, _value: uint256) -> bool:
    """
    @notice Let `_spender` move as much of the caller's, in place of what was allowed before.
    """
    self.allowance[msg.sender][_spender] = _value
    log IERC20.Approval(owner=msg.sender, spender=_spender, value=_value)
    return True


@external
def transferFrom(_from: address, _to: address, _value: uint256) -> bool:
    """
    @notice Move another's quanta within what he allowed the caller; an allowance of 2^256 - 1 stays as it is.
    """
    allowed: uint256 = self.allowance[_from][msg.sender]
    if allowed != max_value(uint256):
        assert allowed >= _value, "token: insufficient allowance"
        self.allowance[_from][msg.sender] = unsafe_sub(allowed, _value)
    self._move(_from, _to, _value)
    return True


@internal
def _move(owner: address, receiver: address, amount: uint256):
    assert receiver != empty(address), "token: no receiver"
    held: uint256 = self.balanceOf[owner]
    assert held >= amount, "token: insufficient balance"
    self.balanceOf[owner] = unsafe_sub(held, amount)
    self.balanceOf[receiver] = unsafe_add(self.balanceOf[receiver], amount)
    log IERC20.Transfer(sender=owner, receiver=receiver, value=amount)
