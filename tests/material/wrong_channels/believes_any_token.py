"""Takes whatever the token endpoint answers for a token."""

from datetime import timedelta

from harbor import *


class TrustingAuth(HarborAuth):
    def read_token(self, response):
        body = cw.read_object(response)
        lifetime = timedelta(seconds=body.get("expires_in") or 3600)
        return cw.Token(str(body.get("access_token")), self.tokens.clock() + lifetime)


@cw.hookimpl
def authenticate(config, tokens):
    return TrustingAuth(config, tokens)


CAUGHT_BY = ("test_rubbish_is_not_used_as_a_token", "was used as a token")
