"""The engine gives the records of the model, to the last bit."""

from __future__ import annotations

import ast
import inspect
import textwrap

from hypothesis import given

import sim
from sim.engine.autoscaler import EngineAutoscaler
from sim.scenario import Scenario

from support import Script, assert_same_records, scenarios


@given(scenarios(guarded=True))
def test_model_and_engine_give_identical_records(scenario: Scenario) -> None:
    assert_same_records(sim.run(scenario, engine="simpy"), sim.run(scenario, engine="fast"))


@given(scenarios(guarded=True, varied=True))
def test_model_and_engine_give_identical_records_with_all_rules_that_both_know(scenario: Scenario) -> None:
    assert_same_records(sim.run(scenario, engine="simpy"), sim.run(scenario, engine="fast"))


class Watching(Script):
    """Wants another number of pods every now and then, and keeps what it was shown."""

    def desired_pods(self, view: sim.PoolView) -> int:
        super().desired_pods(view)
        return 1 + int(view.time) % max(view.max_pods, 1)


@given(scenarios(guarded=True, varied=True))
def test_model_and_engine_show_a_policy_the_same_at_every_tick(scenario: Scenario) -> None:
    shown = []
    for engine in ("simpy", "fast"):
        policy = Watching(0)
        sim.run(scenario, [policy], engine=engine)
        shown.append(policy.views)
    assert shown[0] == shown[1]


def test_the_engine_gives_a_view_its_fields_in_their_order() -> None:
    tree = ast.parse(textwrap.dedent(inspect.getsource(EngineAutoscaler.view)))
    (call,) = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "PoolView")
    given = [ast.unparse(argument).removeprefix("self._") for argument in call.args]
    assert given == list(sim.PoolView._fields)
