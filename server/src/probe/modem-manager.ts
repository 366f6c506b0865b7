import { connect, type Socket } from 'node:net'
import { readRadio, type RadioReading } from '@kawal/core/measurement/radio-reading.ts'
import { within } from './line.ts'

const service = 'org.freedesktop.ModemManager1'
const root = '/org/freedesktop/ModemManager1'
const system_bus = 'unix:path=/run/dbus/system_bus_socket'
/** More modems than a box has. */
const modems_max = 4
/** How often ModemManager asks the modem while a reading is taken, and how long it may take to have an answer. */
const rate_s = 5
const values_ms_max = 4_000
const call_ms_max = 3_000

interface Message { readonly path: string; readonly destination: string; readonly interface: string; readonly member: string; readonly signature?: string; readonly body?: readonly unknown[] }
interface Bus {
  invoke(message: Message, done: (error: { name?: string; message?: unknown } | null | undefined, value?: unknown) => void): void
  readonly connection: { on(event: 'error' | 'end', told: (error?: Error) => void): void; end(): void }
}
type Dictionary = ReadonlyMap<string | number, unknown>

/**
 * One reading through ModemManager. Properties are asked for one by one, by name, so that IMEI, IMSI and telephone
 * number, which stand beside them, never come into this process.
 * @param address of the bus, as `DBUS_SYSTEM_BUS_ADDRESS` has it
 * @returns what was read; a gap where there is no bus, no ModemManager, no modem
 */
export async function readModemManager(now: () => number, address = process.env['DBUS_SYSTEM_BUS_ADDRESS'] ?? system_bus, values_ms = values_ms_max): Promise<RadioReading> {
  const bus = await openBus(address)
  if (bus === null) return reading(now(), null, [], 'no_modem')
  try {
    const ask = asker(bus)
    const version = await ask.property(root, service, 'Version')
    const platform = typeof version === 'string' ? `ModemManager ${version}` : null
    const xml = await ask.call(`${root}/Modem`, 'org.freedesktop.DBus.Introspectable', 'Introspect')
    // only the root lists names without their properties: the usual list of objects would hand over everything
    const names = typeof xml === 'string' ? [...xml.matchAll(/<node name="(\d{1,6})"/g)].map((match) => `${root}/Modem/${match[1]}`) : []
    if (names.length === 0) return reading(now(), platform, [], 'no_modem')
    const modems = await Promise.all(names.slice(0, modems_max).map((path, slot) => readModem(ask, path, slot, names.length === 1, values_ms)))
    const gaps = modems.map((modem) => modem.gap).filter((gap) => gap !== null)
    return reading(now(), platform, modems.map((modem) => modem.slot), modems.some((modem) => modem.gap === null) ? null : (gaps[0] ?? null))
  } finally {
    bus.connection.end()
  }
}

type Asker = ReturnType<typeof asker>

/** Calls with an end. Whatever is refused, missing or late is undefined: a modem can go at any instant. */
function asker(bus: Bus) {
  const call = async (path: string, of: string, member: string, signature?: string, body?: readonly unknown[]): Promise<unknown> => {
    const asked = new Promise<unknown>((resolve) => bus.invoke({ path, destination: service, interface: of, member, ...(signature === undefined ? {} : { signature, body: body ?? [] }) }, (error, value) => resolve(error ? undefined : value ?? null)))
    return within(asked, call_ms_max).catch(() => undefined)
  }
  const property = async (path: string, of: string, name: string): Promise<unknown> => unwrap(await call(path, 'org.freedesktop.DBus.Properties', 'Get', 'ss', [of, name]))
  return { call, property }
}

/** A variant comes as its signature and its value; a dictionary as a list of pairs. */
function unwrap(variant: unknown): unknown {
  return Array.isArray(variant) && Array.isArray(variant[1]) ? variant[1][0] : undefined
}
function dictionary(pairs: unknown): Dictionary {
  if (!Array.isArray(pairs)) return new Map()
  return new Map(pairs.flatMap((pair: unknown) => (Array.isArray(pair) && (typeof pair[0] === 'string' || typeof pair[0] === 'number') ? [[pair[0], unwrap(pair[1])] as const] : [])))
}

/** MMModemState, MMModemStateFailedReason, MMModem3gppRegistrationState, MMModemAccessTechnology (ModemManager-enums.h). */
const states = { failed: -1, disabled: 3, enabling: 5, connected: 11 }
const sim_missing = 2
const registered_states: ReadonlySet<unknown> = new Set([1, 5, 6, 7, 9, 10])
const technology_bits = { gsm: 0b11110, umts: 0b1111100000, lte: 1 << 14 | 1 << 16 | 1 << 17, nr: 1 << 15 } as const

