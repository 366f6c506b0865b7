import type { RadioReading } from '@kawal/core/measurement/radio-reading.ts'
import { readAt } from './at.ts'
import { readModemManager } from './modem-manager.ts'
import { openSerial } from './serial.ts'

export interface RadioRead {
  readonly reading: RadioReading | null
  /** Why there are no values, for the person at the box; null where there are, or none were asked for. */
  readonly trouble: string | null
}

/**
 * One reading from where `--modem` says: `none`, `mm` (ModemManager), the path of a serial port, or `auto`, which
 * asks ModemManager and opens no port by itself. The port is opened for each reading, so that a modem may vanish
 * and come back; no source holds a check up for longer than a few seconds.
 */
export async function readModem(modem: string, now: () => number): Promise<RadioRead> {
  if (modem === 'none') return { reading: null, trouble: null }
  if (modem === 'auto' || modem === 'mm') {
    const reading = await readModemManager(now)
    return { reading, trouble: reading.gap === null ? null : modem === 'auto' && reading.gap === 'no_modem' ? null : gaps[reading.gap] }
  }
  const port = openSerial(modem)
  if (typeof port === 'string') return { reading: null, trouble: port }
  try {
    const reading = await readAt(port, now)
    return { reading, trouble: reading.gap === null ? null : gaps[reading.gap] }
  } finally {
    port.destroy()
  }
}

const gaps: Readonly<Record<NonNullable<RadioReading['gap']>, string>> = {
  permission: 'This user may not read the modem.',
  location_off: 'Location is switched off.',
  no_sim: 'The modem has no SIM.',
  no_modem: 'ModemManager knows no modem: is the service running, and the modem plugged in? (mmcli -L)',
  modem_off: 'The modem is switched off: mmcli -m any --enable',
  no_answer: 'The modem does not answer. A port that another program uses, ModemManager for instance, answers only that one.',
}
