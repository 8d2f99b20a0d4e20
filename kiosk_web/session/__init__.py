"""The state machine of a visit: `step(state, event, now)` gives the next state and what is to be done. PURE."""
