import { CommandFailure, exits } from './exits.ts'

export type Options = Readonly<Record<string, string | undefined>>

/** A number from 0 on. @throws CommandFailure with the option's name, as it is typed, for anything else */
export function numberOption(options: Options, name: string, max = Number.MAX_SAFE_INTEGER, typed = name): number {
  const text = options[name] ?? ''
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || value > max)
    throw new CommandFailure(exits.usage, `--${typed} takes a number${max === Number.MAX_SAFE_INTEGER ? '' : ` up to ${max}`}, not ${text || 'nothing'}.`)
  return value
}

/** An instant with its offset; undefined where the option is not given. @throws CommandFailure for anything else */
export function instantOption(options: Options, name: string): number | undefined {
  const text = options[name]
  if (text === undefined) return undefined
  const at = Date.parse(text)
  // without an offset it would be a time of this machine, and elections have three zones
  if (!Number.isFinite(at) || !/(Z|[+-]\d\d:\d\d)$/.test(text)) throw new CommandFailure(exits.usage, `--${name} takes an instant with its offset, as 2029-02-14T07:00+07:00, not ${text}.`)
  return at
}

/** Where people find the server, without a slash at the end; undefined where nobody says. @throws CommandFailure for anything but http and https */
export function urlOption(options: Options): string | undefined {
  const { url } = options
  if (url === undefined) return undefined
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) throw new CommandFailure(exits.usage, `--url takes the address at which people find the server, as https://kawal.example, not ${url}.`)
  return url.replace(/\/+$/, '')
}

export function portOption(options: Options): number {
  const port = numberOption(options, 'port', 65_535)
  if (!Number.isInteger(port)) throw new CommandFailure(exits.usage, `--port takes a whole number, not ${port}.`)
  return port
}
