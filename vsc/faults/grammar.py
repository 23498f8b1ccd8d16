"""The grammar: one line of short English to the fields of a `Fault`.

    FAULT    = EFFECT [SELECTOR]...
    EFFECT   = sw SW | answer ANSWER | delay TIME | mute | atr ATR | tear before commit N | tear after commit N
             | cut | close | garble | remove | swap | reset | stall TIME | share | lose | gone
    SELECTOR = on COMMAND | before COMMAND | after COMMAND | between COMMAND and COMMAND | on reset
             | in APPLICATION | nth N | after N | every | optional | and back
    COMMAND  = a name of the command tables ('-' or quotes for blanks), INS HH, any

Words are separated by blanks, in upper or lower case; selectors come in any order, each once.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from vsc.faults.bounds import MAX_ANSWER_BYTES, MAX_ATR_BYTES, MAX_COUNT, MAX_DELAY_MS
from vsc.faults.command import ANY, CommandName, application_names, names, normal, spelt
from vsc.faults.effect import TABLE, Argument, Effect, Place
from vsc.faults.errors import FaultSyntaxError

_WORD = re.compile(r"\"[^\"]*\"|'[^']*'|[^\s\"']+|[\"']")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_TIME = re.compile(r"(\d{1,9})(?:\.(\d{1,3}))?(ms|s)", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}", re.ASCII)
_MS = {"ms": 1, "s": 1000}
_CLOSE_ENOUGH = 0.6


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    column: int
    is_quoted: bool

    @property
    def key(self) -> str:
        """As a keyword; quoted it is none."""
        return "" if self.is_quoted else self.text.casefold()


def parsed(text: str) -> dict[str, Any]:
    """The fields of a fault. FaultSyntaxError says what is wrong, where, and what would be right."""
    return _Parser(text).parse()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._words = [_word(match) for match in _WORD.finditer(text)]
        self._next = 0
        self._fields: dict[str, Any] = {}
        self._passed: int | None = None
        """Of `after N`: how many commands must have passed."""

    def parse(self) -> dict[str, Any]:
        effect = self._effect()
        self._fields["effect"] = effect
        argument = TABLE[effect].argument
        if argument is not Argument.NONE:
            self._fields["value"] = self._value(effect, argument)
        while (word := self._take()) is not None:
            self._selector(effect, word)
        self._settle_count(effect)
        return self._fields

    # --- the effect and its value

    def _effect(self) -> Effect:
        firsts = tuple(dict.fromkeys(effect.value.split()[0] for effect in Effect))
        word = self._expect("a fault begins with what happens", firsts)
        if word.key == "tear":
            moment = self._expect("the power goes before or after a commit", ("before", "after"))
            if moment.key in ("before", "after"):
                if self._expect("it is a commit that is torn", ("commit",)).key != "commit":
                    raise self._wrong(self._last, "it is a commit that is torn", ("commit",))
                return Effect.TEAR_BEFORE if moment.key == "before" else Effect.TEAR_AFTER
            raise self._wrong(moment, "the power goes before or after a commit", ("before", "after"))
        if word.key not in firsts:
            raise self._unknown(word, "happens", firsts)
        return Effect(word.key)

    def _value(self, effect: Effect, argument: Argument) -> bytes | int:
        if argument is Argument.COMMIT:
            word = self._peek()
            return self._number() if word is not None and _NUMBER.fullmatch(word.text) else 1
        right = _EXAMPLES[argument]
        word = self._expect(f"'{effect.value}' needs a value", (right,))
        if argument is Argument.TIME:
            return self._milliseconds(word)
        if not _HEX.fullmatch(word.text):
            raise self._wrong(word, f"{word.text!r} is no {_NAMES[argument]}", (right,))
        value = bytes.fromhex(word.text)
        least, most = _LENGTHS[argument]
        if not least <= len(value) <= most:
            size = f"{least} to {most}" if least != most else str(least)
            raise self._wrong(word, f"the {_NAMES[argument]} has {len(value)} bytes in place of {size}", (right,))
        return value

    def _milliseconds(self, word: _Word) -> int:
        match = _TIME.fullmatch(word.text.casefold())
        if match is None:
            raise self._wrong(word, f"{word.text!r} is no time", (_EXAMPLES[Argument.TIME],))
        whole, part, unit = match.groups()
        thousandths = int(whole) * 1000 + int((part or "").ljust(3, "0"))
        value, rest = divmod(thousandths * _MS[unit], 1000)
        if rest or not 1 <= value <= MAX_DELAY_MS:
            raise self._wrong(word, "a delay is 1ms to 3600s", (_EXAMPLES[Argument.TIME],))
        return value

    # --- selectors

    def _selector(self, effect: Effect, word: _Word) -> None:
        following = self._peek()
        match word.key:
            case "on" if following is not None and following.key == "reset" and Place.RESET in TABLE[effect].places:
                self._take()
                self._place(effect, word, Place.RESET)
            case "after" if following is not None and _NUMBER.fullmatch(following.text):
                self._once(word, "passed", self._passed is not None)
                self._passed = self._number()
            case "on" | "before" | "after":
                self._place(effect, word, Place(word.key))
                self._set(word, "command", self._command())
            case "between":
                self._place(effect, word, Place.BETWEEN)
                self._set(word, "since", self._command())
                if self._expect("'between' names two commands", ("and",)).key != "and":
                    raise self._wrong(self._last, "'between' names two commands", ("and",))
                self._set(word, "command", self._command())
            case "in":
                self._set(word, "application", self._application())
            case "nth":
                self._set(word, "nth", self._number())
            case "every" | "optional":
                self._set(word, word.key, True)
            case "and":
                if self._expect("'and' goes with 'back'", ("back",)).key != "back":
                    raise self._wrong(self._last, "'and' goes with 'back'", ("back",))
                if not TABLE[effect].goes_back:
                    raise self._wrong(word, f"'{effect.value}' takes nothing away that could come back")
                self._set(word, "back", True)
            case _:
                raise self._unknown(word, "can stand here", self._selectors(effect))

    def _place(self, effect: Effect, word: _Word, place: Place) -> None:
        if place not in TABLE[effect].places:
            raise self._wrong(word, f"'{effect.value}' does not strike '{place.value}'", self._selectors(effect))
        self._set(word, "place", place)

    def _selectors(self, effect: Effect) -> tuple[str, ...]:
        row = TABLE[effect]
        found = [_PLACES[place] for place in row.places]
        if row.places != (Place.RESET,):
            found.append("in APPLICATION")
        found += [] if effect.is_tear else ["nth N", "after N"]
        return (*found, "every", "optional", *(["and back"] if row.goes_back else []))

    def _settle_count(self, effect: Effect) -> None:
        """`after N` without a place is one: after the N-th command, for what can strike there."""
        if self._passed is None:
            return
        if "nth" in self._fields or effect.is_tear:
            problem = "it has two counts: 'nth N', 'after N' and 'commit N' exclude each other"
            raise FaultSyntaxError(self._text, 1, problem)
        if "place" not in self._fields and Place.AFTER in TABLE[effect].places:
            self._fields |= {"place": Place.AFTER, "nth": self._passed}
        else:
            self._fields["nth"] = self._passed + 1

    def _command(self) -> CommandName:
        right = ("any", "INS HH", *map(spelt, names()))
        word = self._expect("a command is missing", right)
        if word.key == "any":
            return ANY
        if word.key == "ins":
            digits = self._expect("an instruction is missing", ("INS 20",))
            if len(digits.text) != 2 or not _HEX.fullmatch(digits.text):
                raise self._wrong(digits, f"{digits.text!r} is no instruction", ("INS 20",))
            return CommandName(f"INS {digits.text.upper()}")
        for name in names():
            if normal(name) == normal(word.text):
                return CommandName(name)
        raise self._unknown(word, "is a command", right)

    def _application(self) -> str:
        right = tuple(map(spelt, application_names()))
        word = self._expect("an application is missing", right)
        for name in application_names():
            if normal(name) == normal(word.text):
                return name
        raise self._unknown(word, "is an application", right)

    def _number(self) -> int:
        word = self._expect("a number is missing", (f"1 to {MAX_COUNT}",))
        if not _NUMBER.fullmatch(word.text) or not 1 <= int(word.text) <= MAX_COUNT:
            raise self._wrong(word, f"{word.text!r} is no count", (f"1 to {MAX_COUNT}",))
        return int(word.text)

    # --- words

    def _peek(self) -> _Word | None:
        return self._words[self._next] if self._next < len(self._words) else None

    def _take(self) -> _Word | None:
        word = self._peek()
        self._next += word is not None
        return word

    @property
    def _last(self) -> _Word:
        return self._words[self._next - 1]

    def _expect(self, problem: str, right: tuple[str, ...]) -> _Word:
        word = self._take()
        if word is None:
            raise FaultSyntaxError(self._text, len(self._text) + 1, problem, right)
        return word

    def _set(self, word: _Word, name: str, value: object) -> None:
        self._once(word, name, name in self._fields)
        self._fields[name] = value

    def _once(self, word: _Word, name: str, is_given: bool) -> None:
        if is_given:
            raise self._wrong(word, f"'{word.text}' says again what was said before")

    def _wrong(self, word: _Word, problem: str, right: tuple[str, ...] = ()) -> FaultSyntaxError:
        return FaultSyntaxError(self._text, word.column, problem, right)

    def _unknown(self, word: _Word, what: str, right: tuple[str, ...]) -> FaultSyntaxError:
        close = get_close_matches(word.text.casefold(), [one.casefold() for one in right], n=1, cutoff=_CLOSE_ENOUGH)
        hint = next((f", did you mean {one!r}?" for one in right if close and one.casefold() == close[0]), "")
        return FaultSyntaxError(self._text, word.column, f"nothing that {what} is called {word.text!r}{hint}", right)


def _word(match: re.Match[str]) -> _Word:
    raw = match.group()
    is_quoted = len(raw) > 1 and raw[0] in "\"'"
    return _Word(raw[1:-1] if is_quoted else raw, match.start() + 1, is_quoted)


_NAMES = {Argument.SW: "status word", Argument.ANSWER: "answer", Argument.ATR: "ATR"}
_EXAMPLES = {
    Argument.SW: "four hexadecimal digits, as in sw 6F00",
    Argument.ANSWER: "hexadecimal digits with the status word last, as in answer DEADBEEF9000",
    Argument.ATR: "hexadecimal digits, as in atr 3B00",
    Argument.TIME: "a time, as in delay 2s or delay 500ms",
}
_LENGTHS = {Argument.SW: (2, 2), Argument.ANSWER: (2, MAX_ANSWER_BYTES), Argument.ATR: (2, MAX_ATR_BYTES)}
_PLACES = {
    Place.ON: "on COMMAND",
    Place.BEFORE: "before COMMAND",
    Place.AFTER: "after COMMAND",
    Place.BETWEEN: "between COMMAND and COMMAND",
    Place.RESET: "on reset",
}
