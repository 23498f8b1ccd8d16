"""The enumerations of host card emulation, which nothing here uses: scripts that name them load (appendix A)."""

from enum import Enum, IntFlag

from vsc.winrt.enums import WinrtIntEnum


class SmartCardActivationPolicyChangeResult(WinrtIntEnum):
    DENIED = 0
    ALLOWED = 1


class SmartCardAppletIdGroupActivationPolicy(WinrtIntEnum):
    DISABLED = 0
    FOREGROUND_OVERRIDE = 1
    ENABLED = 2


class SmartCardAutomaticResponseStatus(WinrtIntEnum):
    NONE = 0
    SUCCESS = 1
    UNKNOWN_ERROR = 2


class SmartCardCryptogramAlgorithm(WinrtIntEnum):
    NONE = 0
    CBC_MAC = 1
    CVC3_UMD = 2
    DECIMALIZED_MSD = 3
    CVC3_M_D = 4
    SHA1 = 5
    SIGNED_DYNAMIC_APPLICATION_DATA = 6
    RSA_PKCS1 = 7
    SHA256_HMAC = 8


class SmartCardCryptogramGeneratorOperationStatus(WinrtIntEnum):
    SUCCESS = 0
    AUTHORIZATION_FAILED = 1
    AUTHORIZATION_CANCELED = 2
    AUTHORIZATION_REQUIRED = 3
    CRYPTOGRAM_MATERIAL_PACKAGE_STORAGE_KEY_EXISTS = 4
    NO_CRYPTOGRAM_MATERIAL_PACKAGE_STORAGE_KEY = 5
    NO_CRYPTOGRAM_MATERIAL_PACKAGE = 6
    UNSUPPORTED_CRYPTOGRAM_MATERIAL_PACKAGE = 7
    UNKNOWN_CRYPTOGRAM_MATERIAL_NAME = 8
    INVALID_CRYPTOGRAM_MATERIAL_USAGE = 9
    APDU_RESPONSE_NOT_SENT = 10
    OTHER_ERROR = 11
    VALIDATION_FAILED = 12
    NOT_SUPPORTED = 13


class SmartCardCryptogramMaterialPackageConfirmationResponseFormat(WinrtIntEnum):
    NONE = 0
    VISA_HMAC = 1


class SmartCardCryptogramMaterialPackageFormat(WinrtIntEnum):
    NONE = 0
    JWE_RSA_PKI = 1


class SmartCardCryptogramMaterialProtectionMethod(WinrtIntEnum):
    NONE = 0
    WHITE_BOXING = 1


class SmartCardCryptogramMaterialType(WinrtIntEnum):
    NONE = 0
    STATIC_DATA_AUTHENTICATION = 1
    TRIPLE_DES112 = 2
    AES = 3
    RSA_PKCS1 = 4


class SmartCardCryptogramPlacementOptions(IntFlag):
    NONE = 0
    UNITS_ARE_IN_NIBBLES = 1
    CHAIN_OUTPUT = 2


class SmartCardCryptogramStorageKeyAlgorithm(WinrtIntEnum):
    NONE = 0
    RSA2048 = 1


class SmartCardCryptogramStorageKeyCapabilities(IntFlag):
    NONE = 0
    HARDWARE_PROTECTION = 1
    UNLOCK_PROMPT = 2


class SmartCardCryptographicKeyAttestationStatus(WinrtIntEnum):
    NO_ATTESTATION = 0
    SOFTWARE_KEY_WITHOUT_TPM = 1
    SOFTWARE_KEY_WITH_TPM = 2
    TPM_KEY_UNKNOWN_ATTESTATION_STATUS = 3
    TPM_KEY_WITHOUT_ATTESTATION_CAPABILITY = 4
    TPM_KEY_WITH_TEMPORARY_ATTESTATION_FAILURE = 5
    TPM_KEY_WITH_LONG_TERM_ATTESTATION_FAILURE = 6
    TPM_KEY_WITH_ATTESTATION = 7


class SmartCardEmulationCategory(WinrtIntEnum):
    OTHER = 0
    PAYMENT = 1


class SmartCardEmulationType(WinrtIntEnum):
    HOST = 0
    UICC = 1
    EMBEDDED_S_E = 2


class SmartCardEmulatorConnectionDeactivatedReason(WinrtIntEnum):
    CONNECTION_LOST = 0
    CONNECTION_REDIRECTED = 1


class SmartCardEmulatorConnectionSource(WinrtIntEnum):
    UNKNOWN = 0
    NFC_READER = 1


class SmartCardEmulatorEnablementPolicy(WinrtIntEnum):
    NEVER = 0
    ALWAYS = 1
    SCREEN_ON = 2
    SCREEN_UNLOCKED = 3


class SmartCardLaunchBehavior(WinrtIntEnum):
    DEFAULT = 0
    ABOVE_LOCK = 1


class SmartCardTriggerType(WinrtIntEnum):
    EMULATOR_TRANSACTION = 0
    EMULATOR_NEAR_FIELD_ENTRY = 1
    EMULATOR_NEAR_FIELD_EXIT = 2
    EMULATOR_HOST_APPLICATION_ACTIVATED = 3
    EMULATOR_APPLET_ID_GROUP_REGISTRATION_CHANGED = 4
    READER_CARD_ADDED = 5


class SmartCardUnlockPromptingBehavior(WinrtIntEnum):
    ALLOW_UNLOCK_PROMPT = 0
    REQUIRE_UNLOCK_PROMPT = 1
    PREVENT_UNLOCK_PROMPT = 2


ENUMS: dict[str, type[Enum]] = {
    name: value
    for name, value in list(globals().items())
    if name.startswith("SmartCard") and isinstance(value, type) and issubclass(value, Enum)
}
"""All of them by name."""
