"""Commands about the programme's settings."""

from ledger.commands.handler import Handlers, on_programme
from ledger.programme.settings import change_programme_settings
from schemas.programme import ChangeProgrammeSettings

HANDLERS: Handlers = {ChangeProgrammeSettings: on_programme(change_programme_settings)}
