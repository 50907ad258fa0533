"""The proof system: a STARK over several tables, for any statement. Knows nothing of trading.

A statement (``air``, ``expression``) is a set of tables with constraints of degree up to 3, joined by LogUp buses. What
follows from it alone is its ``layout``; what follows from the heights of its tables, the ``schedule``. The protocol,
each step with its formula, source and soundness term in its own file:

1. ``transcript``   absorb statement, parameters, heights, public inputs and terms
2. ``commitment``   commit every table's columns on their extended domains (``domain``, ``merkle``: one tree per phase)
3. ``lookup``       draw alpha, beta; commit LogUp's helper columns and running sums; send each table's total
4. ``constraints``  draw zeta; commit the quotient of the combined constraints, in two chunks per table
5. ``deep``         draw z; open everything at z and z*w; draw gamma; one DEEP polynomial per height
6. ``fri``          fold, the smaller heights joining on the way; send the last polynomial
7. ``proof``        grind, draw the queries, open rows and paths; the bytes

``verifier`` and ``prover`` walk these steps. ``security`` rates parameters, and chooses them. The prover's arithmetic
has a plain definition (``reference``, ``rings``, ``fri.fold_layer``) and a compiled twin (``lowering``, ``evaluator``,
``folding``, ``opening``, ``transforms``); tests hold one against the other. ``witness`` says what is wrong with traces.
"""
