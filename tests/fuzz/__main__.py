"""`python -m tests.fuzz`."""

from tests.fuzz.fuzzing import main

if __name__ == "__main__":
    main()
