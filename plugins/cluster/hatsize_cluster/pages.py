"""What a balancer asks before it sends clients here."""

from quart import Blueprint, Response

from hatsize_cluster.service import Cluster

NO_STORE = {"Cache-Control": "no-store"}


def ready_page(cluster: Cluster) -> Blueprint:
    """`GET /cluster/ready`: 200 when this replica is to have clients, 503 and the reason when it is not."""
    page = Blueprint("cluster", __name__)

    @page.get("/cluster/ready")
    async def ready() -> Response:
        reason = "draining" if cluster.is_draining() else "" if cluster.lease.holds else "cut off from the others"
        return Response((reason or "ready") + "\n", 503 if reason else 200, NO_STORE, content_type="text/plain")

    return page
