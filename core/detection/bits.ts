import { isLossy, isSlow, qualityOf, reached, type JudgedSample } from '../measurement/judge.ts'
import { accessPoint, bad, cellular, charging, fixed, good, onBattery, reached as wasReached, strong, unreached, weak, what } from './evidence.ts'

/** The parts of a sample that evidence rests on; see contract/report.ts. */
export interface TellingSample extends JudgedSample {
  readonly accessPoint: string | null
  readonly technology: string | null
  readonly radio: { readonly rsrpDbm?: number | null; readonly rssiDbm?: number | null } | null
  readonly charging: boolean | null
}

/**
 * From these levels on, in dBm, a form's photograph gets through. Of LTE the lowest class that counts as covered in the
 * classes of RTR, Austria (Netztest), and of 2G and 3G theirs for RSSI; NR is held against LTE's. Engineering defaults.
 */
const strong_dbm: Readonly<Record<string, number>> = { lte: -111, nr: -111, gsm: -101, umts: -101 }
const access_point_operator = 'bakti'

/** What one sample says, as the bits of evidence.ts. @param operator whom the report is about */
export function evidenceBits(sample: TellingSample, operator: string | null): number {
  const quality = qualityOf(sample)
  return ((quality === 'good' ? good : quality === 'bad' ? bad : 0) << what.quality)
    | (targetBits(sample.reach.internet) << what.internet)
    | (targetBits(sample.reach.election) << what.election)
    | ((sample.charging === null ? 0 : sample.charging ? charging : onBattery) << what.charging)
    | (radioBits(sample) << what.radio)
    | (Number(isSlow(sample.rttMs)) << what.slow)
    | (Number(isLossy(sample.rttMs, sample.timeouts)) << what.lossy)
    | (wayBits(sample, operator) << what.way)
}

function targetBits(word: string): number {
  const known = reached(word)
  return known === null ? 0 : known ? wasReached : unreached
}

function radioBits({ technology, radio }: TellingSample): number {
  if (radio === null || technology === null) return 0
  const level = technology === 'lte' || technology === 'nr' ? radio.rsrpDbm : radio.rssiDbm
  const least = strong_dbm[technology]
  if (level === null || level === undefined || least === undefined) return 0
  return level >= least ? strong : weak
}

function wayBits(sample: TellingSample, operator: string | null): number {
  if (sample.accessPoint !== null || operator === access_point_operator) return accessPoint
  if (sample.access === 'cellular') return cellular
  return sample.access === 'wifi' || sample.access === 'wired' ? fixed : 0
}
