"""How much of what a fault may say."""

MAX_COUNT = 1_000_000
MAX_DELAY_MS = 3_600_000
MAX_ANSWER_BYTES = 65_535
MAX_ATR_BYTES = 33
