"""Which package of Debian has a program that is not there: those that people run with a card."""

_PACKAGES = {
    "opensc": "opensc-tool opensc-explorer pkcs11-tool pkcs15-tool pkcs15-init pkcs15-crypt"
    " gids-tool piv-tool openpgp-tool",
    "pcsc-tools": "pcsc_scan scriptor gscriptor ATR_analysis",
    "pcscd": "pcscd",
    "gnutls-bin": "p11tool certtool gnutls-cli gnutls-serv",
    "p11-kit": "p11-kit",
    "libnss3-tools": "certutil modutil pk12util tstclnt",
    "openssl": "openssl",
    "openssh-client": "ssh ssh-add ssh-agent ssh-keygen scp sftp",
    "gpg": "gpg",
    "gpg-agent": "gpg-agent",
    "gpgsm": "gpgsm",
    "scdaemon": "scdaemon",
    "yubico-piv-tool": "yubico-piv-tool",
    "yubikey-manager": "ykman",
    "vsmartcard-vpicc": "vicc",
    "krb5-user": "kinit klist",
    "openvpn": "openvpn",
    "wpasupplicant": "wpa_supplicant",
    "pamtester": "pamtester",
    "curl": "curl",
    "tshark": "tshark",
    "firefox-esr": "firefox firefox-esr",
    "chromium": "chromium",
    "thunderbird": "thunderbird",
    "default-jre": "java",
    "default-jdk-headless": "javac keytool",
    "python-is-python3": "python",
    "strace": "strace",
    "gdb": "gdb",
    "valgrind": "valgrind",
}


def package_of(program: str) -> str | None:
    """The package that has a program; None: not one of those that are known here, or none."""
    return next((package for package, programs in _PACKAGES.items() if program in programs.split()), None)
