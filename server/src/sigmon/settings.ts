import { Type, type Static, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { PackForm, SigmonConfig } from '@kawal/contract/sigmon.ts'

const { intervalS, jitterShare, spreadS, probes, fullTestShare, budget, helpLines, custody } = SigmonConfig.properties
const closed = { additionalProperties: false }

/** What a deployment says of its own (`kawal serve --sigmon FILE`); everything else of a configuration follows. */
const Settings = Type.Object({
  intervalS, jitterShare, spreadS, fullTestShare, helpLines, custody,
  probes: Type.Object(probes.properties, closed),
  budget: Type.Object(budget.properties, closed),
  forms: Type.Array(PackForm, { maxItems: 20, description: 'forms of the contests, for packs' }),
}, closed)
export type SigmonSettings = Static<typeof Settings>

/**
 * Engineering defaults of ours. Jitter and spread are what `bench duty` finds to flatten a million phones. A full test costs what days of reports cost, so nobody runs one unasked; what a
 * check may take fits a slow network's ten seconds.
 */
export const settingsDefaults: SigmonSettings = {
  intervalS: 300, jitterShare: 0.2, spreadS: 600, fullTestShare: 0, helpLines: [], forms: [],
  probes: { routine: 3, check: 10, timeoutMs: 4_000, reachEvery: 12 },
  budget: { dailyBytes: 5_000_000, checkDownBytes: 150_000, checkUpBytes: 75_000, fullTestBytes: 3_000_000 },
}

const check = Compile(Settings)

/** Why a file of settings cannot be used: field, what is wrong, how to mend it. */
export class SettingsRefused extends Error {}

/** @param text JSON; its fields replace the defaults', those of `probes` and `budget` one by one */
export function readSettings(text: string): SigmonSettings {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (error) {
    throw new SettingsRefused(`It is not JSON: ${(error as Error).message}. See docs/operating/sigmon.md for an example.`)
  }
  if (!isObject(given)) throw new SettingsRefused('It takes one JSON object, such as {"intervalS": 300}.')
  if ('targets' in given) throw new SettingsRefused('targets is no setting: the targets of a check are given as --election and --internet.')
  const whole: Record<string, unknown> = { ...settingsDefaults, ...given }
  for (const part of ['probes', 'budget'] as const) if (isObject(given[part])) whole[part] = { ...settingsDefaults[part], ...given[part] }
  if (check.Check(whole)) return whole
  throw new SettingsRefused(check.Errors(whole).slice(0, 5).map((error) => sentenceOf(whole, error)).join('\n'))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function sentenceOf(whole: unknown, error: { readonly instancePath: string; readonly message: string; readonly params: object }): string {
  const steps = error.instancePath.split('/').slice(1)
  const at = steps.join('.')
  const schema = steps.reduce<TSchema | undefined>((held, step) => (held === undefined ? undefined : below(held, step)), Settings)
  const { additionalProperties: strange } = error.params as { additionalProperties?: string[] }
  if (strange !== undefined) return `There is no setting ${strange.map((name) => (at === '' ? name : `${at}.${name}`)).join(', ')}. ${at === '' ? 'There are' : `In ${at} there are`}: ${Object.keys((schema as { properties?: object } | undefined)?.properties ?? {}).join(', ')}.`
  const value = steps.reduce<unknown>((held, step) => (held as Record<string, unknown> | undefined)?.[step], whole)
  return `${at} ${error.message}: ${JSON.stringify(value)?.slice(0, 80) ?? 'nothing'}. It takes ${wanted(schema)}.`
}

function below(schema: TSchema, step: string): TSchema | undefined {
  const { properties, items } = schema as { properties?: Record<string, TSchema>; items?: TSchema }
  return items ?? properties?.[step]
}

function wanted(schema: TSchema | undefined): string {
  const { type, minimum, maximum, pattern, maxLength, maxItems, properties, enum: words, description } = (schema ?? {}) as Record<string, unknown>
  const limits = [
    minimum === undefined ? '' : `from ${String(minimum)}`, maximum === undefined ? '' : `to ${String(maximum)}`, pattern === undefined ? '' : `of the form ${String(pattern)}`,
    maxLength === undefined ? '' : `of at most ${String(maxLength)} letters`, maxItems === undefined ? '' : `of at most ${String(maxItems)}`,
    properties === undefined ? '' : `with ${Object.keys(properties as object).join(', ')}`, Array.isArray(words) ? `out of ${words.join(', ')}` : '',
  ].filter((limit) => limit !== '').join(' ')
  return `${String(type ?? 'a value')}${limits === '' ? '' : ` ${limits}`}${description === undefined ? '' : ` (${String(description)})`}`
}
