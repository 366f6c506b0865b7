import { Type, type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { ImpactContest, ImpactWeights } from '@kawal/contract/impact.ts'
import { impactDefaults, type ImpactSettings } from '@kawal/core/impact/defaults.ts'

/** What a deployment says of its own (`kawal serve --impact FILE`). */
const Settings = Type.Object({
  weights: ImpactWeights,
  contests: Type.Array(ImpactContest, { maxItems: 20, description: 'at most 20 contests' }),
}, { additionalProperties: false })
const check = Compile(Settings)

/** Why a file of settings cannot be used: field, what is wrong, how to mend it; up to five of them, a line each. */
export class ImpactRefused extends Error {}

/**
 * @param text JSON; `weights` replace the defaults' one by one, `contests` the defaults' as a whole
 * @throws ImpactRefused
 */
export function readImpactSettings(text: string): ImpactSettings {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (error) {
    throw new ImpactRefused(`It is not JSON: ${(error as Error).message}. See docs/operating/impact.md for an example.`)
  }
  if (!isObject(given)) throw new ImpactRefused('It takes one JSON object, such as {"weights": {"urgency": 20}}.')
  const whole: Record<string, unknown> = { ...impactDefaults, ...given }
  if (isObject(given['weights'])) whole['weights'] = { ...impactDefaults.weights, ...given['weights'] }
  if (!check.Check(whole)) throw new ImpactRefused(check.Errors(whole).filter(isSaid).slice(0, 5).map((error) => sentenceOf(whole, error)).join('\n'))
  const faults = [...weightFaults(whole), ...whole.contests.flatMap(contestFaults), ...dayFaults(whole)]
  if (faults.length > 0) throw new ImpactRefused(faults.slice(0, 5).join('\n'))
  return whole
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A field that does not exist is told once for its object, and once more as a schema that is false. */
const isSaid = (error: { readonly keyword: string }): boolean => error.keyword !== 'boolean'

/** Counts times weights are to be exact in hundredths of a point; and a station with fewer ways to send must not count less. */
function weightFaults({ weights }: ImpactSettings): string[] {
  const fine = Object.entries(weights).filter(([, weight]) => Math.round(weight * 100) / 100 !== weight)
  if (fine.length > 0) return fine.map(([name, weight]) => `weights.${name} has more than two decimals: ${weight}. Round it.`)
  const order = ['stations_with_alternative', 'stations_alternative_unknown', 'stations_without_alternative'] as const
  return order.slice(1).flatMap((name, at) => {
    const below = order[at] as (typeof order)[number]
    return weights[name] >= weights[below] ? [] : [`weights.${name} is ${weights[name]}, less than ${weights[below]} of weights.${below}: a fault would count more where stations can send. Make it at least as large.`]
  })
}

/** Each day is one of the calendar's, and no name and no area is there twice: the second would silently not count. */
function contestFaults({ day, late, deadlines }: ImpactSettings['contests'][number], at: number): string[] {
  const path = `contests.${at}`
  const days = [{ day, path: `${path}.day` }, ...late.map((each, index) => ({ day: each.day, path: `${path}.late.${index}.day` }))]
  return [
    ...days.filter((each) => !isDay(each.day)).map((each) => `${each.path} is no day of the calendar: "${each.day}". It takes YYYY-MM-DD.`),
    ...late.flatMap((each, index) => (each.day < day ? [`${path}.late.${index}.day is before the contest's own: "${each.day}". Late days come after ${day}.`] : [])),
    ...twice(late.flatMap((each) => each.areas)).map((area) => `${path}.late names the area ${area} twice: it votes on one day. Leave one out.`),
    ...twice(deadlines.map((each) => each.name)).map((name) => `${path}.deadlines has ${name} twice. Give each its own name.`),
  ]
}

const dayFaults = ({ contests }: ImpactSettings): string[] => twice(contests.map((each) => each.day)).map((day) => `contests has the day ${day} twice. Put its deadlines into one.`)
const twice = (names: readonly string[]): string[] => [...new Set(names.filter((name, at) => names.indexOf(name) !== at))]
const isDay = (day: string): boolean => new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) ?? false

function sentenceOf(whole: unknown, error: { readonly instancePath: string; readonly message: string; readonly params: object }): string {
  const steps = error.instancePath.split('/').slice(1)
  const at = steps.join('.')
  const schema = steps.reduce<TSchema | undefined>((held, step) => below(held, step), Settings)
  const { additionalProperties: strange, requiredProperties: missing } = error.params as { additionalProperties?: string[]; requiredProperties?: string[] }
  const named = (names: readonly string[]): string => names.map((name) => (at === '' ? name : `${at}.${name}`)).join(', ')
  if (strange !== undefined) return `There is no setting ${named(strange)}. ${at === '' ? 'There are' : `In ${at} there are`}: ${Object.keys((schema as { properties?: object } | undefined)?.properties ?? {}).join(', ')}.`
  if (missing !== undefined) return `${named(missing)} ${missing.length === 1 ? 'is' : 'are'} missing. ${missing.map((name) => `${name} takes ${descriptionOf(below(schema, name))}`).join('; ')}.`
  const value = steps.reduce<unknown>((held, step) => (held as Record<string, unknown> | undefined)?.[step], whole)
  return `${at} ${error.message}: ${JSON.stringify(value)?.slice(0, 80) ?? 'nothing'}. It takes ${descriptionOf(schema)}.`
}

function below(schema: TSchema | undefined, step: string): TSchema | undefined {
  const { properties, items } = (schema ?? {}) as { properties?: Record<string, TSchema>; items?: TSchema }
  return items ?? properties?.[step]
}

function descriptionOf(schema: TSchema | undefined): string {
  const { description, type, properties } = (schema ?? {}) as { description?: string; type?: string; properties?: object }
  return description ?? `${type ?? 'a value'}${properties === undefined ? '' : ` with ${Object.keys(properties).join(', ')}`}`
}
