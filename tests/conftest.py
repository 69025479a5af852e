import os

from hypothesis import HealthCheck, Phase, settings

os.environ.setdefault("SIM_COMPILED", "0")  # the source is what is tested; test_compiled.py compares the two

settings.register_profile("suite", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
settings.register_profile(
    "mutants",
    max_examples=2000,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
    database=None,
)
settings.load_profile("suite")
pytest_plugins = ["pytester"]
