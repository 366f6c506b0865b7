import { spawnSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { Duplex } from 'node:stream'
import { isatty, ReadStream, WriteStream } from 'node:tty'

/**
 * Opens a serial port without echo and line editing. A port of the tty layer is read by the event loop: a read of
 * a plain file would hold a thread for ever where a modem is silent.
 * @returns the port, or a sentence that says why not
 */
export function openSerial(path: string): Duplex | string {
  let reading: number
  try {
    // not as this process's terminal: a modem that is pulled out would hang up on the whole program
    reading = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as { code?: string }
    return code === 'EACCES' ? `${path} may not be opened by this user: put it into the group that owns the port, mostly dialout.` : code === 'ENOENT' ? `There is no ${path}: the modem is not plugged in, or has another name.` : `${path} cannot be opened: ${(error as Error).message}.`
  }
  if (!isatty(reading)) {
    closeSync(reading)
    return `${path} is no serial port.`
  }
  // the speed matters to real serial lines only; USB has none
  spawnSync('stty', ['-F', path, '115200', 'raw', '-echo'], { stdio: 'ignore', timeout: 2_000 })
  const input = new ReadStream(reading)
  const output = new WriteStream(openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK))
  try {
    input.setRawMode(true)
  } catch {
    // stty did it, or nobody can
  }
  const port = new Duplex({
    read: () => void input.resume(),
    write: (part: Buffer, _, done) => void output.write(part, (error) => done(error ?? null)),
    destroy: (error, done) => {
      input.destroy()
      output.destroy()
      done(error)
    },
  })
  input.on('data', (part: Buffer) => void port.push(part))
  // a modem that is pulled out ends or breaks its port
  for (const each of [input, output]) each.on('error', () => port.destroy())
  input.once('end', () => port.destroy())
  input.once('close', () => port.destroy())
  return port
}
