"""Places where cards are plugged in: this process, a surrounding `vsc run`, pcscd."""
