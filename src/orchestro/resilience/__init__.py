"""Living with failure: retries, circuit breakers, routing. State machines over a clock that tests tick."""
