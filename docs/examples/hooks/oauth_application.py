"""When an administrator starts to connect a configuration (`coursewire config connect`, the console, or the REST API), and when
a page shows whether one can. Core sends the browser to the LMS, checks what it comes back with, exchanges the code for
the first tokens and stores the refresh token in the configuration. `authenticate` then answers with `OAUTH.auth(config, tokens)`,
which renews access tokens with it.

The model of the configuration has the fields `client_id`, `client_secret` and `refresh_token` (`cw.Secret`). A channel whose
credentials need nobody's consent, such as an API key, does without this hook."""

import coursewire as cw

OAUTH = cw.OAuthApplication(
    authorize_path="/oauth/authorize",
    token_path="/oauth/token",
    scope=lambda config: f"courses:write region:{config.region}",
    pkce=True,
)


@cw.hookimpl
def oauth_application() -> cw.CodeGrant:
    """An administrator of Lighthouse clicks "Allow", instead of copying a token into the configuration."""
    return OAUTH.grant()
