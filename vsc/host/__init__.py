"""The half of the host: what a minidriver does, over any connection to any GIDS card."""
