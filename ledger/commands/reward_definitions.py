"""Commands about reward definitions."""

from ledger.commands.handler import Handlers, on_programme
from ledger.programme.reward_definitions import (
    add_reward_definition,
    archive_reward_definition,
    change_reward_definition,
)
from schemas.reward_definitions import (
    AddRewardDefinition,
    ArchiveRewardDefinition,
    ChangeRewardDefinition,
)

HANDLERS: Handlers = {
    AddRewardDefinition: on_programme(add_reward_definition),
    ChangeRewardDefinition: on_programme(change_reward_definition),
    ArchiveRewardDefinition: on_programme(lambda c, s, _: archive_reward_definition(c, s)),
}
