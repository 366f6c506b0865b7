import type { FoundDisturbance } from './disturbance.ts'
import { takeIn } from './intake.ts'
import { field, noSigns, onDuty, operatorIndex, seconds, stride, type DetectionState, type Ongoing } from './state.ts'

/** A device that a disturbance holds, as it is kept with the disturbance. */
export interface HitDevice { readonly device: number; readonly station: string; readonly operator: string }

/** Of a disturbance of half a nation so many are kept: enough to see it end. */
const kept_max = 20_000

export function hitDevices(state: DetectionState, id: string): HitDevice[] {
  const each = state.ongoing.find((open) => open?.found.id === id)
  const found: HitDevice[] = []
  if (each === undefined || each === null) return found
  const { devices, nodes, pairs } = state
  for (const place of each.places)
    for (let node = state.first[place] as number; node >= 0; node = nodes.sibling[node] as number)
      for (let device = nodes.device[node] as number; device >= 0 && found.length < kept_max; device = devices[device * stride + field.next] as number) {
        if (devices[device * stride + field.hitBy] !== each.slot) continue
        const pair = devices[device * stride + field.pair] as number
        found.push({ device, station: state.stations[pairs.station[pair] as number]?.code ?? '', operator: state.operators[pairs.operator[pair] as number] ?? 'unknown' })
      }
  return found
}

/**
 * Takes up after a restart, before the recent reports are given again: what was ongoing goes on under its id, held back
 * or not as it was, with the devices it held, until they report well. A device nobody has heard since is silent.
 */
export function adopt(state: DetectionState, found: FoundDisturbance, held: readonly HitDevice[]): void {
  const places = new Set(found.stations.flatMap((code) => state.stationIndex.get(code) ?? []).map((station) => state.places.of[station] as number))
  if (places.size === 0 && found.cause !== 'ingest') return
  const since_s = seconds(found.startedAt)
  const each: Ongoing = {
    slot: state.ongoing.length, found, operator: ownOperator(state, found), places, since_s, seenAt_s: since_s, calmSince_s: 0, apartSince_s: 0, devices: held.length, devicesMost: held.length, early: -1,
    stationsTold: found.stations.length, mark: -1, signs: noSigns(), peak: null, peakPlaces: [...places],
  }
  if (found.stage === 'suspected') {
    state.suspects.push({ ...each, slot: -1 })
    return
  }
  state.ongoing.push(each)
  for (const { device, station, operator } of held) {
    const index = state.stationIndex.get(station)
    if (index === undefined) continue
    takeIn(state, device, index, operatorIndex(state, operator), since_s - 1, since_s - 1, since_s, 0)
    state.devices[device * stride + field.hitBy] = each.slot
    state.devices[device * stride + field.flags] = onDuty
  }
}

/** Whoever is concerned by everybody's fault is not who it is of. */
const ownOperator = (state: DetectionState, { cause, operator, isEverybody }: FoundDisturbance): number =>
  operator === null || isEverybody || cause === 'election_server' || cause === 'ingest' ? -1 : operatorIndex(state, operator)
