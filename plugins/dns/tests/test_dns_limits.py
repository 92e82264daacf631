"""How many answers go out by UDP."""

from ipaddress import ip_address

from hatsize_dns import limits
from hatsize_dns.limits import RateLimit, Verdict

HERE, NEXT_DOOR, ELSEWHERE = (ip_address(each) for each in ("192.0.2.1", "192.0.2.200", "198.51.100.1"))


def verdicts(limit, address, count, now=0.0):
    return [limit.judge(address, now) for _ in range(count)]


def test_a_burst_is_answered_and_then_every_second_one_is_sent_to_tcp():
    limit = RateLimit(rate=2, rate_in_all=0)
    assert verdicts(limit, HERE, 7) == [
        *[Verdict.ANSWER] * 4, Verdict.DROP, Verdict.TRUNCATE, Verdict.DROP,
    ]  # fmt: skip
    assert limit.refused == {Verdict.DROP: 2, Verdict.TRUNCATE: 1}


def test_time_brings_answers_back_but_no_more_than_a_burst():
    limit = RateLimit(rate=2, rate_in_all=0)
    verdicts(limit, HERE, 4)
    assert verdicts(limit, HERE, 2, now=0.5).count(Verdict.ANSWER) == 1
    assert verdicts(limit, HERE, 9, now=1000).count(Verdict.ANSWER) == 4


def test_neighbours_share_a_limit_and_others_have_their_own():
    limit = RateLimit(rate=1, rate_in_all=0)
    verdicts(limit, HERE, 2)
    assert limit.judge(NEXT_DOOR, 0) is not Verdict.ANSWER
    assert limit.judge(ELSEWHERE, 0) is Verdict.ANSWER


def test_a_network_of_ipv6_has_56_bits():
    limit = RateLimit(rate=1, rate_in_all=0)
    verdicts(limit, ip_address("2001:db8::1"), 2)
    assert limit.judge(ip_address("2001:db8:0:ff::1"), 0) is not Verdict.ANSWER
    assert limit.judge(ip_address("2001:db8:0:100::1"), 0) is Verdict.ANSWER


def test_there_is_a_limit_for_all_together():
    limit = RateLimit(rate=0, rate_in_all=1)
    assert [limit.judge(address, 0) for address in (HERE, ELSEWHERE)] == [Verdict.ANSWER] * 2
    assert limit.judge(ip_address("203.0.113.1"), 0) is not Verdict.ANSWER


def test_without_limits_everything_is_answered():
    assert set(verdicts(RateLimit(0, 0), HERE, 10_000)) == {Verdict.ANSWER}


def test_only_so_many_networks_are_remembered(monkeypatch):
    monkeypatch.setattr(limits, "MOST_NETWORKS", 3)
    limit = RateLimit(rate=1, rate_in_all=0)
    for number in range(10):
        limit.judge(ip_address(f"10.0.{number}.1"), 0)
    assert len(limit._networks) == 3
