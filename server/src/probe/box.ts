import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Sample } from '@kawal/contract/report.ts'

/** Interfaces that carry mobile data, by the names that Linux gives them. */
const cellular_names = /^(wwan|wwp|ppp|rmnet|mhi)/

/** How this box reaches the world: by the interface of its default route (proc(5), `/proc/net/route`). */
export function accessOf(system = ''): Sample['access'] {
  const name = defaultInterface(read(`${system}/proc/net/route`)) ?? defaultInterface6(read(`${system}/proc/net/ipv6_route`))
  if (name === null) return 'none'
  if (cellular_names.test(name)) return 'cellular'
  return existsSync(`${system}/sys/class/net/${name}/wireless`) || existsSync(`${system}/sys/class/net/${name}/phy80211`) ? 'wifi' : /^(en|eth)/.test(name) ? 'wired' : 'unknown'
}

/** The default route with the least metric: destination and mask are zero, flag 1 is "up". */
function defaultInterface(table: string): string | null {
  const routes = table.split('\n').slice(1).map((line) => line.split('\t'))
  const up = routes.filter(([, destination, , flags, , , , mask]) => destination === '00000000' && mask === '00000000' && (Number.parseInt(flags ?? '0', 16) & 1) === 1)
  return up.sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0] ?? null
}

/** As above; loopback's own unreachable route is not one. */
function defaultInterface6(table: string): string | null {
  const names = table.split('\n').map((line) => line.trim().split(/\s+/)).filter(([destination, length]) => /^0{32}$/.test(destination ?? '') && length === '00').map((fields) => fields[9])
  return names.find((name) => name !== undefined && name !== 'lo') ?? null
}

/** Whether the box is on mains power (kernel documentation, sysfs-class-power); null where it has no such sensor. */
export function chargingOf(system = ''): boolean | null {
  const folder = `${system}/sys/class/power_supply`
  const names = existsSync(folder) ? readdirSync(folder) : []
  const mains = names.filter((name) => /^(Mains|USB)/.test(read(`${folder}/${name}/type`))).map((name) => read(`${folder}/${name}/online`).trim())
  const told = mains.filter((online) => online === '0' || online === '1')
  return told.length === 0 ? null : told.includes('1')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
