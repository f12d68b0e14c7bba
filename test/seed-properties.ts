/**
 * Properties in the tests run from one seed, so that a run says of the change and not of luck; `LEAT_SEED=N` draws
 * others. The long searches have their own commands.
 */
import fc from "fast-check";

const seedOfTests = 20_261_121;

fc.configureGlobal({ seed: Number(process.env["LEAT_SEED"] ?? seedOfTests) });
