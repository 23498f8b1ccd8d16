"""The words of a question, the same on a terminal and in a pinentry window."""

from dataclasses import replace

from card_os.pin import CharacterRule, PinPolicy
from vsc.errors import PinPolicyViolation
from vsc.interaction.port import Question, QuestionKind
from vsc.text.printable import printable

_CLASSES = {
    "uppercase": "capital letters",
    "lowercase": "small letters",
    "digits": "digits",
    "special": "special characters",
    "other": "blanks and other characters",
}


def title(question: Question) -> str:
    """Says what it is about, in one line."""
    card = f"the card '{printable(question.card)}'"
    match question.kind:
        case QuestionKind.NEW_PIN:
            return f"Choose a new PIN for {card}."
        case QuestionKind.CURRENT_PIN:
            return f"Enter the PIN of {card}."
        case QuestionKind.DELETION:
            return f"Delete {card} and its keys for good?"


def details(question: Question) -> tuple[str, ...]:
    """Says what to know before the answer, a line each: the rules for a new PIN, the tries left of a current one."""
    lines = []
    if question.kind is QuestionKind.NEW_PIN and question.policy is not None:
        lines.append(rules(question.policy))
    if question.tries_left is not None:
        lines.append(f"{question.tries_left} {'try' if question.tries_left == 1 else 'tries'} left.")
    return tuple(lines)


def problem(question: Question) -> str | None:
    """Says why it is asked again, as a sentence."""
    if not question.problem:
        return None
    text = printable(question.problem)
    return f"{text[0].upper()}{text[1:].rstrip('.')}."


def violation(question: Question, pin: str) -> str | None:
    """Says why a new PIN is not even to be repeated, as a sentence; None: it keeps to the rules."""
    if question.policy is None:
        return None
    broken = question.policy.violations(pin.encode(errors="surrogateescape"))
    return problem(replace(question, problem=str(PinPolicyViolation(broken)))) if broken else None


def rules(policy: PinPolicy) -> str:
    """Says a policy in one sentence."""
    lengths = f"{policy.min_length} to {policy.max_length}"
    parts = [f"{policy.min_length if policy.min_length == policy.max_length else lengths} characters"]
    for rule, words in ((CharacterRule.REQUIRE_AT_LEAST_ONE, "with"), (CharacterRule.DISALLOW, "no")):
        names = [name for field, name in _CLASSES.items() if getattr(policy, field) == rule]
        if names:
            parts.append(f"{words} {', '.join(names)}")
    return f"{'; '.join(parts)}."
