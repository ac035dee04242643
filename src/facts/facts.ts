/**
 * What the verifier proved, per instruction, in a shape that both it and an engine understand: plain typed arrays, no types
 * of either. Facts are optional: an engine gives the same results without them, slower.
 */

/** Facts about one program; every array has an entry per instruction slot. */
export interface Facts {
  /** 1 where some path executes the instruction: anything else may be left out or replaced by a trap. */
  readonly reachable: Uint8Array
  /** 1 where a conditional jump always goes the same way on every path: it never falls through, or never jumps. */
  readonly alwaysJumps: Uint8Array
  readonly neverJumps: Uint8Array
}

/** Facts about a program of which nothing is known: everything may be reached, every jump may go either way. */
export function noFacts(length: number): Facts {
  return {
    reachable: new Uint8Array(length).fill(1),
    alwaysJumps: new Uint8Array(length),
    neverJumps: new Uint8Array(length),
  }
}
