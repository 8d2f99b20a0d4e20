# For those whose fingers type make; ./run needs nothing but Python and is what the documentation speaks of.
.PHONY: demo check test package bench
demo check test package bench:
	./run $@
