"""Our own fuzzing: mutated APDUs and histories over all applications of all profiles, with an oracle for each answer.

    python -m bench.fuzz --count 1000000 --seed 1

A seed repeats a run byte for byte. What it finds is printed as a transcript, made as short as it goes.
"""
