"""Commands about profiles. A merge writes to two accounts in one append, the loser's first."""

from ledger.account.profiles import merge_profiles
from ledger.addressing import account_of
from ledger.commands.handler import Handler, Handlers, on_two
from ledger.decider import Circumstances, Decision, View
from ledger.streams import account_stream
from schemas.profiles import MergeProfiles


def _merge(command: MergeProfiles, view: View, at: Circumstances) -> Decision:
    winner, loser = account_of(command.winner, view), account_stream(command.loser)
    both = merge_profiles(command, view.state(winner), view.state(loser), at)
    return on_two(loser, winner, both)


HANDLERS: Handlers = {
    MergeProfiles: Handler(_merge, lambda command: account_stream(command.loser)),
}
