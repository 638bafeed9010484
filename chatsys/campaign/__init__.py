"""Many runs: seeds, sweeps, soaks, rubbish, and what is made of a run that failed.

    one_seed  -->  sweep  -->  resume, summary         a schedule of faults; many, in processes; in pieces
       |             `---- loading, determinism, steps  with classes from somebody's files: may runs be repeated?
       `--> shrink: reductions, reproduction, minimal   a failing run becomes a story of a few steps
    why/           what a message waited for, and the same run without that fault
    liveness       does something good happen in time, and is nothing left over?
    soak, fuzz/    real processes under real faults; rubbish for everything that reads
    bench/         what is measured, with units
    evidence       all of it in pieces, for hours: `chatsys prove`

Read first `one_seed`.
"""
