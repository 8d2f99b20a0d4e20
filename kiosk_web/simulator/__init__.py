"""The virtual JPKI (`docs/simulator.md`): people, authorities, responder, register, and the tray with their cards."""
