"""Who may come in. Loopback has many addresses, so a client can come from several."""
import pytest

from harness import Daemon, Upstream, routes


def status(daemon, source="127.0.0.1", forwarded=None, fields=()):
    more = [("X-Forwarded-For", forwarded)] if forwarded is not None else []
    with daemon.client(source=source) as client:
        return client.ask("GET", "/v1/x", [*fields, *more]).status


def filtered(upstream, **settings):
    return Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), **settings})


@pytest.fixture
def upstream():
    with Upstream() as upstream:
        yield upstream


def test_whitelist(upstream):
    with filtered(upstream, IP_WHITELIST="127.0.0.2, 127.0.1.0/24") as daemon:
        assert [status(daemon, f"127.0.{rest}") for rest in ("0.2", "0.3", "1.1", "1.255", "2.1")] == [200, 403, 200, 200, 403]
        with daemon.client() as client:
            response = client.ask("POST", "/v1/chat/completions", body=b"{}")
        assert response.status == 403 and response.json()["error"]["message"]
    assert len(upstream.requests) == 3


def test_blacklist(upstream):
    with filtered(upstream, IP_BLACKLIST="127.0.0.2,127.0.1.0/24") as daemon:
        assert [status(daemon, f"127.0.{rest}") for rest in ("0.1", "0.2", "1.9", "2.1")] == [200, 403, 403, 200]


def test_blacklist_wins_over_whitelist(upstream):
    with filtered(upstream, IP_WHITELIST="127.0.0.0/8", IP_BLACKLIST="127.0.0.2") as daemon:
        assert [status(daemon, source) for source in ("127.0.0.1", "127.0.0.2")] == [200, 403]


def test_forwarded_for_is_believed_from_trusted_proxies_only(upstream):
    with filtered(upstream, IP_BLACKLIST="203.0.113.0/24,2001:db8::/32", TRUSTED_PROXIES="127.0.0.1/32") as daemon:
        assert status(daemon, "127.0.0.1", "203.0.113.9") == 403
        assert status(daemon, "127.0.0.1", "198.51.100.1") == 200
        assert status(daemon, "127.0.0.1", "2001:db8::7") == 403
        assert status(daemon, "127.0.0.1") == 200
        assert status(daemon, "127.0.0.9", "203.0.113.9") == 200


def test_the_right_most_untrusted_address_counts(upstream):
    with filtered(upstream, IP_WHITELIST="203.0.113.9", TRUSTED_PROXIES="127.0.0.0/8,10.0.0.0/8") as daemon:
        for forwarded, due in [("203.0.113.9", 200), ("198.51.100.1, 203.0.113.9", 200), ("203.0.113.9, 198.51.100.1", 403),
                               ("203.0.113.9, 10.1.1.1", 200), ("203.0.113.9,10.1.1.1 ,\t127.0.0.7", 200),
                               ("203.0.113.9, 198.51.100.1, 10.1.1.1", 403), ("203.0.113.9, nonsense", 403),
                               ("nonsense, 203.0.113.9", 200), ("", 403), ("10.1.1.1", 403)]:
            assert status(daemon, "127.0.0.1", forwarded) == due, forwarded


def test_several_forwarded_for_fields_are_one_list(upstream):
    with filtered(upstream, IP_WHITELIST="203.0.113.9", TRUSTED_PROXIES="127.0.0.1") as daemon:
        fields = [("X-Forwarded-For", "203.0.113.9"), ("x-forwarded-for", "198.51.100.1")]
        assert status(daemon, fields=fields) == 403
        assert status(daemon, fields=list(reversed(fields))) == 200


def test_forwarded_counts_where_there_is_no_x_forwarded_for(upstream):
    with filtered(upstream, IP_WHITELIST="203.0.113.9,2001:db8::9", TRUSTED_PROXIES="127.0.0.1,10.0.0.0/8") as daemon:
        for forwarded, due in [("for=203.0.113.9", 200), ("For=\"203.0.113.9:4711\";proto=https;by=_me", 200),
                               ("for=\"[2001:db8::9]:4711\"", 200), ("for=203.0.113.9, for=198.51.100.1", 403),
                               ("for=198.51.100.1, for=203.0.113.9, for=10.1.1.1", 200), ("for=203.0.113.9, for=unknown", 403),
                               ("for=\"198.51.100.1, for=203.0.113.9", 200), ("for=203.0.113.9:80", 403), ("", 403)]:
            assert status(daemon, fields=[("Forwarded", forwarded)]) == due, forwarded
        assert status(daemon, "127.0.0.2", fields=[("Forwarded", "for=203.0.113.9")]) == 403


def test_x_forwarded_for_wins_over_forwarded(upstream):
    with filtered(upstream, IP_WHITELIST="203.0.113.9", TRUSTED_PROXIES="127.0.0.1") as daemon:
        assert status(daemon, forwarded="198.51.100.1", fields=[("Forwarded", "for=203.0.113.9")]) == 403
        assert status(daemon, forwarded="203.0.113.9", fields=[("Forwarded", "for=198.51.100.1")]) == 200


def test_several_forwarded_fields_are_one_list(upstream):
    with filtered(upstream, IP_WHITELIST="203.0.113.9", TRUSTED_PROXIES="127.0.0.1") as daemon:
        fields = [("Forwarded", "for=203.0.113.9"), ("forwarded", "for=198.51.100.1")]
        assert status(daemon, fields=fields) == 403
        assert status(daemon, fields=list(reversed(fields))) == 200


def test_nobody_is_trusted_when_the_list_is_empty(upstream):
    with filtered(upstream, IP_BLACKLIST="203.0.113.9", TRUSTED_PROXIES="") as daemon:
        assert status(daemon, "127.0.0.1", "203.0.113.9") == 200
    with filtered(upstream, IP_WHITELIST="203.0.113.9", TRUSTED_PROXIES="") as daemon:
        assert status(daemon, "127.0.0.1", "203.0.113.9") == 403


def test_a_mapped_address_is_the_ipv4_address(upstream):
    """A client of the IPv6 socket that comes by IPv4 is ::ffff:127.0.0.2 there."""
    with filtered(upstream, IP_BLACKLIST="127.0.0.2", TRUSTED_PROXIES="::ffff:127.0.0.1") as daemon:
        assert status(daemon, "127.0.0.2") == 403
        assert status(daemon, "127.0.0.1", "::ffff:127.0.0.2") == 403


def test_ipv6_clients(upstream):
    with Daemon({"FORWARD_CONFIG": routes(("/", upstream.url)), "IP_BLACKLIST": "::1"}, host="::1") as daemon:
        assert daemon.ask("GET", "/v1/x").status == 403


def test_the_benchmark_is_filtered_too(upstream):
    with filtered(upstream, IP_BLACKLIST="127.0.0.2", BENCHMARK_MODE="true") as daemon:
        with daemon.client(source="127.0.0.2") as client:
            assert client.ask("POST", "/benchmark/v1/chat/completions", body=b"{}").status == 403


def test_upgrades_are_filtered_too(upstream):
    with filtered(upstream, IP_BLACKLIST="127.0.0.2") as daemon:
        with daemon.client(source="127.0.0.2") as client:
            assert client.ask("GET", "/v1/realtime", [("Connection", "Upgrade"), ("Upgrade", "websocket")]).status == 403
