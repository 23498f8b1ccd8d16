"""A smart card operating system in memory: command APDUs in, response APDUs out.

Nothing here reads a file, a clock or a random generator: the world comes in as `Env`, and a change
leaves through one `commit`. Start reading at `card.Card`, then `link`, then `command`; the
applications are in `apps`.
"""
