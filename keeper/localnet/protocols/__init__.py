"""The third-party protocols of the local mainnet, deployed as their publishers compiled them."""
