"""`ha-bridge check`: the whole chain, link by link.

`findings/` says what can be wrong, what that means and what to do: data, which
`catalogue` reads; to mend a sentence needs no Python.  A check is a
small function of the `Context` in a module named after its part of the chain; `chain`
runs them in the order of the catalogue, and `report` shows what they found.
"""
