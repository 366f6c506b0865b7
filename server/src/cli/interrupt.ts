import { exits } from './exits.ts'

/** Ctrl-C comes twice where npm stands in between and passes it on: only one that comes later is a second one. */
const impatient_ms = 3_000

let stop: (() => void) | null = null
let heardAt = 0

/** From now on SIGINT and SIGTERM end the program in order: its database ends with it. */
export function listenForInterrupts(): void {
  process.on('SIGINT', heard).on('SIGTERM', heard)
}

/** What a program that runs on does to end; a second interrupt, some seconds later, ends it at once. */
export function onInterrupt(end: () => void): void {
  stop = end
}

function heard(): void {
  const now = Date.now()
  if (stop !== null && heardAt === 0) {
    heardAt = now
    stop()
  } else if (stop === null || now - heardAt > impatient_ms) process.exit(exits.interrupted)
}
