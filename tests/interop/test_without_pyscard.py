"""vsc on a machine without pyscard, which is an extra: it calls libpcsclite itself."""

from collections.abc import Iterator

import pytest

from tests.interop.vsc_run import Vsc, ordinary_user

READER = "Virtual Smart Card 00 00"


@pytest.fixture
def user() -> Iterator[Vsc]:
    with ordinary_user(Vsc) as user:
        package = user.folder / "hidden" / "smartcard"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise ImportError('hidden')\n")
        user.env["PYTHONPATH"] = str(user.folder / "hidden")
        yield user


def test_what_talks_to_readers(user: Vsc) -> None:
    user("create", "work", "--pin", "default", "--quiet")
    script = f"""set -e
        vsc readers
        vsc pin verify --reader "{READER}" --pin default
        vsc keygen --reader "{READER}" --type rsa:1024 --self-signed CN=Ada --pin default
        vsc transmit --reader "{READER}" 00A4040009A00000039742544659 00200080
        vsc record -o log.jsonl -- vsc transmit --reader "{READER}" 00A4040009A00000039742544659
        vsc eject work
        vsc readers
        ! vsc pin verify --reader "{READER}" --pin default
        ! vsc pin verify --reader Nowhere --pin default"""
    out, err = user("run", "--card", "work", "--", "sh", "-c", script)
    assert out.count(READER) == 3
    assert "The PIN is right.\n" in out
    assert "Made 'Ada': an RSA 1024 key in container 0" in out
    assert "< 63C5  not verified, 5 tries left" in out
    assert "(empty)" in out
    assert f"vsc: there is no card in '{READER}'" in err
    assert "vsc: there is no reader 'Nowhere'" in err
    assert (user.folder / "log.jsonl").stat().st_size > 100


def test_no_service(user: Vsc) -> None:
    nowhere = {"PCSCLITE_CSOCK_NAME": str(user.folder / "nothing")}
    _, err = user("record", "-o", "log", "--", "true", code=1, **nowhere)
    assert "no PC/SC service answers: is pcscd running? (Service not available" in err
