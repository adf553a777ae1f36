// What a story holds to be true, and says in its own words when it isn't.

export function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise)
}

export function checkEqual(found, wanted, what) {
  if (found !== wanted) throw new Error(`${what}: “${found}” instead of “${wanted}”`)
}

const WAIT_MS_MAX = 20_000
const PAUSE_MS = 50

/** Waits until something holds that the browser has no event for. */
export async function until(holds, otherwise) {
  const end = Date.now() + WAIT_MS_MAX
  while (!(await holds())) {
    check(Date.now() < end, otherwise)
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
