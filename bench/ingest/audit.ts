import { connect } from '@kawal/server/src/adapters/postgres/database.ts'
import { openDatabase } from '@kawal/server/src/cli/database.ts'
import { readSegments } from '@kawal/server/src/journal/read.ts'

/** A report's identity as one number: phone and sequence. */
const sequences_max = 65_536
const identity = (key: number, sequence: number): number => key * sequences_max + sequence

/**
 * What is wrong between what was acknowledged and what is stored: `lost` was acknowledged and is not there, `doubled`
 * is there more than once.
 * @param acks triples of phone, first sequence and count
 */
export function audit(acks: Uint32Array, stored: Float64Array): { readonly acknowledged: number; readonly lost: number; readonly doubled: number } {
  const sorted = stored.slice().sort()
  let doubled = 0
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) doubled++
  const expected: number[] = []
  for (let i = 0; i < acks.length; i += 3) for (let n = 0; n < (acks[i + 2] as number); n++) expected.push(identity(acks[i] as number, (acks[i + 1] as number) + n))
  // The same request may be acknowledged twice, when the first answer was lost on the way.
  const wanted = Float64Array.from(expected).sort()
  let [lost, acknowledged, at] = [0, 0, 0]
  for (let i = 0; i < wanted.length; i++) {
    const each = wanted[i] as number
    if (each === wanted[i - 1]) continue
    acknowledged++
    while (at < sorted.length && (sorted[at] as number) < each) at++
    if (sorted[at] !== each) lost++
  }
  return { acknowledged, lost, doubled }
}

/** Every report in the journal of a data folder whose server has ended. */
export async function readStored(folder: string): Promise<Float64Array> {
  const server = await openDatabase(folder)
  const database = connect(server.ownerUrl, server.appPassword)
  try {
    const found: number[] = []
    for await (const { count, device, sequence } of readSegments(database)) for (let i = 0; i < count; i++) found.push(identity(device[i] as number, sequence[i] as number))
    return Float64Array.from(found)
  } finally {
    await database.end()
    await server.stop()
  }
}
