import assert from 'node:assert/strict'

/**
 * A busy machine makes a line slower and a delay longer, never the other way: of three runs one has to be true.
 * What no load can excuse is asserted in the run itself.
 * @param run says what was wrong, or null
 */
export async function trueRun(run: () => Promise<string | null>): Promise<void> {
  const wrong: string[] = []
  for (let tries = 0; tries < 3; tries++) {
    const said = await run()
    if (said === null) return
    wrong.push(said)
  }
  assert.fail(wrong.join('; '))
}
