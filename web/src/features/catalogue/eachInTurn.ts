/** Does the same to each, one after the other, and stops at the first refusal: what was done stays done. */
export async function eachInTurn<T>(things: readonly T[], act: (thing: T) => Promise<unknown>): Promise<void> {
  for (const thing of things) await act(thing)
}
