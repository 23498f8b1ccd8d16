"""What holds readers for others.

`desk` has the readers and the cards of one `vsc run` or `vsc serve`, `control` is the socket on which others act on it,
`child` runs the command of `vsc run` and ends what it leaves behind, `vpcd` keeps a slot of vpcd like a reader.

For tests `owner` starts a process that serves PC/SC to this one: `process` is what runs there, `owned_desk` what can be
called, `travel` how objects get there and back.
"""
