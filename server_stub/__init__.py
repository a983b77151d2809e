"""Penstock's reference server: the whole of part A of the contract with part B's framing, over three sources."""

VERSION = "0.1.0"
