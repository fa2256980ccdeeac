"""Uses modules and names of plugin API 1."""

from coursewire.client.adopting import Adopter  # noqa: F401
