"""The proof system: a STARK over several tables, for any statement. Knows nothing of trading.

A statement (``air.table``, ``air.expression``) is a set of tables with constraints of degree up to 3, joined by LogUp
buses. What follows from it alone is its ``air.layout``; what follows from the heights of its tables, the
``pcs.schedule``. The protocol, each step with its formula, source and soundness term in its own file:

1. ``protocol.transcript``  absorb statement, parameters, heights, public inputs and terms
2. ``pcs.commitment``       commit the low-degree extension of every table's columns (``domain``, ``pcs.merkle``:
   one tree per phase)
3. ``air.lookup``           draw the lookup challenges; commit LogUp's helper columns and running sums; send each
   table's total
4. ``air.constraints``      draw the constraint challenge; commit the quotient polynomial of the combined constraints,
   in two chunks per table
5. ``pcs.deep``             draw the out-of-domain point; open everything there and at the next row's point; draw the
   DEEP challenge; one DEEP polynomial per height
6. ``pcs.fri``              fold, the smaller heights joining on the way; send the last polynomial
7. ``protocol.proof``       grind, draw the queries, open rows and paths; the bytes

``protocol.verifier`` and ``protocol.prover`` walk these steps. ``protocol.security`` rates parameters, and chooses
them. The prover's arithmetic has a plain definition (``protocol.reference``, ``air.rings``, ``pcs.fri.fold_layer``)
and a compiled twin (``air.lowering``, ``runtime.evaluator``, ``pcs.folding``, ``pcs.opening``, ``pcs.transforms``);
tests hold one against the other. ``protocol.witness`` says what is wrong with traces.

Letters differ between papers and programs, so names are spelled out. What others call them; formulas here use the
letters of the second column:

=========================  =========  ==========================  ==================================================
name                       formulas   Plonky3                     ethSTARK (2021/582), DEEP-FRI (2019/336), others
=========================  =========  ==========================  ==================================================
``denominator_challenge``  d          ``alpha`` (lookup)          x, where the fractions are evaluated (2022/1530)
``tuple_challenge``        t          ``beta`` (lookup)           compresses a tuple to one element (2022/1530)
``constraint_challenge``   alpha      ``alpha`` (uni-stark)       coefficients of the composition polynomial
``ood_point``              zeta       ``zeta``                    z, the out-of-domain sample
``deep_challenge``         gamma      ``alpha`` (fri)             coefficients of the DEEP composition polynomial
folding challenge          beta       ``beta`` (fri)              x^(i), the FRI commit phase's randomness
mixing challenge           lambda     ``beta^arity``              none: one height only
quotient polynomial        Q          quotient polynomial         composition polynomial
low-degree extension       f on s<g>  LDE on a coset              evaluations on the evaluation domain
auxiliary columns          h, S       permutation trace           interaction columns
DEEP polynomial            G          reduced opening             DEEP composition polynomial
=========================  =========  ==========================  ==================================================

The contracts' sources say alpha, beta for the lookup challenges, zeta for the constraint challenge, z for the
out-of-domain point and gamma for the DEEP challenge.
"""
