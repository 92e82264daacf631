"""What the name server counts."""

from collections import Counter
from collections.abc import Sequence

from hatsize.hooks.metrics import Figure, Sample
from hatsize_dns.challenges import Challenges
from hatsize_dns.service import Service


def figures(service: Service, challenges: Challenges) -> Sequence[Figure]:
    """Questions by what became of them, challenges by publisher, addresses by pool."""
    responses = [Sample(count, {"rcode": rcode}) for rcode, count in service.responder.responses.items()]
    refused = [Sample(count, {"verdict": verdict.value}) for verdict, count in service.limit.refused.items()]
    published = Counter(challenge.publisher for challenge in challenges)
    waiting = [Sample(count, {"publisher": publisher}) for publisher, count in published.items()]
    healthy = [Sample(len(pool.healthy), {"name": pool.settings.name}) for pool in service.pools]
    return [
        Figure("hatsize_dns_responses", "counter", "Questions that were answered, by response code.", responses),
        Figure("hatsize_dns_limited", "counter", "Questions beyond the limits, by what became of them.", refused),
        Figure("hatsize_dns_challenges", "gauge", "Challenges that are published.", waiting),
        Figure("hatsize_dns_pool_healthy", "gauge", "Addresses of a pool that pass their checks.", healthy),
    ]
