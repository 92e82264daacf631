"""The kinds of service, each with the interface that its objects have to have."""

import inspect
from typing import Protocol

from hatsize.hooks.auth import CredentialChecker, LoginProvider, PasswordProvider, RegistrationDecider
from hatsize.hooks.dns import ChallengePublisher, DNSProvider
from hatsize.hooks.ipam import IPAllocator
from hatsize.hooks.policy import PolicyEngine
from hatsize.hooks.replicas import Replication
from hatsize.hooks.storage import StorageFactory

KINDS: dict[str, type] = {
    "registration_decider": RegistrationDecider,
    "login_provider": LoginProvider,
    "password_provider": PasswordProvider,
    "credential_checker": CredentialChecker,
    "ip_allocator": IPAllocator,
    "dns_provider": DNSProvider,
    "challenge_publisher": ChallengePublisher,
    "policy_engine": PolicyEngine,
    "storage": StorageFactory,
    "replication": Replication,
}
"""By the end of the name of the hook, `hatsize_register_<kind>`."""


def members(interface: type) -> list[str]:
    """What an object of an interface has: its attributes and methods, by name."""
    found: dict[str, object] = {}
    for each in reversed(interface.__mro__[:-1]):
        if each is not Protocol:
            found |= inspect.get_annotations(each) | vars(each)
    return [name for name in found if not name.startswith("_")]
