"""Record and replay: a log becomes a card that answers from it.

    log = read_log(Path("opensc.log"))
    reader.insert(ReplayCard(log, mode="learnt"))

Logs: OpenSC's debug logs, pcscd's with `--apdu`, our own traces, what tools print, transcripts; told apart by their
content. Secrets are masked as they are read. `RelayCard` is the way to a log of one's own: it stands for a card in any
PC/SC reader, so that whoever follows the reader it is in sees all that passes.
"""

from vsc.replay.card import ReplayCard, profile_of
from vsc.replay.formats import parse_log, read_log
from vsc.replay.log import Log, LogError
from vsc.replay.memory import Mode
from vsc.replay.report import Report

__all__ = ["Log", "LogError", "Mode", "ReplayCard", "Report", "parse_log", "profile_of", "read_log"]
