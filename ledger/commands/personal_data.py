"""Commands about personal data."""

from ledger.account.personal_data import erase_personal_data
from ledger.commands.handler import Handlers, likely_profile, of_profile, on_account
from schemas.personal_data import ErasePersonalData

HANDLERS: Handlers = {
    ErasePersonalData: on_account(
        of_profile, lambda c, s, _, at: erase_personal_data(c, s, at), likely_profile
    ),
}
