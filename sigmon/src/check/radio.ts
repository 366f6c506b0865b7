import type { DropReason, RadioReading, SampledRadio } from '@kawal/core/measurement/radio-reading.ts'
import { within, type Net } from './net.ts'

/** What a sample takes from the bridge; see spec/radio-bridge.md. */
export interface Radio extends Omit<SampledRadio, 'dropped'> {
  /** Values that the sample leaves out, as they were read: never clamped. */
  readonly dropped: readonly { readonly name: string; readonly value: number; readonly why: DropReason }[]
  /** All that was read, as it was read: it stays on the phone. */
  readonly reading: RadioReading | null
  /** Why the bridge gave nothing that can be read: a sentence. */
  readonly fault: string | null
  /** When it was read, of `tick`: the values grow older while a check goes on. */
  readonly readTick: number
}

const nothing: Radio = { technology: null, radio: null, sim: null, dropped: [], reading: null, fault: null, readTick: 0 }
/** A bridge that hangs must not hold up a check. */
const bridge_ms_max = 1_500

/** Reads the radio values of the data SIM; all null where no shell around the page gives any. */
export async function readRadio(net: Net): Promise<Radio> {
  const { radio } = net
  if (radio === undefined) return nothing
  const given = await within(net, bridge_ms_max, () => radio())
  if (given.value === null) return { ...nothing, fault: given.cut ? `The radio bridge did not answer within ${bridge_ms_max} ms.` : 'The radio bridge failed, or gave nothing.' }
  // few phones have a bridge: the others need not load its reader
  const reading = await import('@kawal/core/measurement/radio-reading.ts')
  const read = reading.readRadio(given.value)
  if (!read.ok) return { ...nothing, fault: read.error }
  return { ...reading.sampleRadio(read.value, Date.parse(read.value.readAt), net.now()), reading: read.value, fault: null, readTick: net.tick() }
}
