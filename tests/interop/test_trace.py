"""Traces of real clients, read by people, by programs and by Wireshark; and docs/traces.md, block by block."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.interop.need import require_tool
from tests.interop.vsc_run import Vsc, ordinary_user

PAGE = Path(__file__).parents[2] / "docs" / "traces.md"
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
WRONG = "86427531"
FIELDS = ("gsm_sim.apdu.ins", "gsm_sim.apdu.sw", "frame.protocols", "frame.time_epoch", "frame.comment")


@pytest.fixture
def user() -> Iterator[Vsc]:
    for tool in ("bash", "pkcs11-tool", "pkcs15-tool"):
        require_tool(tool)
    with ordinary_user(Vsc) as user:
        yield user


def packets(user: Vsc, path: str) -> list[list[str]]:
    """What tshark says of each packet, field by field."""
    options = [word for field in FIELDS for word in ("-e", field)]
    with user.start(require_tool("tshark"), "-r", path, "-T", "fields", *options) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return [line.split("\t") for line in out.splitlines()]


def test_a_wrong_pin_in_every_format(user: Vsc) -> None:
    """One login in each, with a PIN that must be nowhere, and the same story in all."""
    login = ("pkcs11-tool", "--login", "--pin", WRONG, "--list-objects")
    for name in ("t.txt", "t.jsonl", "t.pcapng"):
        _, err = user("run", "--trace", name, "--", *login, code=1)
        assert "CKR_PIN_INCORRECT" in err
        raw = (user.folder / name).read_bytes()
        for form in (WRONG.encode(), WRONG.encode().hex().encode(), bytes.fromhex(WRONG)):
            assert form not in raw.lower(), name
        assert b"PIN: wrong value" in raw
    *_, verify, why = (user.folder / "t.txt").read_text().splitlines()
    assert re.fullmatch(
        r" +\d+\.\d{3} +\d+\.\d ms GIDS VERIFY PIN 80, 8 bytes           -> 63C4 not verified, 4 tries left", verify
    )
    assert why.strip() == "why: PIN: wrong value"
    last = json.loads((user.folder / "t.jsonl").read_text().splitlines()[-1])
    assert (last["name"], last["command"], last["hidden"], last["response"]) == ("VERIFY", "0020008008…", 8, "63C4")


def test_a_trace_on_stderr_as_it_happens(user: Vsc) -> None:
    out, err = user("run", "--trace", "-", "--", "pkcs15-tool", "--list-pins")
    assert "Tries left     : 5" in out
    assert "GIDS" not in out
    assert re.search(r"^ +\d\.\d{3} +\d+\.\d ms GIDS SELECT GIDS +-> 9000 done", err, re.MULTILINE)
    _, err = user("run", "--trace", "-", "--trace-format", "jsonl", "--", "pkcs15-tool", "--list-pins")
    assert '{"kind": "apdu"' in err


def test_wireshark_reads_each_command(user: Vsc) -> None:
    user("run", "--trace", "t.jsonl", "--", "pkcs15-tool", "--dump")
    user("trace", "export", "t.jsonl", "t.pcapng")
    head, *lines = map(json.loads, (user.folder / "t.jsonl").read_text().splitlines())
    apdus = [one for one in lines if one["kind"] == "apdu"]
    assert len(apdus) > 20
    found = packets(user, "t.pcapng")
    assert [(ins, sw) for ins, sw, *_ in found] == [
        (f"0x{one['command'][2:4].lower()}", f"0x{one['response'][-4:].lower()}") for one in apdus
    ]
    assert {protocols for _, _, protocols, *_ in found} == {"exported_pdu:gsm_sim"}
    for (*_, epoch, comment), one in zip(found, apdus, strict=True):
        assert float(epoch) == pytest.approx(head["started"] + one["seconds"], abs=1e-5)
        assert one["name"] in comment
        assert one.get("reason", "") in comment


def test_wireshark_reads_what_is_masked(user: Vsc) -> None:
    user("run", "--trace", "t.pcapng", "--", "pkcs15-tool", "--verify-pin", "--pin", WRONG, code=255)
    *_, (ins, sw, protocols, _, comment) = packets(user, "t.pcapng")
    assert (ins, sw, protocols) == ("0x20", "0x63c4", "exported_pdu:gsm_sim")
    assert comment == "GIDS: VERIFY PIN 80, 8 bytes -> 63C4 not verified, 4 tries left; why: PIN: wrong value"


def test_a_key_in_use_and_a_card_that_comes_and_goes(user: Vsc) -> None:
    script = """
        pkcs11-tool --login --pin 12345678 --keypairgen --key-type RSA:2048 --id 00
        echo hello > message
        pkcs11-tool --login --pin 12345678 --sign -m SHA256-RSA-PKCS --id 00 -i message -o signature
        vsc reset new-1
        vsc eject new-1"""
    user("run", "--trace", "t.txt", "--", "bash", "-euc", script)
    text = (user.folder / "t.txt").read_text()
    for words in (
        "GIDS GENERATE ASYMMETRIC KEY PAIR key 81, RSA-2048 -> ",
        "GIDS MSE key 81, sign, RSA-2048",
        "GIDS PSO sign ",
        "signature, 256 bytes",
        "-- card reset\n",
    ):
        assert words in text, text
    assert text.endswith("-- card ejected\n")
    assert "12345678" not in text


def test_the_shell_of_the_page(user: Vsc) -> None:
    require_tool("tshark")
    shell = "".join(block for language, block in BLOCKS if language == "bash")
    with user.start("bash", "-euxo", "pipefail", "-c", shell) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    for words in (
        "GIDS VERIFY PIN 80, 8 bytes           -> 63C4 not verified, 4 tries left",
        "PIN wrong once, 4 tries left; read ",
        " asked for what is not there: PIV, CAC, ",
        "that asked for what is not there are left out; --all shows them.",
        "SCARD_E_NO_SERVICE: no PC/SC service answers",
        "CKR_PIN_INCORRECT: the PIN was wrong",
        "RESET RETRY COUNTER: the admin key is not authenticated now",
        "VERIFY CHV CHV=128 : Unknown status word: 63c4",
    ):
        assert words in out, out


def test_the_python_of_the_page(user: Vsc) -> None:
    (code,) = (block for language, block in BLOCKS if language == "python")
    with user.start(sys.executable, "-c", code) as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, out + err
    assert "why: EF A014: GET is not allowed (missing: admin key; verified: nothing)" in out


def test_the_samples_of_the_page_are_what_is_written() -> None:
    """The JSON lines of the page are read, and the first and the fields are those of now."""
    from vsc.trace.jsonl import dump, parse

    (sample,) = (block for language, block in BLOCKS if language == "json")
    lines = sample.splitlines()
    assert [dump(entry) for entry in parse(lines)] == lines[1:]
