"""`python -m vsc`: the same as `vsc`."""

from vsc.cli.__main__ import main

if __name__ == "__main__":
    main()
