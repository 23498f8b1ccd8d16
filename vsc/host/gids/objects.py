"""GET DATA and PUT DATA: the files of hosts are data objects, each in an EF and under a tag."""

from card_os.apdu import ResponseApdu
from card_os.apps.gids.wire import Ins, Tag
from card_os.sw import SW
from card_os.tlv import Tlv, parse_all, parse_tags, tag_bytes
from card_os.wire import WireError
from vsc.errors import AuthenticationRequired, VscError
from vsc.host.exchange import Exchange, checked, refused

Place = tuple[int, int]
"""EF and tag."""

# S has 6A88 for an object and 6A82 for a file that is not there; the reference applet agrees (gids.md 2.2).
_ABSENT = frozenset({SW.FILE_NOT_FOUND, SW.REFERENCE_NOT_FOUND})


class Objects:
    """The data objects of the selected application."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def find(self, place: Place) -> bytes | None:
        """Returns the value of an object, or None if the card has it not. Raises as `checked` does."""
        efid, tag = place
        answer = self.ask(efid, bytes(Tlv(Tag.TAG_LIST, tag_bytes(tag))))
        if answer.sw in _ABSENT:
            return None
        raw = checked(answer, f"reading {_name(place)}")
        # An object may stand anywhere in the answer (gids.md 2.2).
        return next((one.value for one in _objects(raw, place) if one.tag == tag), None)

    def ask(self, p1p2: int, data: bytes) -> ResponseApdu:
        """GET DATA, whatever the answer."""
        return self._exchange.send(Ins.GET_DATA, p1p2, data, answers=True)

    def put(self, place: Place, value: bytes) -> None:
        """Writes an object that is not empty; the one before it is replaced. AuthenticationRequired."""
        efid, tag = place
        self._exchange.run(Ins.PUT_DATA, efid, bytes(Tlv(tag, value)), command=f"writing {_name(place)}")

    def delete(self, place: Place) -> None:
        """Takes an object away, if it is there.

        By GIDS one empty PUT DATA deletes; the reference applet empties the object first and deletes an empty one, so
        the second try is for it (gids.md 2.3). Of an object that nobody may read, only the content is sure to go.
        """
        try:
            for _ in range(3):
                if self.find(place) is None:
                    return
                self.put(place, b"")
        except AuthenticationRequired:
            self.put(place, b"")
            return
        raise VscError(f"the card does not let go of {_name(place)}")

    def empty(self, place: Place) -> None:
        """Leaves an object that is there and empty, whichever way the card reads an empty PUT DATA (gids.md 2.3)."""
        for _ in range(3):
            if self.find(place) == b"":
                return
            self.put(place, b"")
        raise VscError(f"the card does not empty {_name(place)}")

    def tags(self, efid: int) -> frozenset[int]:
        """Returns the tags of all objects of an EF; none if the EF is not there or does not say.

        A list of tags is asked for; the reference applet answers the objects themselves (gids.md 2.2).
        """
        answer = self.ask(efid, bytes(Tlv(Tag.TAG_LIST, tag_bytes(Tag.TAG_LIST))))
        if answer.sw != SW.OK:
            return frozenset()
        try:
            objects = parse_all(answer.data)
            if len(objects) == 1 and objects[0].tag == Tag.TAG_LIST:
                return frozenset(parse_tags(objects[0].value))
        except WireError:
            return frozenset()
        return frozenset(one.tag for one in objects)


def _name(place: Place) -> str:
    return f"data object {place[1]:X} of file {place[0]:04X}"


def _objects(raw: bytes, place: Place) -> tuple[Tlv, ...]:
    try:
        return parse_all(raw)
    except WireError:
        raise refused(SW.OK, f"reading {_name(place)}, with an answer that is no data object") from None
