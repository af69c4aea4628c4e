"""Commands about who a profile is, and whether it is open."""

from ledger.account.registrations import (
    change_profile,
    delete_profile,
    register_profile,
    restore_profile,
)
from ledger.commands.handler import Handlers, itself, likely_profile, of_profile, on_account
from schemas.registrations import ChangeProfile, DeleteProfile, RegisterProfile, RestoreProfile

HANDLERS: Handlers = {
    RegisterProfile: on_account(
        of_profile, lambda c, s, _, at: register_profile(c, s, at), likely_profile
    ),
    ChangeProfile: on_account(
        of_profile, lambda c, s, _, at: change_profile(c, s, at), likely_profile
    ),
    DeleteProfile: itself(
        on_account(of_profile, lambda c, s, _, at: delete_profile(c, s, at), likely_profile)
    ),
    RestoreProfile: itself(
        on_account(of_profile, lambda c, s, _, __: restore_profile(c, s), likely_profile)
    ),
}
