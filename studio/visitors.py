"""Who is asking: the address that limits are counted by."""

import os
from ipaddress import IPv6Address, ip_address
from typing import Any

UNKNOWN = "unknown"


def visitor_address(scope: Any) -> str:
    """Return the address behind an ASGI request; of IPv6, the /64 network that one household has.

    On a Space every connection comes from its proxy. The last entry of X-Forwarded-For is what that proxy saw; those
    before it were sent by the visitor, who may have made them up. Elsewhere it is what the server says, which reads
    the header only from the proxies in uvicorn's FORWARDED_ALLOW_IPS.
    """
    address = (scope.get("client") or (UNKNOWN,))[0]
    if os.getenv("SPACE_ID"):
        forwarded = [value for name, value in scope["headers"] if name.lower() == b"x-forwarded-for"]
        if forwarded:
            address = forwarded[-1].decode("latin-1").rsplit(",", 1)[-1].strip()
    return _network(address)


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Address(int(found) >> 64 << 64)
    return str(found)
