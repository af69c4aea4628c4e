"""Commands about personal data."""

from ledger.account.personal_data import erase_personal_data
from ledger.account.state import Account
from ledger.commands.handler import Handler, Handlers, likely_profile, of_profile
from ledger.decider import Circumstances, Decision, View
from ledger.streams import account_stream
from schemas.personal_data import ErasePersonalData


def _erase(command: ErasePersonalData, view: View, at: Circumstances) -> Decision:
    """The names of a merged profile's identities are still those of its own stream."""
    stream_id = of_profile(command, view)
    account: Account = view.state(stream_id)
    written = tuple((stream_id, event) for event in erase_personal_data(command, account, at))
    absorbed = (account_stream(each) for each in account.absorbed)
    return Decision(stream_id, written, forgets=(stream_id, *absorbed))


HANDLERS: Handlers = {ErasePersonalData: Handler(_erase, likely_profile)}
