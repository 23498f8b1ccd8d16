"""Host card emulation: a phone as a card. A virtual smart card has nothing to do with it, so all of it says E_NOTIMPL.

The names are there (winrt-smartcards.md, appendix A), so that a script that imports them loads and finds out with
`is_supported()`, as it would on a machine without NFC. Whatever else it calls fails, and says why.
"""

from collections.abc import Callable
from typing import Any

from vsc.winrt import emulation_enums, hresult
from vsc.winrt.errors import WinRTError
from vsc.winrt.projection import Object, RuntimeClass

_CLASSES = {
    "KnownSmartCardAppletIds": "static payment_system_environment proximity_payment_system_environment",
    "SmartCardAppletIdGroup": """static max_applet_ids instance smart_card_emulation_type smart_card_emulation_category
        display_name automatic_enablement applet_ids secure_user_authentication_required logo description properties""",
    "SmartCardAppletIdGroupRegistration": """instance request_activation_policy_change_async/1
        set_automatic_response_apdus_async/1 set_properties_async/1 activation_policy applet_id_group id
        smart_card_reader_id""",
    "SmartCardAutomaticResponseApdu": """instance should_match_length response_apdu command_apdu_bit_mask command_apdu
        applet_id output_state input_state allow_when_cryptogram_generator_not_prepared""",
    "SmartCardCryptogramGenerator": """static get_smart_card_cryptogram_generator_async/0 is_supported/0
        instance create_cryptogram_material_storage_key_async/4 delete_cryptogram_material_package_async/1
        delete_cryptogram_material_storage_key_async/1 get_all_cryptogram_material_characteristics_async/2
        get_all_cryptogram_material_package_characteristics_async/0,1
        get_all_cryptogram_material_package_characteristics_with_storage_key_async/1
        get_all_cryptogram_storage_key_characteristics_async/0 import_cryptogram_material_package_async/4
        request_cryptogram_material_storage_key_info_async/3 request_unlock_cryptogram_material_for_use_async/1
        try_prove_possession_of_cryptogram_material_package_async/5 validate_request_apdu_async/3
        supported_cryptogram_algorithms supported_cryptogram_material_package_confirmation_response_formats
        supported_cryptogram_material_package_formats supported_cryptogram_material_types
        supported_smart_card_cryptogram_storage_key_capabilities""",
    "SmartCardCryptogramGetAllCryptogramMaterialCharacteristicsResult": "instance characteristics operation_status",
    "SmartCardCryptogramGetAllCryptogramMaterialPackageCharacteristicsResult": """instance characteristics
        operation_status""",
    "SmartCardCryptogramGetAllCryptogramStorageKeyCharacteristicsResult": "instance characteristics operation_status",
    "SmartCardCryptogramMaterialCharacteristics": """instance allowed_algorithms allowed_proof_of_possession_algorithms
        allowed_validations material_length material_name material_type protection_method protection_version""",
    "SmartCardCryptogramMaterialPackageCharacteristics": """instance date_imported package_format package_name
        storage_key_name""",
    "SmartCardCryptogramMaterialPossessionProof": "instance operation_status proof",
    "SmartCardCryptogramPlacementStep": """instance template_offset source_data cryptogram_placement_options
        cryptogram_offset cryptogram_material_package_name cryptogram_material_name cryptogram_length
        chained_output_step algorithm""",
    "SmartCardCryptogramStorageKeyCharacteristics": "instance algorithm capabilities date_created storage_key_name",
    "SmartCardCryptogramStorageKeyInfo": """instance attestation attestation_certificate_chain attestation_status
        capabilities operation_status public_key public_key_blob_type operational_requirements""",
    "SmartCardEmulator": """static get_applet_id_group_registrations_async/0 get_default_async/0 is_supported/0
        register_applet_id_group_async/1 unregister_applet_id_group_async/1 max_applet_id_group_registrations
        instance is_host_card_emulation_supported/0 start/0 add_apdu_received/1 remove_apdu_received/1
        add_connection_deactivated/1 remove_connection_deactivated/1 enablement_policy""",
    "SmartCardEmulatorApduReceivedEventArgs": """instance try_respond_async/1,2 try_respond_with_state_async/2
        try_respond_with_cryptograms_async/2,3 try_respond_with_cryptograms_and_state_async/3
        automatic_response_status command_apdu connection_properties state""",
    "SmartCardEmulatorConnectionDeactivatedEventArgs": "instance connection_properties reason",
    "SmartCardEmulatorConnectionProperties": "instance id source",
    "SmartCardTriggerDetails": """instance try_launch_current_app_async/1,2
        try_launch_current_app_with_behavior_async/2 source_applet_id trigger_data trigger_type emulator smart_card""",
}
"""Static members, then those of instances; a method with the numbers of arguments that it takes."""

_CONSTRUCTORS = {
    "SmartCardAppletIdGroup": (0, 4),
    "SmartCardAutomaticResponseApdu": (2,),
    "SmartCardCryptogramGetAllCryptogramMaterialCharacteristicsResult": (0,),
    "SmartCardCryptogramGetAllCryptogramMaterialPackageCharacteristicsResult": (0,),
    "SmartCardCryptogramGetAllCryptogramStorageKeyCharacteristicsResult": (0,),
    "SmartCardCryptogramMaterialCharacteristics": (0,),
    "SmartCardCryptogramMaterialPackageCharacteristics": (0,),
    "SmartCardCryptogramPlacementStep": (0,),
    "SmartCardCryptogramStorageKeyCharacteristics": (0,),
}


def _refused(what: str) -> WinRTError:
    return WinRTError(hresult.E_NOTIMPL, f"{what}: there is no host card emulation here, only smart cards in readers")


def _method(owner: str, name: str, arities: tuple[int, ...]) -> Callable[..., object]:
    def method(self: object, /, *arguments: object) -> object:
        if len(arguments) not in arities:
            words = " or ".join(map(str, arities))
            raise TypeError(f"{owner}.{name}() takes {words} arguments, not {len(arguments)}")
        if name == "is_supported":
            return False
        raise _refused(f"{owner}.{name}")

    method.__name__ = name
    method.__qualname__ = f"{owner}.{name}"
    return method


def _property(owner: str, name: str) -> property:
    def get(self: object) -> object:
        raise _refused(f"{owner}.{name}")

    return property(get)


def _members(owner: str, words: list[str]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for word in words:
        name, _, arities = word.partition("/")
        if arities:
            members[name] = _method(owner, name, tuple(map(int, arities.split(","))))
        else:
            members[name] = _property(owner, name)
    return members


def _class(name: str, words: list[str]) -> type:
    border = words.index("instance") if "instance" in words else len(words)
    static = _members(name, [word for word in words[:border] if word != "static"])
    if name in _CONSTRUCTORS:
        static["__call__"] = _method(name, "__init__", _CONSTRUCTORS[name])
    metaclass = type(f"_{name}Statics", (RuntimeClass,), static)
    made: type = metaclass(name, (Object,), {"__module__": __name__, **_members(name, words[border + 1 :])})
    return made


CLASSES: dict[str, type] = {name: _class(name, words.split()) for name, words in _CLASSES.items()}
"""All of them by name."""

ENUMS = emulation_enums.ENUMS
