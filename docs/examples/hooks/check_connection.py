"""By `coursewire config check`, for a configuration that may still be a draft, when a person wants to know whether it
would work. Ask what real requests need, and change nothing: the right address, credentials, every right that the
channel uses. What works is one sentence each; what does not is an error that says what to do."""

import coursewire as cw


@cw.hookimpl
async def check_connection(session: cw.Session) -> list[str]:
    """Address, token, and the right to write."""
    response = await session.get("/api/account")
    account = cw.read_success(response, "name", next_step="Check lighthouse_url and lighthouse_token.")
    if "courses:write" not in account.get("rights", []):
        raise cw.BlockedError(
            "the token may not write courses",
            next_step="Give its user the role 'Course manager' in Lighthouse.",
        )
    return [f"Lighthouse answers for {account['name']!r}.", "The token may write courses."]
