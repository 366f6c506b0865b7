import { minute_ms, second_ms } from '@kawal/core/kernel/clock.ts'
import type { Keeper } from './keeper.ts'
import { fair, type Network } from './network.ts'
import type { Phone } from './phone.ts'
import { faults_ms } from './plan.ts'
import type { Receiver } from './receiver.ts'
import { copyOf } from './tables.ts'
import { between, type World } from './world.ts'

export interface Parties { readonly world: World; readonly network: Network; readonly platform: Keeper; readonly boxes: readonly Keeper[]; readonly phones: readonly Phone[]; readonly receiver: Receiver }

/** Everything that goes wrong, until `faults_ms`; then all lines are fair, all programs run, and all pages are open. */
export function drawFaults(parties: Parties): void {
  const { world, network, platform, boxes, phones, receiver } = parties
  const random = world.random('faults')
  network.weather = { lost: between(random, 0, 0.15), answer_lost: between(random, 0, 0.15), doubled: between(random, 0, 0.1), cut: between(random, 0, 0.1), delay_ms: [10, between(random, 200, 4_000)] }
  for (const keeper of [platform, ...boxes]) drawStops(world, keeper, random() < 0.3 ? 0 : 1 + Math.floor(random() * 3))
  if (random() < 0.4) drawRestore(world, platform)
  for (const phone of phones) {
    drawPages(world, phone)
    drawLine(world, network, `${phone.plan.name}>platform`, [0.05, 0.6, 0.95][Math.floor(random() * 3)] ?? 0)
    if (phone.plan.box !== null) drawLine(world, network, `${phone.plan.name}>${phone.plan.box.name}`, 0.6)
  }
  for (const box of boxes) drawLine(world, network, `${box.host.name}>platform`, random() * 0.8)
  const [from, hours] = [between(random, 0, faults_ms / 2), between(random, 0, faults_ms)]
  world.later(from, null, () => void (receiver.mood = 'dead'))
  world.later(Math.min(faults_ms, from + hours), null, () => void (receiver.mood = random() < 0.5 ? 'odd' : 'well'))
  world.later(faults_ms, null, () => {
    world.tell('world', 'quiet')
    network.weather = fair
    network.cuts.clear()
    receiver.mood = 'well'
    for (const phone of phones) if (!phone.isOpen()) phone.open()
  })
}

function drawStops(world: World, keeper: Keeper, count: number): void {
  const random = world.random(`stops ${keeper.host.name}`)
  for (let nth = 0; nth < count; nth++) world.later(between(random, minute_ms, faults_ms * 0.95), null, () => stopAndStart(world, keeper, random() < 0.6, between(random, 5 * second_ms, 8 * minute_ms)))
}

/** Ends now, and is there again later; who is down already stays so for his own time. */
export function stopAndStart(world: World, keeper: Keeper, isPowerLost: boolean, down_ms: number): void {
  if (!keeper.isRunning()) return
  keeper.stop(isPowerLost)
  world.later(down_ms, null, () => void keeper.start())
}

/** Somebody puts an older copy of the database back: the signer is not to sign over it. */
function drawRestore(world: World, platform: Keeper): void {
  const random = world.random('restore')
  let older = copyOf(platform.tables())
  const copied = between(random, 0, faults_ms / 2)
  world.later(copied, null, () => void (older = copyOf(platform.tables())))
  world.later(between(random, copied, faults_ms * 0.9), null, () => {
    const of = platform.tables().entries.length
    if (!platform.isRunning() || older.entries.length === of) return
    platform.stop(false)
    platform.putIn(older)
    world.tell('world', 'restored an older copy', { entries: older.entries.length, of })
    void platform.start()
  })
}

/** Pages are closed, phones are switched off, and both come back. */
function drawPages(world: World, phone: Phone): void {
  const random = world.random(`pages ${phone.plan.name}`)
  const open = (): void => void (phone.isOpen() || phone.open())
  world.later(between(random, 0, 20 * minute_ms), null, open)
  for (let nth = random() < 0.5 ? 0 : 1 + Math.floor(random() * 4); nth > 0; nth--) world.later(between(random, minute_ms, faults_ms * 0.95), null, () => {
    if (!phone.isOpen()) return
    phone.close(random() < 0.5)
    world.later(between(random, second_ms, 30 * minute_ms), null, open)
  })
}

/** @param share of the time in which the line carries nothing */
function drawLine(world: World, network: Network, line: string, share: number): void {
  const random = world.random(`line ${line}`)
  const turn = (isCut: boolean): void => {
    if (world.now() >= faults_ms) return
    if (isCut) network.cuts.add(line)
    else network.cuts.delete(line)
    world.later(between(random, 0.2, 1.8) * 15 * minute_ms * (isCut ? share : 1 - share), null, () => turn(!isCut))
  }
  turn(random() < share)
}
