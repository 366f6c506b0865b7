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

export function portOption(options: Options): number {
  const port = numberOption(options, 'port', 65_535)
  if (!Number.isInteger(port)) throw new CommandFailure(exits.usage, `--port takes a whole number, not ${port}.`)
  return port
}
