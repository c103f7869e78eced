/** Cases that are compiled together, since one alone costs as much; those at fault are found, and made smaller, one by one. */
import fc from "fast-check";

/** So many cases make a module. */
const together = 24;

/** Throws the smallest case at fault that fast-check finds, with its seed. `problems` says what is wrong with some cases. */
export async function findFault<T>(
  drawn: readonly T[],
  arbitrary: fc.Arbitrary<T>,
  options: fc.Parameters<[T]>,
  problems: (cases: readonly T[]) => Promise<readonly string[]>,
): Promise<void> {
  for (let i = 0; i < drawn.length; i += together) {
    const some = drawn.slice(i, i + together);
    const found = await problems(some).catch((error: unknown) => [String(error)]);
    if (found.length === 0) continue;
    await fc.assert(
      fc.asyncProperty(arbitrary, async (one) => {
        const alone = await problems([one]);
        if (alone.length > 0) throw new Error(alone.join("\n"));
      }),
      { ...options, examples: some.map((one): [T] => [one]), numRuns: some.length },
    );
    throw new Error(`none by itself: ${found.join("\n")}`);
  }
}
