import type { UploadTiming } from '@kawal/contract/report.ts'

interface Arrival { readonly at: number; readonly bytes: number }

/** What comes within this time is one arrival: a socket hands over up to 64 KB at once, and TLS cuts that into records. */
const together_ms = 2
/** Under this, an upload came as fast as the machine can read: from a buffer, not from a phone. 75 KB in 20 ms are 30 Mbit/s. */
const told_ms_min = 20
const arrivals_min = 3
/** By this much the first arrival may have been read late, by a server that had something else to do. */
const late_ms = 6

/**
 * Times an upload by its arrivals, so that the rate is never above the line's. What came first is left out: how long
 * it waited, in a proxy or in the kernel while the server was busy, is not known. The rate is the smaller of two: of
 * all that followed, and of its second half alone, which no buffer that ran over at the start can make look fast.
 * A body that came in one piece, or from a proxy that had collected it whole, has no rate.
 */
export function uploadTimer(now: () => number): { came(bytes: number): void; readonly bytes: () => number; end(): UploadTiming } {
  const arrivals: { at: number; bytes: number }[] = []
  let all_bytes = 0
  let last = 0
  return {
    came(bytes) {
      last = now()
      all_bytes += bytes
      const open = arrivals.at(-1)
      if (open !== undefined && last - open.at < together_ms) open.bytes += bytes
      else arrivals.push({ at: last, bytes })
    },
    bytes: () => all_bytes,
    end() {
      const ms = arrivals[0] === undefined ? 0 : last - arrivals[0].at
      return { bytes: all_bytes, ms: Math.round(ms * 10) / 10, kbps: ms < told_ms_min || arrivals.length < arrivals_min ? null : rate(arrivals) }
    },
  }
}

function rate(arrivals: readonly Arrival[]): number {
  const [first, ...rest] = arrivals as [Arrival, ...Arrival[]]
  const end = (rest.at(-1) as Arrival).at
  const following = rest.reduce((sum, each) => sum + each.bytes, 0)
  let later = following
  const middle = rest.find((each) => (later -= each.bytes) <= following / 2) as Arrival
  const rates = [following / (end - first.at + late_ms), ...(middle.at < end && later > 0 ? [later / (end - middle.at + late_ms)] : [])]
  return Math.floor(Math.min(...rates) * 8)
}
