"""Speed of app and classifier beside rivals, and beside what the machine can do; see benchmarks/serving.py."""
