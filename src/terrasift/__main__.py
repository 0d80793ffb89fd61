"""`python -m terrasift`: what the processes of a training on several devices start with."""

from terrasift.cli import main

main()
