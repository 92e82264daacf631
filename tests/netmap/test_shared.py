"""What many readers are told is encoded once."""

from hatsize.netmap.pieces import Piece
from hatsize.netmap.shared import KEPT, MANY, Shared
from hatsize.wire import tailcfg
from hatsize.wire.tailcfg import FilterRule, NetPortRange


def json_of(parts):
    return b"".join(part.raw if isinstance(part, Piece) else part for part in parts)


def test_the_json_of_an_object_is_made_once():
    shared, value = Shared(), tailcfg.SSHPolicy()
    assert shared.json(value) == tailcfg.encode(value)
    assert shared.json(value) is shared.json(value)


def test_an_object_that_takes_another_ones_place_in_memory_is_another():
    shared = Shared()
    for number in range(3 * KEPT):
        value = [number]
        assert shared.json(value) == b"[%d]" % number


def test_a_rule_of_many_sources_shares_them_with_other_rules():
    shared, sources = Shared(), tuple(f"100.64.0.{number}" for number in range(MANY))
    rules = [FilterRule(SrcIPs=sources, DstPorts=(NetPortRange(IP=to),)) for to in ("100.64.1.1", "100.64.1.2")]
    one, other = (shared.rule(rule) for rule in rules)
    assert [json_of(one), json_of(other)] == [tailcfg.encode(rule) for rule in rules]
    assert next(part for part in one if isinstance(part, Piece)) in other


def test_a_rule_of_few_sources_stays_in_one_part():
    rule = FilterRule(SrcIPs=("100.64.0.1",), DstPorts=(NetPortRange(),))
    assert Shared().rule(rule) == (tailcfg.encode(rule),)
