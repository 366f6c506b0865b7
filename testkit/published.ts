import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2019 } from 'ajv/dist/2019.js'
import formats from 'ajv-formats'
import { parse } from 'yaml'

interface Schema { readonly $ref?: string; readonly discriminator?: { readonly propertyName: string; readonly mapping?: Readonly<Record<string, string>> } | string }
interface Document { readonly components?: { readonly schemas: Readonly<Record<string, Schema>> }; readonly definitions?: Readonly<Record<string, Schema>> }

/** What is wrong with a value by a schema of a published file, each in a line; nothing of what is right. */
export type Judge = (schema: string, value: unknown) => string[]

/**
 * A judge by an OpenAPI (or Swagger 2) file of TM Forum's, beside the repository. Its schemas are open, so that a misspelt field would pass:
 * here what no schema names is wrong, at every depth. OpenAPI's `discriminator` is no JSON Schema: where there is one,
 * `@type` picks the schema.
 * @param file below shared/suites/standards
 * @returns null where the file is not there
 */
export function published(file: string): Judge | null {
  const path = join(import.meta.dirname, '../../shared/suites/standards', file)
  if (!existsSync(path)) return null
  const { components, definitions = {} } = parse(readFileSync(path, 'utf8')) as Document // JSON is YAML
  const schemas = components?.schemas ?? definitions
  const ajv = new Ajv2019({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addFormat('base64', true)
  ajv.addFormat('float', true)
  ajv.addSchema({ $id: 'published', components: { schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closed(schema, schemas, false)])) } })
  const made = new Map<string, ReturnType<typeof ajv.compile>>()
  return (schema, value) => {
    if (schemas[schema] === undefined) return [`there is no schema ${schema}`]
    const check = made.get(schema) ?? ajv.compile(picked(schema, schemas))
    made.set(schema, check)
    return check(value) ? [] : (check.errors ?? []).slice(0, 5).map(({ instancePath, message, params }) => `${schema}${instancePath} ${message ?? ''} ${JSON.stringify(params)}`)
  }
}

const nameOf = (ref: string): string => ref.split('/').at(-1) ?? ''
const refOf = (name: string): string => `published#/components/schemas/${name}`

/** A schema where a value stands: that of its `@type`, with no other fields than it names. */
function picked(name: string, schemas: Readonly<Record<string, Schema>>): object {
  const { discriminator } = schemas[name] ?? {}
  if (typeof discriminator !== 'object' || discriminator.mapping === undefined) return { $ref: refOf(name), unevaluatedProperties: false }
  const { propertyName, mapping } = discriminator
  return {
    type: 'object', required: [propertyName], properties: { [propertyName]: { enum: Object.keys(mapping) } },
    allOf: Object.entries(mapping).map(([type, ref]) => ({ if: { properties: { [propertyName]: { const: type } } }, then: { $ref: refOf(nameOf(ref)), unevaluatedProperties: false } })),
  }
}

/** @param isValue it is the schema of a field or an item, not a part of another schema */
function closed(node: unknown, schemas: Readonly<Record<string, Schema>>, isValue: boolean): unknown {
  if (Array.isArray(node)) return node.map((each) => closed(each, schemas, isValue))
  if (typeof node !== 'object' || node === null) return node
  const { $ref, discriminator, oneOf, properties, items, ...rest } = node as Schema & { oneOf?: unknown; properties?: Record<string, unknown>; items?: unknown }
  if ($ref !== undefined) return isValue ? picked(nameOf($ref), schemas) : { $ref: refOf(nameOf($ref)) }
  return {
    ...Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, key === 'allOf' ? closed(value, schemas, false) : value])),
    // A choice that a discriminator makes is made where the choice is referred to.
    ...(oneOf === undefined || discriminator !== undefined ? {} : { oneOf: closed(oneOf, schemas, true) }),
    ...(properties === undefined ? {} : { properties: Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, closed(value, schemas, true)])) }),
    ...(items === undefined ? {} : { items: closed(items, schemas, true) }),
  }
}