async function readModem(ask: Asker, path: string, slot: number, alone: boolean, values_ms: number): Promise<{ slot: object; gap: RadioReading['gap'] }> {
  const modem = `${service}.Modem`
  const state = await ask.property(path, modem, 'State')
  const none = (gap: RadioReading['gap']) => ({ slot: { slot, dataSim: alone ? true : null, plmn: null, simPlmn: null, cells: [] }, gap })
  if (typeof state !== 'number') return none('no_modem')
  if (state === states.failed) return none((await ask.property(path, modem, 'StateFailedReason')) === sim_missing ? 'no_sim' : 'no_answer')
  if (state <= states.enabling) return none('modem_off')
  const [bits, registration, plmn, sim] = await Promise.all([
    ask.property(path, modem, 'AccessTechnologies'), ask.property(path, `${modem}.Modem3gpp`, 'RegistrationState'), ask.property(path, `${modem}.Modem3gpp`, 'OperatorCode'), ask.property(path, modem, 'Sim'),
  ])
  const simPlmn = typeof sim === 'string' && sim.startsWith(root) ? await ask.property(sim, `${service}.Sim`, 'OperatorIdentifier') : null
  const values = await freshSignal(ask, path, values_ms)
  const place = parsePlace(dictionary(await ask.call(path, `${modem}.Location`, 'GetLocation')).get(1))
  const has = (technology: keyof typeof technology_bits): boolean => typeof bits === 'number' && (bits & technology_bits[technology]) !== 0
  const registered = registered_states.has(registration)
  // LTE and NR at once is EN-DC: registered in LTE
  const main = has('lte') ? 'lte' : has('nr') ? 'nr' : has('umts') ? 'umts' : has('gsm') ? 'gsm' : null
  const cells = main === null ? [] : [
    cell(main, values[main], { registered, secondary: false }, place),
    ...(main === 'lte' && has('nr') ? [cell('nr', values.nr, { registered: false, secondary: true }, null)] : []),
  ]
  return { slot: { slot, dataSim: state === states.connected || alone ? true : null, plmn, simPlmn, cells }, gap: null }
}

type Signal = Readonly<Record<'gsm' | 'umts' | 'lte' | 'nr', Dictionary>>
const signal_names = { gsm: 'Gsm', umts: 'Umts', lte: 'Lte', nr: 'Nr5g' } as const

/**
 * ModemManager goes on showing the values of before when a modem has none any more, and does not say how old they
 * are. Its polling is therefore stopped, which clears them, and begun anew: what is there afterwards is of now.
 * Then it is set back to what it was for whoever else uses it.
 */
async function freshSignal(ask: Asker, path: string, values_ms: number): Promise<Signal> {
  const of = `${service}.Modem.Signal`
  const rate = await ask.property(path, of, 'Rate')
  const setUp = (seconds: number): Promise<unknown> => ask.call(path, of, 'Setup', 'u', [seconds])
  const read = async (): Promise<Signal> => Object.fromEntries(await Promise.all(Object.entries(signal_names).map(async ([key, name]) => [key, dictionary(await ask.property(path, of, name))]))) as Signal
  const cleared = (await setUp(0)) !== undefined
  if (!cleared || (await setUp(rate_s)) === undefined) return { gsm: new Map(), umts: new Map(), lte: new Map(), nr: new Map() }
  const until = performance.now() + values_ms
  let values = await read()
  while (Object.values(values).every((each) => ![...each.keys()].some((key) => key !== 'error-rate')) && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    values = await read()
  }
  await setUp(typeof rate === 'number' ? rate : 0)
  return values
}

function cell(technology: 'gsm' | 'umts' | 'lte' | 'nr', values: Dictionary, role: { registered: boolean; secondary: boolean }, place: Place | null): object {
  const value = (name: string): unknown => values.get(name) ?? null
  const area = technology === 'lte' || technology === 'nr' ? { tac: place?.tac ?? null, lac: null } : { tac: null, lac: place?.lac ?? null }
  return {
    ...role, technology, rsrpDbm: value('rsrp'), rsrqDb: value('rsrq'), sinrDb: value('snr'), rscpDbm: value('rscp'), ecioDb: value('ecio'), rssiDbm: value('rssi'),
    ...area, cellId: place?.cellId ?? null, pci: null, channel: null, ageMs: 0,
  }
}

interface Place { readonly lac: number | null; readonly tac: number | null; readonly cellId: number | null }

/** `MCC,MNC,LAC,CI,TAC`, the last three in hex; 0 where there is none. */
function parsePlace(text: unknown): Place | null {
  const [, , lac, cellId, tac] = typeof text === 'string' ? text.split(',') : []
  const hex = (digits: string | undefined): number | null => (/^[0-9a-f]{1,9}$/i.test(digits ?? '') ? Number.parseInt(digits ?? '', 16) || null : null)
  return cellId === undefined ? null : { lac: hex(lac), tac: hex(tac), cellId: hex(cellId) }
}

/** @returns null where there is no bus */
async function openBus(address: string): Promise<Bus | null> {
  const [, kind, name] = /^unix:(path|abstract)=([^,;]+)/.exec(address) ?? []
  if (name === undefined) return null
  const stream = connect(kind === 'abstract' ? `\0${name}` : name)
  stream.on('error', () => undefined)
  try {
    await within(new Promise<void>((resolve, reject) => stream.once('connect', resolve).once('error', reject)), call_ms_max)
    const { default: dbus } = (await import('@homebridge/dbus-native')) as unknown as { default: { createClient(options: { stream: Socket }): Bus } }
    const bus = dbus.createClient({ stream })
    bus.connection.on('error', () => undefined)
    return bus
  } catch {
    stream.destroy()
    return null
  }
}

function reading(now: number, platform: string | null, slots: readonly object[], gap: RadioReading['gap']): RadioReading {
  const read = readRadio({ readAt: new Date(now).toISOString(), source: 'modem', platform, airplane: null, mockLocation: null, gap, slots })
  if (!read.ok) throw new Error(read.error)
  return read.value
}
