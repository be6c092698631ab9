"""The numbers every decision rests on: arrays in, arrays out, no state, no world.

Volatility is annualised, as a fraction; time is in years (ACT/365 from seconds); `sign` is +1 for a call, -1 for a put.
Usable on its own. Nothing here imports the rest of the keeper but its tree of errors.
"""
