"""In which ways a contender is set up. A scenario names one; a contender takes part in those it can be."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Setup:
    name: str
    title: str = ""             # beside the contender's own, in messages
    upstream_tls: bool = False  # to the mock
    client_tls: bool = False    # from the load
    cache: bool = False         # answers are kept in memory, and the load asks alike
    workers: int = 1


PLAIN = Setup("plain")
UPSTREAM_TLS = Setup("upstream-tls", ", TLS to the upstream", upstream_tls=True)
BOTH_TLS = Setup("tls", ", TLS on both sides", upstream_tls=True, client_tls=True)
CACHED = Setup("cached", ", answers kept", cache=True)
TWO_WORKERS = Setup("two-workers", ", two workers", workers=2)
