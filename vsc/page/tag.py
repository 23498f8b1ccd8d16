"""Names of data objects, for the trees of the page: the interindustry ones, and those inside a template of theirs.

Spec: ISO/IEC 7816-4 tables on interindustry data objects and control parameters; ISO/IEC 7816-6 for 5F and 7F.
"""

NAMES = {
    "4F": "application identifier",
    "50": "application label",
    "53": "discretionary data",
    "5C": "tag list",
    "5F2F": "PIN usage policy",
    "61": "application template",
    "62": "file control parameters",
    "64": "file management data",
    "6F": "file control information",
    "73": "discretionary template",
    "79": "coexistent tag allocation authority",
    "7B": "security environment template",
    "7C": "dynamic authentication template",
    "7F21": "certificate",
    "7F48": "private key template",
    "7F49": "public key template",
    "7F4C": "certificate holder authorisation",
    "7F4E": "certificate body",
    "A4": "control reference template: authentication",
    "A5": "proprietary information",
    "B6": "control reference template: signature",
    "B8": "control reference template: confidentiality",
}
"""By tag in hexadecimal."""

_FILE = {
    "80": "bytes of data",
    "81": "bytes of the file",
    "82": "file descriptor",
    "83": "file identifier",
    "84": "DF name",
    "86": "security attribute, proprietary",
    "87": "file with more control information",
    "88": "short EF identifier",
    "8A": "life cycle status",
    "8B": "security attribute, referenced",
    "8C": "security attribute, compact",
    "8D": "file with security environments",
    "A5": "proprietary information",
    "AB": "security attribute, expanded",
}
_PUBLIC_KEY = {"81": "modulus, or prime", "82": "public exponent", "86": "public point"}
_CONTROL_REFERENCE = {"80": "algorithm", "83": "key reference", "84": "key reference"}

INSIDE = {
    "62": _FILE,
    "6F": _FILE,
    "7C": {"80": "witness", "81": "challenge", "82": "response", "84": "committed challenge", "85": "exponentiation"},
    "7F49": _PUBLIC_KEY,
    "A4": _CONTROL_REFERENCE,
    "B6": _CONTROL_REFERENCE,
    "B8": _CONTROL_REFERENCE,
}
"""What context-specific tags mean inside a template."""
