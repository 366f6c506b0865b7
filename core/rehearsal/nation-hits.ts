import { accessPoint, cellular } from '../detection/evidence.ts'
import { hash32 } from '../kernel/random.ts'
import { mix32, nextDraw, unit } from './nation-chance.ts'
import type { WorldFault } from './nation-faults.ts'
import type { Ground } from './nation-ground.ts'

/** What each device meets on the day, as chains in order of time: hit h of a device is followed by next[h]. */
export interface Hits {
  /** By device; -1 is none. */
  readonly first: Int32Array
  readonly next: Int32Array
  readonly fault: Int32Array
  /** Seconds from the start of the day. */
  readonly from: Int32Array
  readonly to: Int32Array
  /** `bystander`: in the dark of a power cut, with a network that lives. */
  readonly role: Uint8Array
  /** Whether it was asked for already if this hit cost a device on duty its service. */
  readonly counted: Uint8Array
}

const bystander = 0
export const victim = 1

const tower_dark_s = [60 * 60, 120 * 60] as const

/**
 * Draws who is hit by what. A device is hit for the whole time of a fault or not at all; behind a tower with
 * batteries a power cut reaches it an hour or two later.
 * @param faults by their start
 */
export function makeHits(ground: Ground, faults: readonly WorldFault[], seed: number, startAt_s: number): Hits {
  const columns = { device: [] as number[], fault: [] as number[], from: [] as number[], to: [] as number[], role: [] as number[] }
  const add = (device: number, fault: number, from: number, to: number, role: number): void => {
    if (to <= from) return
    columns.device.push(device)
    columns.fault.push(fault)
    columns.from.push(from - startAt_s)
    columns.to.push(to - startAt_s)
    columns.role.push(role)
  }
  faults.forEach((fault, index) => {
    const salt = hash32(`${seed} fault ${fault.kind} ${fault.startAt_s} ${fault.places[0] ?? -1}`)
    for (const station of fault.stations)
      for (let device = ground.deviceStart[station] ?? 0; device < (ground.deviceStart[station + 1] ?? 0); device++) {
        if (!isConcerned(ground, fault, device)) continue
        const draw = mix32((ground.key[device] ?? 0) ^ salt)
        const isHit = unit(draw) < fault.share
        if (fault.kind !== 'power') {
          if (isHit) add(device, index, ...whileOf(fault, unit(nextDraw(draw))), victim)
        } else {
          const dark = !isHit ? fault.endAt_s : unit(nextDraw(draw)) < fault.atOnce ? fault.startAt_s : fault.startAt_s + towerDark_s(ground, device, salt)
          add(device, index, fault.startAt_s, Math.min(dark, fault.endAt_s), bystander)
          add(device, index, dark, fault.endAt_s, victim)
        }
      }
  })
  return chained(ground.devices, columns)
}

/** Faults of a radio network do not reach who is on a fixed line. */
function isConcerned(ground: Ground, fault: WorldFault, device: number): boolean {
  if (fault.kind === 'power') return true
  if (ground.operator[device] !== fault.operator) return false
  return fault.kind === 'access' || fault.kind === 'congestion' || fault.kind === 'degradation' ? ground.way[device] === cellular : fault.kind !== 'access_point' || ground.way[device] === accessPoint
}

/** Congestion reaches a device when it has grown enough, and leaves it in the same order. */
function whileOf({ startAt_s, endAt_s, grow_s }: WorldFault, depth: number): [from: number, to: number] {
  const step = Math.round(depth * grow_s)
  return [startAt_s + step, endAt_s - step]
}

/** One tower for a village and operator: its batteries end at one time. */
function towerDark_s(ground: Ground, device: number, salt: number): number {
  const tower = (ground.placeOf[ground.station[device] ?? 0] ?? 0) * 8 + (ground.operator[device] ?? 0)
  return Math.round(tower_dark_s[0] + unit(nextDraw(mix32(tower ^ salt))) * (tower_dark_s[1] - tower_dark_s[0]))
}

function chained(devices: number, columns: Record<'device' | 'fault' | 'from' | 'to' | 'role', number[]>): Hits {
  const count = columns.device.length
  const first = new Int32Array(devices).fill(-1)
  const last = new Int32Array(devices).fill(-1)
  const next = new Int32Array(count).fill(-1)
  columns.device.forEach((device, hit) => {
    const before = last[device] ?? -1
    if (before < 0) first[device] = hit
    else next[before] = hit
    last[device] = hit
  })
  return { first, next, fault: Int32Array.from(columns.fault), from: Int32Array.from(columns.from), to: Int32Array.from(columns.to), role: Uint8Array.from(columns.role), counted: new Uint8Array(count) }
}
