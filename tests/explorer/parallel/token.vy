# pragma version ^0.4.0
# An ERC-20 token as the parallel assets are: all is minted to the issuer when it is made (flux-eth-bsc: flux.sol).

event Transfer:
    sender: indexed(address)
    receiver: indexed(address)
    units: uint256

name: public(constant(String[4])) = "Flux"
symbol: public(constant(String[4])) = "FLUX"
decimals: public(immutable(uint8))
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(minted: uint256, places: uint8):
    decimals = places
    self.totalSupply = minted
    self.balanceOf[msg.sender] = minted
    log Transfer(sender=empty(address), receiver=msg.sender, units=minted)


@external
def transfer(to: address, units: uint256) -> bool:
    self.balanceOf[msg.sender] -= units
    self.balanceOf[to] += units
    log Transfer(sender=msg.sender, receiver=to, units=units)
    return True


@external
def mint(to: address, units: uint256):
    # The real token has no such function: this is the unbacked mint that a reader must not miss.
    self.totalSupply += units
    self.balanceOf[to] += units
    log Transfer(sender=empty(address), receiver=to, units=units)
