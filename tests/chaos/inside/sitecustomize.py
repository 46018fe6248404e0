"""Python runs this first in every process of a chaos world, since PYTHONPATH leads here.

CHAOS_ORDERS: the directory of orders. CHAOS_LEASE: seconds that a sender holds a notification (real: 30 or 60).
CHAOS_REDIS: the way to Redis through a proxy that cuts. CHAOS_BUG: the name of a bug in `chaos_bugs`, to see the
campaign turn red.
"""

import os
import sys

if orders := os.environ.get("CHAOS_ORDERS"):
    from chaos_orders import Orders

    if "connector.cli" in sys.orig_argv:  # `up`: what dies is started again at once, however often
        from connector import supervisor

        supervisor.BACK_OFF = (0.0,)
    else:
        from connector import points

        points.watch(Orders(orders).obey)
        if way := os.environ.get("CHAOS_REDIS"):
            os.environ["REDIS_URL"] = way
        if lease := os.environ.get("CHAOS_LEASE"):
            from chaos_bugs import shorten_leases

            shorten_leases(float(lease))
        if bug := os.environ.get("CHAOS_BUG"):
            import chaos_bugs

            chaos_bugs.BUGS[bug]()
