"""The same customers in Ciw, a queueing simulator by others: the same waits, one by one."""

from __future__ import annotations

import ciw
import numpy as np
from queues import Row, queue

import sim
from sim.runs.time import SECOND
from sim.world.world import World


def same_waits_as_ciw(customers: int) -> list[Row]:
    """Feed the arrivals and services of one replication to Ciw; the largest difference between two waits."""
    rows = []
    for servers, load in ((1, 0.9), (3, 0.8), (10, 0.95)):
        scenario = queue(servers, servers * load, {"dist": "lognormal", "mean": 1, "cv": 1.2}, customers, 1)
        workload = World(scenario, 0).tasks
        arrive, service = workload.arrive / SECOND, workload.plan / SECOND
        network = ciw.create_network(
            arrival_distributions=[ciw.dists.Sequential([*np.diff(arrive, prepend=0.0).tolist(), float("inf")])],
            service_distributions=[ciw.dists.Sequential(service.tolist())],
            number_of_servers=[servers],
        )
        simulation = ciw.Simulation(network)
        simulation.simulate_until_max_time(scenario.horizon)
        theirs = {round(r.arrival_date * 1e6): r.waiting_time for r in simulation.get_all_records()}
        tasks = sim.run(scenario).tasks.dropna(subset="plan_ended_at")
        ours = dict(zip((tasks.arrived_at * 1e6).round(), tasks.plan_started_at - tasks.arrived_at, strict=True))
        common = ours.keys() & theirs.keys()
        worst = max(abs(ours[moment] - theirs[moment]) for moment in common)
        enough = len(common) > 0.98 * len(ours)
        what = (
            f"Ciw, {servers} servers, load {load:g}: largest difference between the waits of {len(common)} customers, s"
        )
        rows.append(Row(what, 0.0, worst, "", enough and worst < 1e-5))
    return rows
