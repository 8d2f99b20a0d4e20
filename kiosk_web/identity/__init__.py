"""Who somebody is to a system, and what a profile may: PPID, MyKey ID, links, terms, readings. PURE."""
